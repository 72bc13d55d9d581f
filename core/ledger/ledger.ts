import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { ChanopError } from '../error.ts'
import { Disk } from './disk.ts'
import { asLedgerError, isBusy, isStorageFault } from './fault.ts'
import { bootId, getMeta, setMeta } from './meta.ts'
import { migrations } from './schema.ts'
import { busyMs, type Connection, connect, migrate, sql, standStill } from './sqlite.ts'

/** How often it is looked whether the other process is done. */
const lookMs = 0.1
/** Who wrote nothing for so long writes alone: nothing else of this turn of the event loop is waited for. */
const aloneMs = 5

interface Job {
  readonly run: (db: Connection) => unknown
  readonly resolve: (value: never) => void
  readonly reject: (reason: unknown) => void
  readonly durable: boolean
}

interface Committed {
  /** Tells each job what became of it. */
  readonly settle: readonly (() => void)[]
  /** The newest fact then, for whom it is told; null: nobody, or nothing was committed. */
  readonly seq: number | null
}

export interface LedgerOptions {
  readonly check?: boolean | 'when-due'
  /** Commits are put on the disk beside this thread. Promises resolve then as ever; what this process read of it before is not on the disk yet. */
  readonly aside?: boolean
}

/** Others read for a few ms; who reads for minutes (an export, a backup) is not waited for. */
const readersMs = 500

/**
 * What a process left that a failing disk ended is read from memory, and no later fdatasync would write it: it goes into the file,
 * or this throws. No writer waits for it; what somebody who reads for long does not see yet stays in the log.
 */
function putInFile(db: Connection): void {
  const endMs = performance.now() + readersMs
  for (;;) {
    const [done] = db.pragma('wal_checkpoint(PASSIVE)') as { busy: number; log: number; checkpointed: number }[]
    if (!done || (done.busy === 0 && done.log === done.checkpointed) || performance.now() > endMs) return
    standStill(10)
  }
}

/** Hears the newest sequence number, and whom a commit concerns most: see `Ledger.first`. */
export type CommitListener = (seq: number, first: ReadonlySet<string>) => void

/**
 * The truth: one SQLite file, shared by the bots' processes. All writes of one turn of the event loop are one
 * transaction, fsynced before any of their promises resolve. A write that throws is undone alone; the others stand.
 */
export class Ledger {
  readonly path: string
  readonly #db: Connection
  #jobs: Job[] = []
  #scheduled = false
  #commits = 0
  readonly #written = new Set<() => void>()
  readonly #marked = new Set<() => void>()
  readonly #committed = new Set<CommitListener>()
  readonly #durable = new Set<(ms: number) => void>()
  readonly #disk: Disk | null
  #flushedMs = 0
  #first = new Set<string>()
  #kept: number

  private constructor(path: string, db: Connection, disk: Disk | null) {
    this.path = path
    this.#db = db
    this.#disk = disk
    this.#kept = this.newestSeq()
  }

  /**
   * Opens, checks and migrates. Throws `ledger-*` errors that say what to do. `:memory:` works, for tests. The check reads
   * the whole file (0.3 s for a million messages); `when-due` leaves it out when it held within a day of this boot.
   */
  static open(path: string, options: LedgerOptions = {}): Ledger {
    if (path !== ':memory:') makePrivate(path)
    const db = connect(path)
    let disk: Disk | null = null
    try {
      const check = options.check === 'when-due' ? isDue(db) : options.check
      if (check) verify(db)
      migrate(db, migrations)
      if (check) setMeta(db, 'checked', `${bootId()} ${Date.now()}`)
      if (options.aside) putInFile(db)
      if (options.aside && path !== ':memory:') disk = new Disk(path)
      if (disk) db.pragma('synchronous = NORMAL')
    } catch (error) {
      db.close()
      throw asLedgerError(error)
    }
    db.pragma('busy_timeout = 0')
    return new Ledger(path, db, disk)
  }

  /** Runs `work` against one committed state: what others commit meanwhile it does not see. */
  async read<T>(work: (db: Connection) => T): Promise<T> {
    return this.readNow(work)
  }

  /** As `read`, within the call: for what nothing else may come before. */
  readNow<T>(work: (db: Connection) => T): T {
    const endMs = performance.now() + busyMs
    for (;;) {
      try {
        return this.#looking(work)
      } catch (error) {
        // Only while another process recovers the file after a crash, or closes it as the last one.
        if (!isBusy(error) || performance.now() > endMs) throw asLedgerError(error)
        standStill(lookMs)
      }
    }
  }

