/**
 * Wrong passwords, counted across connections. A pair of account and address is locked after a few; an account that is
 * guessed at from many addresses, and an address that tries many accounts, are slowed down and never locked, so that nobody
 * can keep somebody else out. Pure: the time comes in.
 */

import type { LoginLock } from '../../../core/adapter.ts'
import { networkOf } from '../../../core/addresses.ts'
import { Recent } from '../../../core/recent.ts'

/** Who logs in: to which account, from where. */
export interface Who {
  readonly account: string
  readonly address: string
}

interface Rule {
  /** So many wrong guesses are too many. */
  readonly most: number
  /** One is forgotten after so long. */
  readonly forgetMs: number
}

export const pairRule: Rule = { most: 5, forgetMs: 300_000 }
export const accountRule: Rule = { most: 20, forgetMs: 60_000 }
export const addressRule: Rule = { most: 30, forgetMs: 10_000 }
export const lockMs = 600_000
/** Whoever guesses at a slowed account waits for all who came before; from a slowed address everybody waits so long. */
export const slowMs = 3000
/** Nobody waits longer: who would is refused. */
const longestWaitMs = 12_000
const mostKept = 20_000

interface Count {
  level: number
  atMs: number
  wrong: number
  sinceMs: number
  untilMs: number
}

export type Verdict = { readonly is: 'locked' } | { readonly is: 'open'; readonly delayMs: number }

/** Names are compared as the servers do, and kept short whatever was sent. */
const keysOf = ({ account, address }: Who): { pair: string; account: string; address: string } => {
  const [name, from] = [account.toLowerCase().slice(0, 64), networkOf(address)]
  return { pair: `${name}\n${from}`, account: `${name}\n`, address: `\n${from}` }
}

/** What is counted together: an account, from an address or its network. */
export const pairOf = (who: Who): string => keysOf(who).pair

export class Guesses {
  readonly #counts = new Recent<string, Count>(mostKept)
  /** Pairs that logged in: never slowed down. */
  readonly #known = new Recent<string, true>(mostKept)
  /** When the next guess at a slowed account has its turn. */
  readonly #turnMs = new Map<string, number>()

  judge(who: Who, nowMs: number): Verdict {
    const keys = keysOf(who)
    if (this.#isOn(keys.pair, nowMs)) return { is: 'locked' }
    if (this.#known.get(keys.pair)) return { is: 'open', delayMs: 0 }
    if (!this.#isOn(keys.account, nowMs)) {
      this.#turnMs.delete(keys.account)
      return { is: 'open', delayMs: this.#isOn(keys.address, nowMs) ? slowMs : 0 }
    }
    const turnMs = Math.max(nowMs, this.#turnMs.get(keys.account) ?? 0) + slowMs
    if (turnMs - nowMs > longestWaitMs) return { is: 'locked' }
    this.#turnMs.set(keys.account, turnMs)
    return { is: 'open', delayMs: turnMs - nowMs }
  }

  /** How many more guesses a pair has now. */
  left(who: Who, nowMs: number): number {
    const count = this.#counts.get(keysOf(who).pair)
    return Math.max(0, pairRule.most - Math.ceil(count ? levelOf(count, pairRule, nowMs) : 0))
  }

  /** True when something is locked or slowed down by it that was not. */
  wrong(who: Who, nowMs: number): boolean {
    const keys = keysOf(who)
    const rules = [
      [keys.pair, pairRule],
      [keys.account, accountRule],
      [keys.address, addressRule],
    ] as const
    return rules.map(([key, rule]) => this.#count(key, rule, nowMs)).includes(true)
  }

  right(who: Who): void {
    const { pair } = keysOf(who)
    this.#known.set(pair, true)
    this.#counts.delete(pair)
  }

  /** Forgets what was counted against an account or an address. Returns how many locks that lifted. */
  lift(what: string, nowMs: number): number {
    const name = what.toLowerCase()
    const isMeant = (key: string): boolean => key.startsWith(`${name}\n`) || key.endsWith(`\n${networkOf(name)}`)
    const lifted = this.locks(nowMs).filter(({ account, address }) => isMeant(`${account}\n${address}`))
    for (const [key] of this.#counts.entries()) if (isMeant(key)) this.#counts.delete(key)
    this.#turnMs.delete(`${name}\n`)
    return lifted.length
  }

  locks(nowMs: number): LoginLock[] {
    const locks: LoginLock[] = []
    for (const [key, { wrong, sinceMs, untilMs }] of this.#counts.entries()) {
      const [account = '', address = ''] = key.split('\n')
      if (untilMs > nowMs) locks.push({ account, address, wrong, sinceMs, untilMs })
    }
    return locks
  }

  #isOn(key: string, nowMs: number): boolean {
    return (this.#counts.get(key)?.untilMs ?? 0) > nowMs
  }

  #count(key: string, rule: Rule, nowMs: number): boolean {
    const before = this.#counts.get(key)
    const level = before ? levelOf(before, rule, nowMs) : 0
    const begun = before && level > 0 ? before : { wrong: 0, sinceMs: nowMs, untilMs: 0 }
    const over = level + 1 > rule.most - 0.5
    const on = begun.untilMs > nowMs
    this.#counts.set(key, {
      level: Math.min(level + 1, rule.most),
      atMs: nowMs,
      wrong: begun.wrong + 1,
      sinceMs: over && !on ? nowMs : begun.sinceMs,
      untilMs: over ? nowMs + lockMs : begun.untilMs,
    })
    return over && !on
  }
}

const levelOf = ({ level, atMs }: Count, { forgetMs }: Rule, nowMs: number): number =>
  Math.max(0, level - (nowMs - atMs) / forgetMs)
