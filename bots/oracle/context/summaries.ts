import { asChanopError } from '../../../core/error.ts'
import type { MessageEvent } from '../../../core/event.ts'
import type { Turn } from '../../../core/ledger/oracle/turns.ts'
import { bySeq, type Stored } from '../../../core/ledger/record/events.ts'
import type { Log } from '../../../core/log.ts'
import type { PromptTools } from './prompt.ts'
import { summarise } from './summary.ts'

/** Makes summaries behind the answers that need them next time: one of a lane at once, and nobody waits for it. */
export class Summaries {
  readonly #tools: PromptTools
  readonly #log: Log
  readonly #signal: AbortSignal
  readonly #underWay = new Set<string>()

  constructor(tools: PromptTools, log: Log, signal: AbortSignal) {
    this.#tools = tools
    this.#log = log
    this.#signal = signal
  }

  make({ lane, asked }: Turn): void {
    if (this.#underWay.has(lane) || this.#signal.aborted) return
    this.#underWay.add(lane)
    const made = this.#tools.ledger
      .read(tx => bySeq(tx, asked) as Stored<MessageEvent>)
      .then(stored => (stored.event.standalone ? undefined : summarise(this.#tools, stored, this.#signal)))
    made
      .catch((error: unknown) => {
        // The next answer tries again; until then the lines are simply left out.
        if (!this.#signal.aborted) this.#log.warn({ error }, `no summary was made: ${asChanopError(error).message}`)
      })
      .finally(() => this.#underWay.delete(lane))
  }
}
