/** Files of which one process has each: SQLite's locks end with their process, however that ends. */
import Database from 'better-sqlite3'
import { asLedgerError, isBusy } from './fault.ts'

/** What nobody refers to is closed some day. */
const held = new Map<string, Database.Database>()

/** Holds a file, made for that, for as long as this process lives. False: another one does. */
export function hold(path: string): boolean {
  if (held.has(path)) return true
  let lock: Database.Database | undefined
  try {
    lock = new Database(path, { timeout: 0 })
    lock.exec('BEGIN EXCLUSIVE')
    held.set(path, lock)
    return true
  } catch (error) {
    lock?.close()
    if (isBusy(error)) return false
    throw asLedgerError(error)
  }
}
