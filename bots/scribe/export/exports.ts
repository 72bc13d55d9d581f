import { ChanopError } from '../../../core/error.ts'
import { openToRead } from '../../../core/ledger/record/reading.ts'
import { type Exported, type ExportRequest, exportTo } from './export.ts'

export interface Running {
  readonly done: Promise<Exported>
  /** How much of the ledger has been looked through, 0 to 1. */
  readonly share: () => number
}

/** Exports asked for in chat: one at a time, each on a connection of its own that only reads. */
export class Exports {
  readonly #ledgerPath: string
  readonly #signal: AbortSignal
  #running: Promise<unknown> | null = null

  /** `signal` stops what is under way: the process ends. */
  constructor(ledgerPath: string, signal: AbortSignal) {
    this.#ledgerPath = ledgerPath
    this.#signal = signal
  }

  /** Throws `conflict` while another one is under way. */
  start(request: Omit<ExportRequest, 'progress'>): Running {
    if (this.#running) throw new ChanopError('conflict', 'another export is under way: wait until it has ended')
    let share = 0
    const done = this.#run({ ...request, progress: now => (share = now) })
    this.#running = done
    const over = (): void => {
      this.#running = null
    }
    done.then(over, over)
    return { done, share: () => share }
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    await this.#running?.catch(() => undefined)
  }

  async #run(request: ExportRequest): Promise<Exported> {
    using reading = openToRead(this.#ledgerPath)
    return await exportTo(reading.tx, request, this.#signal)
  }
}
