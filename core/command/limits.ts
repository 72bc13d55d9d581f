import type { Caller, CommandSettings } from './command.ts'
import { limitKey, RateLimit } from './state/rate.ts'
import { type Outcome, outcomeOf, wiping } from './visit/outcome.ts'
import type { Visit } from './visit/visit.ts'

const mistakes = { perMinute: 5, burst: 5 }

/** How often somebody may ask, and how often in vain. Too much is said once, then there is silence. */
export class Limits {
  readonly #settings: () => CommandSettings
  readonly #rate = new RateLimit()
  readonly #mistakes = new RateLimit()

  constructor(settings: () => CommandSettings) {
    this.#settings = settings
  }

  /** What becomes of a command that comes too soon; null: it may go on. */
  asked<S>({ caller, command, assigned }: Visit<S>, nowMs: number): Outcome | null {
    if (command.urgent) return null
    const settings = this.#settings()
    const key = limitKey(caller)
    const said = this.#rate.ask(key, settings, nowMs)
    if (said === 'go') return null
    const line = `too many commands: go on in ${this.#rate.waitSeconds(key, settings)} s`
    return outcomeOf(said === 'tell' ? line : '', {
      command: command.name,
      args: assigned.masked,
      decision: 'denied',
      result: 'rate-limited',
      fault: 'rate-limited',
      ...wiping(command, assigned),
    })
  }

  mistaken(caller: Caller, outcome: Outcome, nowMs: number): Outcome {
    const key = limitKey(caller)
    const said = this.#mistakes.ask(key, mistakes, nowMs)
    if (said === 'go') return outcome
    const waitSeconds = this.#mistakes.waitSeconds(key, mistakes)
    const line = `too many mistakes: go on in ${waitSeconds} s, ${this.#settings().prefix}help helps`
    return {
      ...outcome,
      result: 'too many mistakes',
      answer: { lines: said === 'tell' ? [line] : [], fault: 'rate-limited' },
    }
  }
}
