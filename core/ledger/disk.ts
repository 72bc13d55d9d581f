import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs'
import { hop } from '../trace.ts'
import { asLedgerError } from './fault.ts'

type Done = () => void

/**
 * Puts the write-ahead log of a database on the disk beside the thread that writes it, which prepares meanwhile what comes next.
 * One round at a time: what is committed during one goes with the next. A round that fails ends the process: what is on the
 * disk is not known then, and no later round would say so.
 */
export class Disk {
  readonly #fd: number
  /** Told at the end of the round under way. */
  #now: Done[] | null = null
  /** Told at the end of the one after it. */
  #next: Done[] | null = null
  #closed = false

  constructor(path: string) {
    // SQLite holds no lock on this file that closing it could drop.
    this.#fd = openSync(`${path}-wal`, 'r')
  }

  /** Something was committed: it is on the disk at the end of the round that begins now, or of the next one. */
  begin(): void {
    if (this.#closed) return
    if (this.#now) this.#next ??= []
    else this.#sync([])
  }

  /** Calls `done` once all that was committed until now is on the disk: at once where it is. */
  after(done: Done): void {
    const round = this.#next ?? this.#now
    if (round) round.push(done)
    else done()
  }

  /** Waits for the disk and tells everyone; nothing is begun any more. */
  close(): void {
    if (this.#closed) return
    fdatasyncSync(this.#fd)
    const [now, next] = [this.#now, this.#next]
    this.#now = this.#next = null
    this.#closed = true
    if (!now) closeSync(this.#fd)
    for (const done of [...(now ?? []), ...(next ?? [])]) done()
  }

  #sync(round: Done[]): void {
    this.#now = round
    fdatasync(this.#fd, error => {
      if (this.#closed) return closeSync(this.#fd)
      if (error) throw asLedgerError(error)
      this.#now = null
      const next = this.#next
      this.#next = null
      hop('committed')
      if (next) this.#sync(next)
      for (const done of round) done()
    })
  }
}
