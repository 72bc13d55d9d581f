import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { asLedgerError } from '../../../core/ledger/fault.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import type { Stored } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { dayMs } from '../../../core/text/text.ts'
import { type LiveFormatName, liveFormat } from '../record/format.ts'
import { lineOf } from '../record/line.ts'
import { type FileCursor, fitted, loadCursor, movedTo, saveCursor, startOfFiles } from './cursor.ts'
import { folderOf, periodEndMs, periodOf, type Rotation } from './names.ts'
import { type Entry, FilePool, type Target } from './pool.ts'
import { sweep } from './sweep.ts'

export interface FilesConfig {
  readonly format: LiveFormatName
  readonly rotate: Rotation
  /** Where a file ends when `rotate` is `size`. */
  readonly maxMegabytes: number
  readonly keepDays: number
}

export interface LogFilesOptions {
  /** `data/logs`. */
  readonly root: string
  readonly ledger: Ledger
  /** What is configured now; null: no files. Facts of such a time are not written later either. */
  readonly config: () => FilesConfig | null
  /** The fact as it may be kept: secrets masked. */
  readonly keepable: (ledger: Tx, stored: Stored) => Stored
  readonly nowMs?: () => number
}

const syncEveryMs = 1000

/**
 * The live log: `<root>/<network>/<channel>/<period>.<extension>`, never a private place. Every fact is in its file
 * once, whatever dies when: each line carries the fact's number, so that a start finds in the file itself what is
 * there. Lines reach the system with each batch (a killed process loses none) and the disk at least once a second,
 * before the cursor moves (a power cut loses none either).
 */
export class LogFiles {
  readonly #o: LogFilesOptions
  readonly #pool = new FilePool()
  #cursor: FileCursor = startOfFiles
  #savedSeq = 0
  #savedMs = 0
  #work: Promise<void> = Promise.resolve()

  private constructor(options: LogFilesOptions) {
    this.#o = options
  }

  /** Rejects `ledger-full` or `ledger-readonly` when the folder can't be used. */
  static async open(options: LogFilesOptions): Promise<LogFiles> {
    const files = new LogFiles(options)
    try {
      await mkdir(options.root, { recursive: true, mode: 0o700 })
      const cursor = (await loadCursor(files.#cursorPath)) ?? startOfFiles
      files.#cursor = await options.ledger.read(db => fitted(cursor, db))
    } catch (error) {
      throw asLedgerError(error)
    }
    return files
  }

  /** Where to read the ledger on from. Facts before it are in their files; some after it may be as well. */
  get cursor(): number {
    return this.#cursor.seq
  }

  /** Writes a batch. Rejects (disk full, folder not writable) with nothing lost: offer the same batch again. */
  take(batch: readonly Stored[]): Promise<void> {
    return this.#queue(async () => {
      await this.#take(batch)
      if (this.#now() - this.#savedMs >= syncEveryMs) await this.#sync()
    })
  }

  /** Brings what was written to the disk and remembers how far it came. */
  sync(): Promise<void> {
    return this.#queue(() => this.#sync())
  }

  /** Deletes those whose time is over. Returns how many. None is open meanwhile: what is added to a deleted file is nowhere. */
  sweep(keepDays: number): Promise<number> {
    return this.#queue(async () => {
      await this.#pool.close()
      return sweep(this.#o.root, keepDays, this.#now())
    })
  }

  close(): Promise<void> {
    return this.#queue(async () => {
      await this.#sync()
      await this.#pool.close()
    })
  }

  get #cursorPath(): string {
    return join(this.#o.root, '.cursor.json')
  }

  #now(): number {
    return (this.#o.nowMs ?? Date.now)()
  }

  /** One after the other: a sync by the clock and a batch may come at once. */
  #queue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work).catch((error: unknown) => {
      throw asLedgerError(error)
    })
    this.#work = done.then(
      () => undefined,
      () => undefined,
    )
    return done
  }

  async #take(batch: readonly Stored[]): Promise<void> {
    const config = this.#o.config()
    if (config) {
      for (const { target, entries } of await this.#grouped(batch, config)) await this.#pool.write(target, entries)
    }
    const last = batch.at(-1)
    if (last) this.#cursor = movedTo(this.#cursor, { seq: last.seq, key: last.event.key })
  }

  async #sync(): Promise<void> {
    await this.#pool.sync()
    this.#savedMs = this.#now()
    if (this.#cursor.seq === this.#savedSeq) return
    await saveCursor(this.#cursorPath, this.#cursor)
    this.#savedSeq = this.#cursor.seq
  }

  /** The lines of each file, in the order of the facts. */
  async #grouped(batch: readonly Stored[], config: FilesConfig): Promise<{ target: Target; entries: Entry[] }[]> {
    const groups = new Map<string, { target: Target; entries: Entry[] }>()
    await this.#o.ledger.read(db => {
      for (const stored of batch) {
        const target = this.#targetOf(stored, config)
        if (!target) continue
        const key = join(target.folder, target.stem ?? '')
        let group = groups.get(key)
        if (!group) groups.set(key, (group = { target, entries: [] }))
        group.entries.push({ seq: stored.seq, text: target.format.line(lineOf(db, this.#o.keepable(db, stored))) })
      }
    })
    return [...groups.values()]
  }

  /** Null for what is private or too old to be kept. A time that can't be true makes no file of its own. */
  #targetOf({ event, receivedMs }: Stored, { rotate, keepDays, format, maxMegabytes }: FilesConfig): Target | null {
    if (event.place.private) return null
    const suffix = this.#cursor.generation > 0 ? `-r${this.#cursor.generation}` : ''
    const target = { folder: folderOf(this.#o.root, event.place), suffix, format: liveFormat(format) }
    if (rotate === 'size') return { ...target, stem: null, limitBytes: maxMegabytes * 1_000_000 }
    const sane = event.atMs > 0 && event.atMs < receivedMs + dayMs
    const period = periodOf(rotate, sane ? event.atMs : receivedMs)
    if ((periodEndMs(period) ?? 0) < this.#now() - keepDays * dayMs) return null
    return { ...target, stem: period + suffix, limitBytes: Number.POSITIVE_INFINITY }
  }
}
