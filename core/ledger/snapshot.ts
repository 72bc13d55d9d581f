/** Copies of databases, of the ledger and of others, and what is seen in them without changing them. */
import Database from 'better-sqlite3'
import { ChanopError } from '../error.ts'
import { asLedgerError } from './fault.ts'
import { migrations } from './schema.ts'
import { busyMs, type Connection, sql } from './sqlite.ts'

/** More pages than a database can have: the whole copy is one step, so that no writer makes it begin again. */
const allPages = 2 ** 31 - 1

/** SQLite's own online backup: a state of one moment, whoever writes meanwhile and without being in their way. */
export async function copyDatabase(from: string, to: string): Promise<void> {
  let source: Database.Database | undefined
  try {
    source = new Database(from, { readonly: true, fileMustExist: true, timeout: busyMs })
    await source.backup(to, { progress: () => allPages })
  } catch (error) {
    throw asLedgerError(error)
  } finally {
    source?.close()
  }
}

/** Reads all of a database. Null when it is sound, else what is wrong. */
export const damageOf = (file: string): string | null =>
  inDatabase(file, db => {
    const found = String(db.pragma('integrity_check(1)', { simple: true }))
    return found === 'ok' ? null : (found.split('\n').at(-1) as string).slice(0, 100)
  })

/** By the word that is said: how many rows. */
export type Counts = Readonly<Record<string, number>>

const counted = {
  facts: 'event',
  people: 'person',
  agents: 'agent',
  secrets: 'secret',
  'audit lines': 'audit',
} as const

/** Tables that a ledger of an older release does not have are left out. Throws `ledger-newer`. */
export const countsIn = (file: string): Counts =>
  inDatabase(file, db => {
    const version = versionOf(db)
    if (version > migrations.length) {
      const message = `the ledger has schema ${version}, this release knows ${migrations.length}: run the newer release`
      throw new ChanopError('ledger-newer', message)
    }
    const tables = sql(db, "SELECT name FROM sqlite_master WHERE type = 'table'").all()
    const names = new Set(tables.map(row => row['name']))
    const rows = (table: string): number => Number(sql(db, `SELECT count(*) AS n FROM ${table}`).get()?.['n'])
    const there = Object.entries(counted).filter(([, table]) => names.has(table))
    return Object.fromEntries(there.map(([word, table]) => [word, rows(table)]))
  })

/** The schema of a ledger that this release would migrate; null when it is of this release, or newer. */
export const olderSchemaOf = (file: string): number | null =>
  inDatabase(file, db => (versionOf(db) > 0 && versionOf(db) < migrations.length ? versionOf(db) : null))

const versionOf = (db: Connection): number => Number(db.pragma('user_version', { simple: true }))

function inDatabase<T>(file: string, work: (db: Connection) => T): T {
  let db: Connection | undefined
  try {
    db = new Database(file, { fileMustExist: true, timeout: busyMs }) as Connection
    return work(db)
  } catch (error) {
    throw asLedgerError(error)
  } finally {
    db?.close()
  }
}
