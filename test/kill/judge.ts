/** Compares what was accepted, what the ledger holds and what was seen on the other side. */
import type { Side } from '../instance.ts'
import type { Blow } from './killer.ts'
import type { Copy, Fact, Gap } from './record.ts'
import type { Attempt, Observer, Sighting } from './stream.ts'

export interface Case {
  readonly attempts: readonly Attempt[]
  readonly facts: readonly Fact[]
  readonly observers: Readonly<Record<Side, Observer>>
  readonly blows: readonly Blow[]
  /** What the record says that it lacks. */
  readonly gaps: readonly Gap[]
  /** The nick under which the bridge listens on each side. */
  readonly bridgeNick: Readonly<Record<Side, string>>
}

export interface Finding {
  readonly what: 'lost' | 'doubled' | 'disordered'
  readonly token: string
  readonly why: string
  /** The other message that it is about. */
  readonly other?: string
}

export interface Verdict {
  readonly findings: readonly Finding[]
  readonly accepted: number
  readonly recorded: number
  readonly delivered: number
  /** Accepted by a server that was killed before it handed the message to us, and not in its history either. */
  readonly diedBefore: readonly string[]
  /** Confirmed to us by a server that was killed before it handed the copy to the observer. */
  readonly diedAfter: readonly string[]
  /** Copies that say themselves that they may be a repeat: those that were one, and the others. */
  readonly labelledRepeats: number
  readonly labelledFirsts: number
}

/** What a server does between the echo to one client and the line to the next takes at most this long, under load. */
const handingMs = 1500
const otherSide = (side: Side): Side => (side === 'irc' ? 'ext' : 'irc')
const serverOf = (side: Side): Blow['target'] => (side === 'irc' ? 'ircd' : 'ext')

export class Judge {
  readonly #case: Case
  readonly #byToken: Map<string, Fact[]>
  readonly #seen: Record<Side, Map<string, Sighting[]>>
  readonly #findings: Finding[] = []
  readonly #diedBefore: string[] = []
  readonly #diedAfter: string[] = []

  constructor(what: Case) {
    this.#case = what
    this.#byToken = Map.groupBy(what.facts, fact => fact.token)
    const grouped = (side: Side) => Map.groupBy(what.observers[side].sightings, ({ token }) => token)
    this.#seen = { irc: grouped('irc'), ext: grouped('ext') }
  }

  async verdict(): Promise<Verdict> {
    const accepted = this.#case.attempts.filter(({ acceptedMs }) => acceptedMs !== null)
    for (const attempt of accepted) await this.#recorded(attempt)
    for (const [token, facts] of this.#byToken) {
      if (facts.length > 1) this.#find('doubled', token, `recorded ${facts.length} times`)
    }
    for (const fact of this.#case.facts) await this.#copied(fact)
    this.#inOrder()
    const copies = this.#case.facts.map(fact => this.#seen[otherSide(fact.from)].get(fact.token) ?? [])
    const repeats = copies.filter(seen => seen.length > 1 && seen.some(({ repeat }) => repeat))
    return {
      findings: this.#findings,
      accepted: accepted.length,
      recorded: this.#case.facts.length,
      delivered: copies.filter(seen => seen.length > 0).length,
      diedBefore: this.#diedBefore,
      diedAfter: this.#diedAfter,
      labelledRepeats: repeats.length,
      labelledFirsts: copies.filter(seen => seen.length === 1 && seen[0]?.repeat).length,
    }
  }

  #find(what: Finding['what'], token: string, why: string, other?: string): void {
    this.#findings.push({ what, token, why, ...(other === undefined ? {} : { other }) })
  }

