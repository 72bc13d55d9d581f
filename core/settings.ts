import { stringify } from 'yaml'
import type { z } from 'zod'
import { faultOf } from './config/fault.ts'
import { freeze, readConfig } from './config/load.ts'
import { pathIn } from './config/schema.ts'
import { ChanopError } from './error.ts'
import type { Ledger } from './ledger/ledger.ts'
import { type Override, overrides as stored } from './ledger/settings.ts'
import { nearest } from './nearest.ts'

/** Where a value comes from. */
export type Origin =
  | { readonly from: 'default' | 'file' }
  | { readonly from: 'chat'; readonly by: string; readonly atMs: number }

/** Stored as the value of a key of a map (a room, somebody ignored): takes out what the file says. */
export const removed = '$removed'

const own = (inside: unknown, part: string): unknown =>
  typeof inside === 'object' && inside !== null && Object.hasOwn(inside, part)
    ? (inside as Record<string, unknown>)[part]
    : undefined

const at = (value: unknown, path: readonly string[]): unknown => path.reduce(own, value)

function assign(root: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let inside = root
  for (const part of path.slice(0, -1)) {
    const next = own(inside, part)
    inside = (typeof next === 'object' && next !== null ? next : (inside[part] = {})) as Record<string, unknown>
  }
  const last = path.at(-1) as string
  if (value === undefined || value === removed) delete inside[last]
  else inside[last] = value
}

/**
 * The configuration in force: the file, with what was changed in chat over it. One frozen value; every process holds
 * the same and takes a new one when told (`reload`). An invalid file or override never replaces a valid value.
 */
export class Settings<S extends z.ZodType> {
  readonly file: string
  readonly #schema: S
  readonly #ledger: Ledger
  #raw: Record<string, unknown>
  #overrides: readonly Override[] = []
  #ignored: readonly string[] = []
  #current: z.output<S>
  readonly #listeners = new Set<(current: z.output<S>) => void>()

  private constructor(file: string, schema: S, ledger: Ledger) {
    this.file = file
    this.#schema = schema
    this.#ledger = ledger
    this.#raw = readConfig(file, schema) as Record<string, unknown>
    this.#current = freeze(schema.parse(this.#raw))
  }

  /** Throws `config-invalid`. Overrides that no longer fit are left out: see `ignored`. */
  static async open<S extends z.ZodType>(file: string, schema: S, ledger: Ledger): Promise<Settings<S>> {
    const settings = new Settings(file, schema, ledger)
    await settings.reload()
    return settings
  }

  get current(): z.output<S> {
    return this.#current
  }

  /** Keys that chat has set to what no longer fits the file or this release: they stay stored and have no effect. */
  get ignored(): readonly string[] {
    return this.#ignored
  }

