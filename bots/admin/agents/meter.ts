import type { Rate } from '../../../core/ledger/agents/agents.ts'

export type Verdict = 'fine' | 'warn' | 'mute'

const againMs = 60_000

/** Counts what each agent says: over its rate it is warned, and again within a minute it is to be muted. */
export class Meter {
  readonly #seen = new Map<string, { readonly times: number[]; warnedMs: number }>()

  count(agent: string, rate: Rate, atMs: number): Verdict {
    const seen = this.#seen.get(agent) ?? { times: [], warnedMs: Number.NEGATIVE_INFINITY }
    this.#seen.set(agent, seen)
    seen.times.push(atMs)
    while ((seen.times[0] ?? atMs) <= atMs - rate.perMs) seen.times.shift()
    if (seen.times.length <= rate.count) return 'fine'
    seen.times.length = 0
    if (atMs - seen.warnedMs > againMs) {
      seen.warnedMs = atMs
      return 'warn'
    }
    this.#seen.delete(agent)
    return 'mute'
  }
}
