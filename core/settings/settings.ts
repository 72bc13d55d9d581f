import type { z } from 'zod'
import { faultOf } from '../config/fault.ts'
import { freeze, readConfig } from '../config/load.ts'
import { pathIn, schemaAt, valueAt } from '../config/schema.ts'
import { yaml } from '../config/yaml.ts'
import { ChanopError } from '../error.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { type Override, overrides as stored } from '../ledger/settings/settings.ts'
import type { Tx } from '../ledger/tx.ts'
import { nearest } from '../text/nearest.ts'
import { def } from '../zod.ts'
import { assign, fitting, overlaid } from './settings-merge.ts'

/** Where a value comes from. */
export type Origin =
  | { readonly from: 'default' | 'file' }
  | { readonly from: 'chat'; readonly by: string; readonly atMs: number }

/** What a value of chat stands over. */
export interface Beneath {
  readonly value: unknown
  readonly from: 'file' | 'default'
}

/**
 * The configuration in force: the file, with what was changed in chat over it. One frozen value; every process holds
 * the same and takes a new one when told (`reload`). An invalid file or override never replaces a valid value.
 */
export class Settings<S extends z.ZodType> {
  readonly file: string
  readonly #schema: S
  readonly #ledger: Ledger
  readonly #kept: string | null
  #raw: Record<string, unknown>
  #overrides: readonly Override[] = []
  /** Of each override, in their order. */
  #paths: readonly (readonly string[])[] = []
  #ignored: readonly string[] = []
  #current: z.output<S>
  #opened: z.output<S>
  readonly #listeners = new Set<(current: z.output<S>) => void>()

  private constructor(file: string, schema: S, ledger: Ledger, kept: string | null) {
    this.file = file
    this.#schema = schema
    this.#ledger = ledger
    this.#kept = kept
    this.#raw = readConfig(file, schema, kept) as Record<string, unknown>
    this.#current = freeze(schema.parse(this.#raw))
    this.#opened = this.#current
  }

  /**
   * Throws `config-invalid`. Overrides that no longer fit are left out: see `ignored`. `kept`: a file in which what the
   * configuration said the last time may stand.
   */
  static async open<S extends z.ZodType>(
    file: string,
    schema: S,
    ledger: Ledger,
    kept: string | null = null,
  ): Promise<Settings<S>> {
    const settings = new Settings(file, schema, ledger, kept)
    await settings.reload()
    settings.#opened = settings.#current
    return settings
  }