  onChange(listener: (current: z.output<S>) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Reads file and overrides again. Throws `config-invalid` and keeps the old value when the file is wrong. */
  async reload(): Promise<{ readonly ignored: readonly string[] }> {
    const raw = readConfig(this.file, this.#schema) as Record<string, unknown>
    const overrides = await this.#ledger.read(stored)
    const kept = this.#fitting(raw, overrides)
    const merged = this.#merge(raw, kept) ?? raw
    const changed = JSON.stringify(this.#schema.parse(merged)) !== JSON.stringify(this.#current)
    this.#raw = raw
    this.#overrides = kept
    this.#ignored = overrides.filter(override => !kept.includes(override)).map(override => override.key)
    if (changed) {
      this.#current = freeze(this.#schema.parse(merged))
      for (const listener of this.#listeners) listener(this.#current)
    }
    return { ignored: this.#ignored }
  }

  /** The value at a key and where it comes from. Throws `not-found` with the nearest key. */
  get(key: string): { readonly value: unknown; readonly origin: Origin } {
    const path = this.#known(key)
    const value = at(this.#current, path)
    if (value === undefined && at(this.#current, path.slice(0, -1)) === undefined) throw this.#missing(key)
    return { value, origin: this.#origin(path) }
  }

  /** Every leaf, as dotted keys in the order of the schema. */
  all(): { readonly key: string; readonly value: unknown; readonly origin: Origin }[] {
    return leaves(this.#current, []).map(({ path, value }) => ({
      key: path.join('.'),
      value,
      origin: this.#origin(path),
    }))
  }

  /** Keys whose name or value holds `word`. */
  find(word: string): { readonly key: string; readonly value: unknown; readonly origin: Origin }[] {
    const wanted = word.toLowerCase()
    return this.all().filter(
      ({ key, value }) => key.toLowerCase().includes(wanted) || JSON.stringify(value).toLowerCase().includes(wanted),
    )
  }

  /** What chat changed over the file. */
  diff(): { readonly key: string; readonly file: unknown; readonly value: unknown; readonly origin: Origin }[] {
    return this.#overrides.map(({ key, value }) => {
      const path = this.#known(key)
      return { key, file: at(this.#raw, path), value, origin: this.#origin(path) }
    })
  }

  /** The configuration in force as YAML, ready to be the file. */
  export(): string {
    return stringify(this.#merged(), { lineWidth: 120 })
  }

  /** Checks `value` as the value of `key` in all that is in force. Returns what to store. Throws `not-found` or `usage`. */
  check(key: string, value: unknown): unknown {
    const path = this.#known(key)
    const next = this.#merged()
    assign(next, path, value)
    const fault = faultOf(this.#schema, next)
    if (fault) throw new ChanopError('usage', fault.message)
    return value
  }

  /** Checks several values together, where one makes sense with the others alone. Throws `usage`. */
  checkAll(changes: Readonly<Record<string, unknown>>): void {
    const next = this.#merged()
    for (const [key, value] of Object.entries(changes)) assign(next, key.split('.'), structuredClone(value))
    const fault = faultOf(this.#schema, next)
    if (fault) throw new ChanopError('usage', fault.message)
  }

  /** All that is in force as it would be with `value` at `key`. Throws as `check`. */
  preview(key: string, value: unknown): z.output<S> {
    return this.previewAll({ [key]: value })
  }

  /** The same with several changes that fit only together. */
  previewAll(changes: Readonly<Record<string, unknown>>): z.output<S> {
    const next = this.#merged()
    for (const [key, value] of Object.entries(changes)) assign(next, this.#known(key), structuredClone(value))
    const fault = faultOf(this.#schema, next)
    if (fault) throw new ChanopError('usage', fault.message)
    return this.#schema.parse(next)
  }

  /** Whether the file itself says something at a key. */
  inFile(key: string): boolean {
    const path = this.#path(key, this.#raw)
    return path !== null && at(this.#raw, path) !== undefined
  }

  /** The overrides that fit, in their order. One that fits only together with others is kept with them. */
  #fitting(raw: Record<string, unknown>, overrides: readonly Override[]): readonly Override[] {
    if (this.#merge(raw, overrides)) return overrides
    let kept: readonly Override[] = []
    for (let before = -1; before < kept.length; ) {
      before = kept.length
      for (const override of overrides) {
        if (kept.includes(override)) continue
        const more = overrides.filter(one => one === override || kept.includes(one))
        if (this.#merge(raw, more)) kept = more
      }
    }
    return kept
  }

  /** The file with overrides over it; null when that is no valid configuration. */
  #merge(raw: Record<string, unknown>, overrides: readonly Override[]): Record<string, unknown> | null {
    const merged = structuredClone(raw)
    for (const { key, value } of overrides) {
      const path = this.#path(key, merged)
      if (!path) return null
      assign(merged, path, structuredClone(value))
    }
    return faultOf(this.#schema, merged) ? null : merged
  }

  #merged(): Record<string, unknown> {
    const merged = structuredClone(this.#raw)
    for (const override of this.#overrides) {
      const path = this.#path(override.key, merged)
      if (path) assign(merged, path, structuredClone(override.value))
    }
    return merged
  }

  #origin(path: readonly string[]): Origin {
    const key = path.join('.')
    const set = this.#overrides.findLast(override => override.key === key || key.startsWith(`${override.key}.`))
    if (set) return { from: 'chat', by: set.by, atMs: set.atMs }
    return { from: at(this.#raw, path) === undefined ? 'default' : 'file' }
  }

  #path(key: string, value: unknown): string[] | null {
    return pathIn(this.#schema, key.split('.'), value)
  }

  #known(key: string): string[] {
    const path = this.#path(key, this.#current)
    if (!path) throw this.#missing(key)
    return path
  }

  #missing(key: string): ChanopError {
    const keys = this.all().map(leaf => leaf.key)
    const groups = keys.flatMap(known => known.split('.').map((_, depth, parts) => parts.slice(0, depth).join('.')))
    const near = nearest(key, keys) ?? nearest(key, groups)
    return new ChanopError('not-found', `no key '${key}'${near ? `; did you mean '${near}'?` : '; try config find'}`)
  }
}

function leaves(value: unknown, path: readonly string[]): { path: readonly string[]; value: unknown }[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ path, value }]
  const inside = Object.entries(value)
  if (inside.length === 0 && path.length > 0) return [{ path, value }]
  return inside.flatMap(([part, below]) => leaves(below, [...path, part]))
}