  /** One look at the file for all that is asked: without, each statement would lock it and look whether it has changed. */
  #looking<T>(work: (db: Connection) => T): T {
    const db = this.#db
    if (db.inTransaction) return work(db)
    sql(db, 'BEGIN').run()
    try {
      return work(db)
    } finally {
      if (db.inTransaction) sql(db, 'COMMIT').run()
    }
  }

  /**
   * Runs `work` inside the next transaction and resolves with its result once that is on the disk.
   * `work` is synchronous, touches nothing but the database and may be run twice. Not `durable`: committed as by `mark`, for
   * what is simply made again when a power cut takes it; in one turn with something durable it is that too.
   */
  write<T>(work: (db: Connection) => T, { durable = true }: { readonly durable?: boolean } = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#jobs.push({ run: work, resolve: resolve as (value: never) => void, reject, durable })
      if (this.#scheduled) return
      this.#scheduled = true
      const alone = this.#disk !== null && performance.now() - this.#flushedMs > aloneMs
      if (alone) queueMicrotask(() => this.#flush())
      else setImmediate(() => this.#flush())
    })
  }

  /**
   * Commits at once without waiting for the disk: survives the death of this process, not a power cut.
   * Only for marks that a start after a power cut restores by itself (see `rebooted`).
   */
  mark<T>(work: (db: Connection) => T): T {
    let result: T
    try {
      result = this.#unsynced(() => this.#atomically(() => work(this.#db)))
    } catch (error) {
      throw asLedgerError(error)
    }
    for (const listener of this.#marked) listener()
    return result
  }

  #unsynced<T>(work: () => T): T {
    if (this.#disk) return work()
    this.#db.exec('PRAGMA synchronous = NORMAL')
    try {
      return work()
    } finally {
      this.#db.exec('PRAGMA synchronous = FULL')
    }
  }

  /** Calls `listener` after each mark of this process, within the call that makes it. It must not throw, and marks nothing itself. */
  onMark(listener: () => void): () => void {
    this.#marked.add(listener)
    return () => this.#marked.delete(listener)
  }

  /**
   * Calls `listener` after each commit of this process' writes, whether that is on the disk or not: for what can be prepared
   * meanwhile. Nothing of it may leave this process before `whenKept`. It must not throw.
   */
  onWritten(listener: () => void): () => void {
    this.#written.add(listener)
    return () => this.#written.delete(listener)
  }

  /** Calls `done` once all that this process has committed is on the disk, marks apart: within the call where it is. */
  whenKept(done: () => void): void {
    if (this.#disk) this.#disk.after(done)
    else done()
  }

  /** As `whenKept`, for who awaits it. */
  kept(): Promise<void> {
    return new Promise(done => this.whenKept(done))
  }

  /** Calls `listener` after each commit of this process' writes, once on the disk, before their promises resolve. It must not throw. */
  onCommit(listener: CommitListener): () => void {
    this.#committed.add(listener)
    return () => this.#committed.delete(listener)
  }

  /** Calls `listener` with how long each commit took that waited for the disk. It must not throw. */
  onDurable(listener: (ms: number) => void): () => void {
    this.#durable.add(listener)
    return () => this.#durable.delete(listener)
  }

  /** Within the work of a `write`: the bot that should look at this commit before the others do. */
  first(bot: string): void {
    this.#first.add(bot)
  }

  /** Another one after each commit, of whichever process: what was read under the same one is still so. */
  version(): string {
    return `${this.#commits}.${Number(this.readNow(db => sql(db, 'PRAGMA data_version').get()?.['data_version']))}`
  }

  newestSeq(): number {
    return Number(sql(this.#db, 'SELECT coalesce(max(seq), 0) AS seq FROM event').get()?.['seq'])
  }

  /**
   * The newest fact that may leave this process: all that it committed up to there is on the disk. While the disk works it is
   * one from before; `onCommit` says when there is more.
   */
  keptSeq(): number {
    this.#keep(this.newestSeq())
    return this.#kept
  }

  #keep(seq: number): void {
    this.whenKept(() => {
      this.#kept = Math.max(this.#kept, seq)
    })
  }

  /** Who checkpoints: everyone but the bridge, whose commits must not wait for it. */
  autoCheckpoint(pages: number): void {
    this.#db.pragma(`wal_autocheckpoint = ${pages}`)
  }

  /** Copies the write-ahead log into the file without blocking writers. */
  checkpoint(): void {
    this.#db.pragma('wal_checkpoint(PASSIVE)')
  }

  /**
   * Leaves nothing of what was overwritten in the write-ahead log; what is free in the file is zero already
   * (`secure_delete`). False when somebody is reading an older state just now: try again.
   */
  scrub(): boolean {
    const [row] = this.#db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[]
    return row?.busy === 0
  }

  close(): void {
    this.#flush()
    this.#disk?.close()
    this.#db.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #flush(): void {
    this.#scheduled = false
    const jobs = this.#jobs
    if (jobs.length === 0) return
    this.#jobs = []
    const first = new Set<string>()
    this.#first = first
    const durable = jobs.some(job => job.durable)
    const fromMs = performance.now()
    const { settle, seq } = durable ? this.#commit(jobs) : this.#unsynced(() => this.#commit(jobs))
    if (durable) this.#disk?.begin()
    if (durable && seq !== null) this.#keep(seq)
    for (const listener of this.#written) listener()
    this.#flushedMs = performance.now()
    const end = (): void => {
      if (durable) for (const listener of this.#durable) listener(performance.now() - fromMs)
      if (seq !== null) for (const listener of this.#committed) listener(seq, first)
      for (const done of settle) done()
    }
    // What was made ready leaves before anybody hears of it.
    if (durable) this.whenKept(() => queueMicrotask(end))
    else end()
  }

  /** All in one transaction; when one throws, once more with each in a savepoint of its own. */
  #commit(jobs: readonly Job[]): Committed {
    try {
      try {
        return this.#together(() => jobs.map(job => this.#run(job)))
      } catch (error) {
        if (jobs.length === 1 || isStorageFault(error)) throw error
        return this.#together(() => jobs.map(job => this.#runApart(job)))
      }
    } catch (error) {
      const reason = asLedgerError(error)
      return { settle: jobs.map(job => () => job.reject(reason)), seq: null }
    }
  }

  #together(work: () => Committed['settle']): Committed {
    return this.#atomically(() => ({ settle: work(), seq: this.#committed.size > 0 ? this.newestSeq() : null }))
  }

  /** One transaction. The library's own way makes four functions anew for each, which a lone message feels. */
  #atomically<T>(work: () => T): T {
    const db = this.#db
    this.#begin(db)
    try {
      const result = work()
      sql(db, 'COMMIT').run()
      this.#commits++
      return result
    } catch (error) {
      // A fault of the disk may have ended it already.
      if (db.inTransaction) sql(db, 'ROLLBACK').run()
      throw error
    }
  }

  /**
   * Another process' transaction lasts about as long as its fsync. SQLite itself would look again after 1, 2, 5, 10 ms
   * and more: most of a command's time would be such naps.
   */
  #begin(db: Connection): void {
    const endMs = performance.now() + busyMs
    for (;;) {
      try {
        sql(db, 'BEGIN IMMEDIATE').run()
        return
      } catch (error) {
        if (!isBusy(error) || performance.now() > endMs) throw error
        standStill(lookMs)
      }
    }
  }

  #run(job: Job): () => void {
    const value = job.run(this.#db)
    return () => job.resolve(value as never)
  }

  #runApart(job: Job): () => void {
    try {
      return this.#db.transaction(() => this.#run(job))()
    } catch (error) {
      // A fault of the disk may have ended the whole transaction: what would follow must not commit by itself.
      if (isStorageFault(error) || !this.#db.inTransaction) throw error
      return () => job.reject(asLedgerError(error))
    }
  }
}

/** Makes the file for its owner alone before SQLite opens it: the log and the index beside it take over its mode. */
function makePrivate(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    closeSync(openSync(path, 'a', 0o600))
    if ((statSync(path).mode & 0o777) !== 0o600) chmodSync(path, 0o600)
  } catch (error) {
    throw asLedgerError(error)
  }
}

function verify(db: Connection): void {
  const result = String(db.pragma('quick_check(1)', { simple: true }))
  if (result !== 'ok') {
    const detail = result.split('\n').at(-1)?.slice(0, 120)
    throw new ChanopError('ledger-corrupt', `the ledger is damaged (${detail}): restore a backup (docs/operations.md)`)
  }
}

const dayMs = 86_400_000

/** A crash of a process does not damage the file; a power cut or the disk may. */
function isDue(db: Connection): boolean {
  if (Number(db.pragma('user_version', { simple: true })) === 0) return true
  const [boot, atMs] = (getMeta(db, 'checked') ?? '').split(' ')
  return boot !== bootId() || Date.now() - Number(atMs) > dayMs
}