  /** What was in force when this process began. */
  get opened(): z.output<S> {
    return this.#opened
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
    const raw = readConfig(this.file, this.#schema, this.#kept) as Record<string, unknown>
    const overrides = await this.#ledger.read(stored)
    const { kept, merged } = fitting(this.#schema, raw, overrides)
    const changed = JSON.stringify(this.#schema.parse(merged)) !== JSON.stringify(this.#current)
    this.#raw = raw
    this.#overrides = kept
    this.#paths = kept.map(({ key }) => pathIn(this.#schema, key.split('.'), merged) ?? key.split('.'))
    this.#ignored = overrides.filter(override => !kept.includes(override)).map(override => override.key)
    if (changed) {
      this.#current = freeze(this.#schema.parse(merged))
      for (const listener of this.#listeners) listener(this.#current)
    }
    return { ignored: this.#ignored }
  }

  /** What is in force as the ledger has it: somebody may have changed it since `current` was read. */
  in(tx: Tx): z.output<S> {
    return this.#schema.parse(fitting(this.#schema, this.#raw, stored(tx)).merged)
  }

  /** Whether there is something at a key as the ledger has it. */
  holds(tx: Tx, key: string): boolean {
    return valueAt(this.in(tx), this.#parts(key)) !== undefined
  }

  /** Throws `conflict` when somebody has changed one of these keys since they were as in `seen`, which was `current` once. */
  demandSame(tx: Tx, seen: z.output<S>, keys: readonly string[]): void {
    const now = this.in(tx)
    const at = (config: z.output<S>, key: string): string => JSON.stringify(valueAt(config, this.#parts(key)) ?? null)
    const other = keys.find(key => at(now, key) !== at(seen, key))
    if (other !== undefined)
      throw new ChanopError('conflict', `${other} was changed by somebody else just now: say it again`)
  }

  /** The value at a key and where it comes from. Throws `not-found` with the nearest key. */
  get(key: string): { readonly value: unknown; readonly origin: Origin } {
    const path = this.#known(key)
    const value = valueAt(this.#current, path)
    if (value === undefined && !this.#isThere(path)) throw this.#missing(key)
    return { value, origin: this.#origin(path) }
  }

  /** The same value; undefined where nothing is yet. Throws `not-found` where nothing can be. */
  peek(key: string): unknown {
    return valueAt(this.#current, this.#known(key))
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

  #find(word: string): string | undefined {
    return word.length > 2
      ? this.find(word).find(({ key }) => key.toLowerCase().includes(word.toLowerCase()))?.key
      : undefined
  }

  /** What chat changed: the value beneath, of the file or else the default, and the one that holds. */
  diff(): { readonly key: string; readonly beneath: Beneath; readonly value: unknown; readonly origin: Origin }[] {
    return this.#overrides.map(({ key, value }) => {
      const path = this.#known(key)
      return { key, beneath: this.#beneath(path, this.#raw), value, origin: this.#origin(path) }
    })
  }

  /**
   * What holds at a key once chat's changes there and below are dropped. Throws `not-found` when chat changed nothing there,
   * `conflict` with what else chat changed that would not fit any more.
   */
  without(key: string): Beneath {
    const isAt = this.covers(key)
    if (![...this.#overrides.map(one => one.key), ...this.#ignored].some(isAt)) {
      this.get(key)
      throw new ChanopError('not-found', `${key} was not changed in chat; !config diff lists what was`)
    }
    const rest = this.#overrides.filter(one => !isAt(one.key))
    const { kept, merged } = fitting(this.#schema, this.#raw, rest)
    const lost = rest.filter(one => !kept.includes(one)).map(one => one.key)
    if (lost.length > 0)
      throw new ChanopError('conflict', `${lost.join(', ')} would not fit without it: unset that first`)
    const path = this.#path(key, this.#current)
    return path ? this.#beneath(path, merged) : { value: undefined, from: 'default' }
  }

  /** The configuration in force as YAML, ready to be the file. */
  export(): string {
    return yaml().stringify(this.#merged(), { lineWidth: 120 })
  }

  /** Checks `value` as the value of `key` in all that is in force. Returns what to store. Throws `not-found` or `usage`. */
  check(key: string, value: unknown): unknown {
    this.preview(key, value)
    return value
  }

  /** Checks several values together, where one makes sense with the others alone. Throws `usage`. */
  checkAll(changes: Readonly<Record<string, unknown>>): void {
    this.#with(changes, key => key.split('.'))
  }

  /** All that is in force as it would be with `value` at `key`. Throws as `check`. */
  preview(key: string, value: unknown): z.output<S> {
    return this.previewAll({ [key]: value })
  }

  /** The same with several changes that fit only together. */
  previewAll(changes: Readonly<Record<string, unknown>>): z.output<S> {
    return this.#with(changes, key => this.#known(key))
  }

  #with(changes: Readonly<Record<string, unknown>>, pathOf: (key: string) => readonly string[]): z.output<S> {
    const next = this.#merged()
    for (const [key, value] of Object.entries(changes)) assign(next, pathOf(key), structuredClone(value))
    const fault = faultOf(this.#schema, next)
    if (fault) throw new ChanopError('usage', fault.message)
    return this.#schema.parse(next)
  }

  /** Whether the file itself says something at a key. */
  inFile(key: string): boolean {
    const path = this.#path(key, this.#raw)
    return path !== null && valueAt(this.#raw, path) !== undefined
  }

  #merged(): Record<string, unknown> {
    return overlaid(this.#schema, this.#raw, this.#overrides) ?? structuredClone(this.#raw)
  }

  #beneath(path: readonly string[], raw: Record<string, unknown>): Beneath {
    const from = valueAt(raw, path) === undefined ? 'default' : 'file'
    const parsed = this.#schema.safeParse(raw)
    return { value: valueAt(parsed.success ? parsed.data : raw, path), from }
  }

  /** Whether a place that holds nothing is one: names in a map are there or not, keys of a group may be left out. */
  #isThere(path: readonly string[]): boolean {
    return path.every((part, depth) => {
      const around = path.slice(0, depth)
      const inside = valueAt(this.#current, around)
      if (typeof inside !== 'object' || inside === null) return false
      const node = schemaAt(this.#schema, around, this.#current)
      return Object.hasOwn(inside, part) || (depth === path.length - 1 && (node === null || !def(node).valueType))
    })
  }

  /**
   * Whether another key is `key` or below it: names in a map may hold dots, so that `models.gpt-5` is not above
   * `models.gpt-5.1`.
   */
  covers(key: string): (other: string) => boolean {
    const path = this.#parts(key)
    return other => leads(path, this.#parts(other))
  }

  #parts(key: string): readonly string[] {
    return this.#path(key, this.#current) ?? key.split('.')
  }

  #origin(path: readonly string[]): Origin {
    const set = this.#overrides[this.#paths.findLastIndex(each => leads(each, path))]
    if (set) return { from: 'chat', by: set.by, atMs: set.atMs }
    return { from: valueAt(this.#raw, path) === undefined ? 'default' : 'file' }
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
    const last = (known: string): string => known.split('.').at(-1) ?? known
    const named = (word: string | null): string | undefined => keys.find(known => last(known) === word)
    const near =
      nearest(key, keys) ?? nearest(key, groups) ?? named(nearest(last(key), keys.map(last))) ?? this.#find(last(key))
    const hint = near ? `did you mean '${near}'?` : '!config find WORD looks for it'
    return new ChanopError('not-found', `no key '${key.slice(0, 80)}'; ${hint}`)
  }
}

const leads = (path: readonly string[], to: readonly string[]): boolean => path.every((part, at) => part === to[at])

function leaves(value: unknown, path: readonly string[]): { path: readonly string[]; value: unknown }[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ path, value }]
  const inside = Object.entries(value)
  if (inside.length === 0 && path.length > 0) return [{ path, value }]
  return inside.flatMap(([part, below]) => leaves(below, [...path, part]))
}
