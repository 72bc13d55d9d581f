import { stringify } from 'yaml'
import type { z } from 'zod'
import { faultOf } from './config/fault.ts'
import { freeze, readConfig } from './config/load.ts'
import { isMap, keysOf, schemaAt } from './config/schema.ts'
import { ChanopError } from './error.ts'
import type { Ledger } from './ledger/ledger.ts'
import { type Db, sql } from './ledger/sqlite.ts'
import { nearest } from './nearest.ts'

/** Where a value comes from. */
export type Origin =
  | { readonly from: 'default' | 'file' }
  | { readonly from: 'chat'; readonly by: string; readonly atMs: number }

interface Override {
  readonly key: string
  readonly value: unknown
  readonly by: string
  readonly atMs: number
}

const split = (key: string): string[] => key.split('.')

const at = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((inside, part) => (inside as Record<string, unknown> | null | undefined)?.[part], value)

function assign(root: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let inside = root
  for (const part of path.slice(0, -1)) {
    const next = inside[part]
    inside = (typeof next === 'object' && next !== null ? next : (inside[part] = {})) as Record<string, unknown>
  }
  const last = path.at(-1) as string
  if (value === undefined) delete inside[last]
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
  #current: z.output<S>
  readonly #listeners = new Set<(current: z.output<S>) => void>()

  private constructor(file: string, schema: S, ledger: Ledger) {
    this.file = file
    this.#schema = schema
    this.#ledger = ledger
    this.#raw = readConfig(file, schema) as Record<string, unknown>
    this.#current = freeze(schema.parse(this.#raw))
  }

  /** Throws `config-invalid`. Overrides that no longer fit are left out and reported by `reload`'s result. */
  static async open<S extends z.ZodType>(file: string, schema: S, ledger: Ledger): Promise<Settings<S>> {
    const settings = new Settings(file, schema, ledger)
    await settings.reload()
    return settings
  }

  get current(): z.output<S> {
    return this.#current
  }

  onChange(listener: (current: z.output<S>) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Reads file and overrides again. Throws `config-invalid` and keeps the old value when the file is wrong. */
  async reload(): Promise<{ readonly ignored: readonly string[] }> {
    const raw = readConfig(this.file, this.#schema) as Record<string, unknown>
    const overrides = await this.#ledger.read(stored)
    const kept: Override[] = []
    let merged = structuredClone(raw)
    for (const override of overrides) {
      const next = structuredClone(merged)
      assign(next, split(override.key), override.value)
      if (faultOf(this.#schema, next)) continue
      merged = next
      kept.push(override)
    }
    const changed = JSON.stringify(this.#schema.parse(merged)) !== JSON.stringify(this.#current)
    this.#raw = raw
    this.#overrides = kept
    if (changed) {
      this.#current = freeze(this.#schema.parse(merged))
      for (const listener of this.#listeners) listener(this.#current)
    }
    return { ignored: overrides.filter(override => !kept.includes(override)).map(override => override.key) }
  }

  /** The value at a key and where it comes from. Throws `not-found` with the nearest key. */
  get(key: string): { readonly value: unknown; readonly origin: Origin } {
    this.#check(key)
    return { value: at(this.#current, split(key)), origin: this.#origin(key) }
  }

  /** Every leaf, as dotted keys in the order of the schema. */
  all(): { readonly key: string; readonly value: unknown; readonly origin: Origin }[] {
    return leaves(this.#current, []).map(({ key, value }) => ({ key, value, origin: this.#origin(key) }))
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
    return this.#overrides.map(({ key, value }) => ({
      key,
      file: at(this.#raw, split(key)),
      value,
      origin: this.#origin(key),
    }))
  }

  /** The configuration in force as YAML, ready to be the file. */
  export(): string {
    return stringify(this.#merged(), { lineWidth: 120 })
  }

  /**
   * Reads `text` as the value of `key` (YAML: numbers, lists, null) and checks it against the schema.
   * Returns the value to store. Throws `not-found` or `config-invalid` with the fix.
   */
  check(key: string, value: unknown): unknown {
    this.#check(key)
    const next = structuredClone(this.#merged())
    assign(next, split(key), value)
    const fault = faultOf(this.#schema, next)
    if (fault) throw new ChanopError('usage', fault.message)
    return value
  }

  #merged(): Record<string, unknown> {
    const merged = structuredClone(this.#raw)
    for (const override of this.#overrides) assign(merged, split(override.key), override.value)
    return merged
  }

  #origin(key: string): Origin {
    const own = this.#overrides.findLast(override => override.key === key || key.startsWith(`${override.key}.`))
    if (own) return { from: 'chat', by: own.by, atMs: own.atMs }
    return { from: at(this.#raw, split(key)) === undefined ? 'default' : 'file' }
  }

  #check(key: string): void {
    const path = split(key)
    for (let depth = 0; depth < path.length; depth++) {
      const node = schemaAt(this.#schema, path.slice(0, depth), this.#current)
      const part = path[depth] as string
      if (isMap(node)) continue
      if (node && keysOf(node).includes(part)) continue
      const keys = this.all().map(leaf => leaf.key)
      const near = nearest(key, keys) ?? nearest(part, keysOf(node))
      throw new ChanopError('not-found', `no key '${key}'${near ? `; did you mean '${near}'?` : '; try config find'}`)
    }
  }
}

function leaves(value: unknown, path: readonly string[]): { key: string; value: unknown }[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ key: path.join('.'), value }]
  const inside = Object.entries(value)
  if (inside.length === 0 && path.length > 0) return [{ key: path.join('.'), value }]
  return inside.flatMap(([part, below]) => leaves(below, [...path, part]))
}

const stored = (db: Db): Override[] =>
  sql(db, 'SELECT key, value, by, at_ms FROM setting ORDER BY at_ms, key')
    .all()
    .map(row => ({
      key: row['key'] as string,
      value: JSON.parse(row['value'] as string) as unknown,
      by: row['by'] as string,
      atMs: Number(row['at_ms']),
    }))

/** Stores a checked value; part of a command's effect. Tell the other processes with the signal `settings`. */
export function storeSetting(db: Db, key: string, value: unknown, by: string, nowMs: number): void {
  sql(
    db,
    `INSERT INTO setting VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value,
     by = excluded.by, at_ms = excluded.at_ms`,
  ).run(key, JSON.stringify(value), by, nowMs)
}

/** Drops what chat changed at `key` and below; how many values. */
export const dropSetting = (db: Db, key: string): number =>
  sql(
    db,
    "DELETE FROM setting WHERE key = ? OR key LIKE replace(replace(?, '%', '\\%'), '_', '\\_') || '.%' ESCAPE '\\'",
  ).run(key, key).changes
