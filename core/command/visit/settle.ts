import { asChanopError, ChanopError } from '../../error.ts'
import { usePending } from '../../ledger/out/confirmations.ts'
import type { Tx } from '../../ledger/tx.ts'
import { wipe } from '../../ledger/wipe.ts'
import { parseInline, plain } from '../../text/text.ts'
import { deliverAnswer } from '../answer.ts'
import { failureLine } from '../failure.ts'
import { withPrefix } from '../help/hint.ts'
import { auditOutcome, type Outcome, onlyLooked } from './outcome.ts'
import type { Asking, RouterOptions } from './visit.ts'

/** Commits what became of a command: answer, effect, orders, audit row and cursor are one transaction. */
export class Settler<S> {
  readonly #o: RouterOptions<S>

  constructor(options: RouterOptions<S>) {
    this.#o = options
  }

  /** `finish` runs in the transaction. An effect that fails is undone, and why is the answer instead. */
  async settle(
    asking: Omit<Asking, 'heard'>,
    outcome: Outcome,
    startedMs: number,
    finish: (db: Tx) => void,
  ): Promise<void> {
    const keep = (what: Outcome): Promise<void> => {
      const work = (tx: Tx): void => {
        this.#keep(tx, asking, what, performance.now() - startedMs)
        finish(tx)
      }
      return this.#o.ledger.write(work, { durable: !onlyLooked(what) })
    }
    try {
      await keep(this.#hinted(outcome))
    } catch (thrown) {
      const line = failureLine(this.#o, outcome.command, asking.caller, thrown)
      await keep({ ...outcome, decision: 'failed', answer: { lines: [line], fault: asChanopError(thrown).code } })
      return
    }
    try {
      await outcome.answer.committed?.()
    } catch (error) {
      this.#o.log.error({ error, command: outcome.command }, 'what follows a command failed; its effect stands')
    }
  }

  /** What is refused is said where nobody knows which prefix holds. */
  #hinted(outcome: Outcome): Outcome {
    if (outcome.decision === 'allowed') return outcome
    const { prefix } = this.#o.settings()
    const { lines = [], ...rest } = outcome.answer
    return { ...outcome, answer: { ...rest, lines: lines.map(line => withPrefix(line, prefix)) } }
  }

  #keep(db: Tx, { stored, caller }: Omit<Asking, 'heard'>, outcome: Outcome, ms: number): void {
    const { bot, vault, roomPlaces, settings, nowMs: clock = Date.now } = this.#o
    const nowMs = clock()
    const { answer, reply, code } = outcome
    if (code !== undefined && outcome.decision === 'allowed' && !usePending(db, code)) {
      throw new ChanopError('conflict', `${code} was used or dropped already`)
    }
    const lines = answer.effect?.(db) ?? answer.lines ?? []
    const tools = { bot, vault, roomPlaces, settings: settings() }
    deliverAnswer(db, tools, { stored, answer: { ...answer, lines }, reply }, nowMs)
    if (outcome.wipe !== undefined) wipe(db, stored.seq, outcome.wipe)
    auditOutcome(
      db,
      { bot, stored, caller, outcome, said: plain({ segments: parseInline(lines[0] ?? '') }), ms },
      nowMs,
    )
  }
}