  /** The end of a server at or after a moment, as far as that belongs to it. */
  #deathAfter(side: Side, atMs: number): Blow | undefined {
    return this.#case.blows.find(({ target, atMs: diedMs }) => target === serverOf(side) && diedMs >= atMs - 100)
  }

  async #recorded(attempt: Attempt): Promise<void> {
    if (this.#byToken.has(attempt.token)) return
    const { side, sentMs, acceptedMs, msgid } = attempt
    const death = this.#deathAfter(side, acceptedMs ?? sentMs)
    const soon = death !== undefined && death.atMs - (acceptedMs ?? sentMs) <= handingMs
    const alone = death !== undefined && this.#bridgeAway(side, sentMs, death.atMs)
    const kept = msgid !== null && (await this.#case.observers[side].remembers(msgid))
    if ((soon || alone || (death !== undefined && this.#isNamed(attempt))) && !kept)
      this.#diedBefore.push(attempt.token)
    else this.#find('lost', attempt.token, kept ? 'not in the ledger; the server still has it' : 'not in the ledger')
  }

  /** Bytes that lay unread when the bridge was killed are gone when its server follows: the record has to say so. */
  #isNamed({ side, sentMs }: Attempt): boolean {
    return this.#case.gaps.some(gap => gap.from === side && sentMs >= gap.fromMs - 1000 && sentMs <= gap.toMs)
  }

  /** Whether the bridge was not in the channel from a message until the death of its server. */
  #bridgeAway(side: Side, fromMs: number, toMs: number): boolean {
    const nick = this.#case.bridgeNick[side]
    const entries = this.#case.observers[side].presence.filter(entry => entry.nick === nick || entry.nick === '*')
    const before = entries.findLast(entry => entry.atMs <= fromMs + 100)
    const meanwhile = entries.some(entry => entry.here && entry.atMs > fromMs + 100 && entry.atMs < toMs - handingMs)
    return before?.here !== true && !meanwhile
  }

  async #copied(fact: Fact): Promise<void> {
    const to = otherSide(fact.from)
    const seen = this.#seen[to].get(fact.token) ?? []
    const copies = fact.copies.filter(copy => copy.to === to)
    if (copies.length !== 1) this.#find('lost', fact.token, `${copies.length} deliveries were made of it`)
    if (seen.filter(({ repeat }) => !repeat).length > 1)
      this.#find('doubled', fact.token, `seen ${seen.length} times on ${to}`)
    if (seen.length > 0) return
    const excused = await Promise.all(copies.map(copy => this.#diedWith(to, copy)))
    if (excused.some(Boolean)) this.#diedAfter.push(fact.token)
    else this.#find('lost', fact.token, `never seen on ${to}`)
  }

  /** The server said that it had the copy and was killed right then. */
  async #diedWith(to: Side, copy: Copy): Promise<boolean> {
    if (copy.state !== 'sent' || copy.settledMs === null) return false
    const death = this.#deathAfter(to, copy.settledMs)
    if (!death || death.atMs - copy.settledMs > handingMs) return false
    for (const id of copy.natives) if (await this.#case.observers[to].remembers(id)) return false
    return true
  }

  #inOrder(): void {
    this.#facts()
    for (const to of ['irc', 'ext'] as const) {
      let newest: Fact | undefined
      for (const token of this.#seen[to].keys()) {
        const fact = this.#byToken.get(token)?.[0]
        if (!fact || fact.from === to) continue
        if (newest && fact.seq < newest.seq)
          this.#find('disordered', token, `seen on ${to} after ${newest.token}`, newest.token)
        else newest = fact
      }
    }
  }

  /** The ledger has what each sender said in the order in which it was said. */
  #facts(): void {
    const newest = new Map<string, number>()
    for (const { token, sender } of this.#case.attempts) {
      const fact = this.#byToken.get(token)?.[0]
      if (!fact) continue
      if (fact.seq < (newest.get(sender) ?? 0)) this.#find('disordered', token, 'recorded before an earlier one')
      else newest.set(sender, fact.seq)
    }
  }

  /** All that is known of one message, for a person to read. */
  evidence(token: string): string {
    const attempt = this.#case.attempts.find(one => one.token === token)
    const facts = this.#byToken.get(token) ?? []
    const times = [attempt?.sentMs, ...facts.map(fact => fact.receivedMs)].filter(at => at !== undefined)
    const near = this.#case.blows.filter(({ atMs }) => times.some(at => Math.abs(at - atMs) < 15_000))
    const seen = (['irc', 'ext'] as const).flatMap(side =>
      (this.#seen[side].get(token) ?? []).map(sighting => ({ side, ...sighting })),
    )
    const shown = (what: string, row: object | undefined): string => `    ${what.padEnd(7)}${JSON.stringify(row)}`
    return [
      shown('said', attempt),
      ...facts.map(fact => shown('ledger', fact)),
      ...seen.map(sighting => shown('seen', sighting)),
      ...near.map(blow => shown('killed', blow)),
    ].join('\n')
  }
}
