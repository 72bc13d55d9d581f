import Database from 'better-sqlite3'
import { ChanopError } from '../error.ts'
import { asLedgerError, isBusy } from './fault.ts'
import type { Tx } from './tx.ts'

/** An open file. */
export type Connection = Database.Database & Tx
export type Row = Record<string, string | number | bigint | Buffer | null>

const statements = new WeakMap<Tx, Map<string, Database.Statement>>()

/** The prepared statement of `text`, made once for each connection. */
export function sql(tx: Tx, text: string): Database.Statement<unknown[], Row> {
  let known = statements.get(tx)
  if (!known) statements.set(tx, (known = new Map()))
  let statement = known.get(text)
  if (!statement) known.set(text, (statement = (tx as Connection).prepare(text)))
  return statement as Database.Statement<unknown[], Row>
}

/** For so long a process waits for another one's transaction. */
export const busyMs = 3000

const pause = new Int32Array(new SharedArrayBuffer(4))

/** Blocks this thread. */
export const standStill = (delayMs: number): void => void Atomics.wait(pause, 0, 0, delayMs)

/** SQLite does not wait by itself here: of several processes that open a new file at once, all but one are turned away. */
function useWal(db: Connection): void {
  const endMs = Date.now() + busyMs
  for (;;) {
    try {
      db.pragma('journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || Date.now() > endMs) throw error
      standStill(10)
    }
  }
}

/** Opens a connection the way every process of Chanop does: WAL, fsync at each commit, foreign keys. */
export function connect(path: string, options: { readonly?: boolean } = {}): Connection {
  let db: Connection | undefined
  try {
    db = new Database(path, { readonly: options.readonly ?? false, timeout: busyMs }) as Connection
    if (!options.readonly) useWal(db)
    db.pragma('synchronous = FULL')
    db.pragma('foreign_keys = ON')
    // What is wiped is gone from the file too.
    db.pragma('secure_delete = ON')
    db.pragma('cache_size = -16000')
    db.pragma('temp_store = MEMORY')
    return db
  } catch (error) {
    db?.close()
    throw asLedgerError(error)
  }
}

/** Brings a database up to the newest of `steps`. A database that is newer than `steps` is refused. */
export function migrate(db: Connection, steps: readonly string[]): void {
  const version = (): number => Number(db.pragma('user_version', { simple: true }))
  if (version() > steps.length) {
    throw new ChanopError(
      'ledger-newer',
      `the ledger has schema ${version()}, this release knows ${steps.length}: run the newer release`,
    )
  }
  while (version() < steps.length) {
    db.transaction(() => {
      const at = version()
      if (at >= steps.length) return
      db.exec(steps[at] as string)
      db.pragma(`user_version = ${at + 1}`)
    }).immediate()
  }
}
