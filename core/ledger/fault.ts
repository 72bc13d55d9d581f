import Database from 'better-sqlite3'
import { ChanopError, type ErrorCode } from '../error.ts'

const codes: readonly [RegExp, ErrorCode, string][] = [
  [/^SQLITE_FULL|ENOSPC/, 'ledger-full', 'the disk is full: make room, nothing accepted is lost'],
  [/^SQLITE_BUSY/, 'ledger-busy', 'another process holds the ledger: this is tried again'],
  [
    /^SQLITE_(READONLY|CANTOPEN|PERM)|EACCES|EROFS/,
    'ledger-readonly',
    'the data folder can not be written: check its owner and mode',
  ],
  [/^SQLITE_(CORRUPT|NOTADB)/, 'ledger-corrupt', 'the ledger is damaged: restore a backup (docs/operations.md)'],
  [/^SQLITE_IOERR|^EIO$/, 'ledger-full', 'the disk refuses to write: check its space and health'],
]

/** A SQLite error as one of the catalogue; anything else is passed on as it is. */
export function asLedgerError(thrown: unknown): unknown {
  const code = (thrown as { code?: unknown } | null)?.code
  if (typeof code !== 'string') return thrown
  const known = codes.find(([pattern]) => pattern.test(code))
  return known ? new ChanopError(known[1], `${known[2]} (${code})`, { cause: thrown }) : thrown
}

/** Whether the file or the disk is at fault, not the statement: nothing of the transaction stands then. */
export const isStorageFault = (thrown: unknown): boolean =>
  thrown instanceof Database.SqliteError && asLedgerError(thrown) !== thrown

export const isBusy = (thrown: unknown): boolean =>
  thrown instanceof Database.SqliteError && thrown.code.startsWith('SQLITE_BUSY')
