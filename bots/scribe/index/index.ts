import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { asLedgerError } from '../../../core/ledger/fault.ts'
import type { Stored } from '../../../core/ledger/record/events.ts'
import { keyOf } from '../../../core/ledger/record/history.ts'
import { type Connection, connect, migrate, sql } from '../../../core/ledger/sqlite.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Ear } from '../ear.ts'
import { indexMigrations } from './schema.ts'
import { Taker } from './take.ts'

/**
 * The search index: a database file of its own beside the ledger. Its cursor moves in the same transaction as what was
 * indexed. It follows the ledger and never leads: whatever does not fit the ledger is thrown away and made again.
 */
export class SearchIndex {
  readonly path: string
  readonly #ear: Ear
  #db: Connection
  #taker: Taker

  private constructor(path: string, ear: Ear) {
    this.path = path
    this.#ear = ear
    this.#db = openFile(path)
    this.#taker = new Taker(this.#db, ear)
  }

  /** Opens the file, or makes it anew when it is damaged or of another release, and calls `remade`. `ear` tells commands from talk. */
  static open(path: string, ear: Ear, remade: () => void = () => undefined): SearchIndex {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    try {
      return new SearchIndex(path, ear)
    } catch (thrown) {
      const code = (asLedgerError(thrown) as { code?: string }).code
      if (code !== 'ledger-corrupt' && code !== 'ledger-newer') throw asLedgerError(thrown)
      removeFile(path)
      remade()
      return new SearchIndex(path, ear)
    }
  }

  get ear(): Ear {
    return this.#ear
  }

  get db(): Connection {
    return this.#db
  }

  /** Throws the file away, damaged as it may be, and begins a new one. */
  remake(): void {
    this.#db.close()
    removeFile(this.path)
    this.#db = openFile(this.path)
    this.#taker = new Taker(this.#db, this.#ear)
  }

  /** The sequence number up to which everything is indexed. */
  get cursor(): number {
    return Number(JSON.parse(this.#meta('at') ?? '{"seq":0}').seq)
  }

  /** Whether the ledger still is the one that was indexed; a restored backup, or another ledger, is not. */
  fits(ledger: Tx): boolean {
    const at = JSON.parse(this.#meta('at') ?? 'null') as { seq: number; key: string } | null
    if (!at) return true
    return keyOf(ledger, at.seq) === at.key
  }

  /**
   * Indexes a batch in the ledger's order and moves the cursor, in one transaction. Facts at or before the cursor are
   * left out: a batch may be offered twice.
   */
  take(ledger: Tx, batch: readonly Stored[]): void {
    const { cursor } = this
    const fresh = batch.filter(fact => fact.seq > cursor)
    const last = fresh.at(-1)
    if (!last) return
    this.#atomic(() => {
      this.#taker.take(ledger, fresh)
      this.#setMeta('at', JSON.stringify({ seq: last.seq, key: last.event.key }))
    })
  }

  /** Throws everything away: the next batches make it again from the first fact on. */
  rebuild(): void {
    this.#atomic(() => {
      for (const table of ['fts', 'doc', 'tally', 'who', 'room', 'meta']) this.#db.exec(`DROP TABLE IF EXISTS ${table}`)
      this.#db.pragma('user_version = 0')
      this.#db.exec(indexMigrations.join(''))
      this.#db.pragma(`user_version = ${indexMigrations.length}`)
    })
    this.#taker.forget()
  }

  close(): void {
    this.#db.close()
  }

  #atomic(work: () => void): void {
    try {
      this.#db.transaction(work).immediate()
    } catch (error) {
      this.#taker.forget()
      throw asLedgerError(error)
    }
  }

  #meta(key: string): string | null {
    return (sql(this.#db, 'SELECT value FROM meta WHERE key = ?').get(key)?.['value'] as string | undefined) ?? null
  }

  #setMeta(key: string, value: string): void {
    sql(this.#db, 'INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value').run(
      key,
      value,
    )
  }
}

function openFile(path: string): Connection {
  // For its owner alone before SQLite opens it: the log beside it takes over its mode.
  closeSync(openSync(path, 'a', 0o600))
  const db = connect(path)
  try {
    // A power cut may take the newest from the index: its cursor goes back with it.
    db.pragma('synchronous = NORMAL')
    db.pragma('secure_delete = ON')
    migrate(db, indexMigrations)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function removeFile(path: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true })
}

/** Whether an error says that the index's file is damaged. */
export const isDamage = (thrown: unknown): boolean =>
  (asLedgerError(thrown) as { code?: unknown } | null)?.code === 'ledger-corrupt'
