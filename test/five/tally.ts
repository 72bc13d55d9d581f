/** Compares what was said on each side with what the ledger has and what stands on all others. */
import type { Fact } from '../kill/record.ts'
import type { Blow } from './breaks.ts'

/** What one side shows of ours, oldest first. */
export type Shown = ReadonlyMap<string, readonly string[]>

export interface Case {
  /** Tokens by network, as they were said. */
  readonly said: ReadonlyMap<string, readonly string[]>
  readonly facts: readonly Fact<string>[]
  /** Texts by network. */
  readonly shown: Shown
  readonly blows: readonly Blow[]
  /** When the first message was said, as epoch milliseconds. */
  readonly beganMs: number
}

export interface Finding {
  readonly what: 'lost' | 'doubled' | 'labelled' | 'disordered'
  readonly token: string
  readonly why: string
}

export interface Verdict {
  readonly findings: readonly Finding[]
  readonly said: number
  readonly recorded: number
  /** Messages of others that stand there, by network. */
  readonly seen: Readonly<Record<string, number>>
  /** Copies that say that they may be a repeat, by network. */
  readonly labelled: Readonly<Record<string, number>>
  /** What stands there and is no copy of what was said. */
  readonly others: readonly string[]
}

const tokenIn = /\bk:([a-z]+:\d+\.\d+)(?!\d)/
const label = '(may be a repeat)'
/** The one platform that can be asked for nothing. */
const mayLabel = 'tg'
/** What an IRC server replays on a JOIN proves nothing of what was made sooner after its first line: clocks are no closer. */
const young = { network: 'irc', ms: 5_000 }

interface Sighting {
  readonly token: string
  readonly repeat: boolean
}

const sightings = (texts: readonly string[]): Sighting[] =>
  texts.flatMap(text => {
    const token = tokenIn.exec(text)?.[1]
    return token === undefined ? [] : [{ token, repeat: text.includes(label) }]
  })

export function tally({ said, facts, shown, beganMs }: Case): Verdict {
  const findings: Finding[] = []
  const find = (what: Finding['what'], token: string, why: string): void => void findings.push({ what, token, why })
  const recorded = Map.groupBy(facts, ({ token }) => token)
  const mayRepeat = (token: string, to: string): boolean =>
    to === mayLabel ||
    (to === young.network && (recorded.get(token) ?? []).some(({ receivedMs }) => receivedMs < beganMs + young.ms))
  for (const token of [...said.values()].flat()) {
    const times = recorded.get(token)?.length ?? 0
    if (times === 0) find('lost', token, 'not in the ledger')
    if (times > 1) find('doubled', token, `${times} times in the ledger`)
  }
  for (const [to, texts] of shown) {
    const seen = Map.groupBy(sightings(texts), ({ token }) => token)
    for (const [from, tokens] of said) {
      if (from === to) continue
      for (const token of tokens) {
        const copies = seen.get(token) ?? []
        const plain = copies.filter(({ repeat }) => !repeat).length
        if (copies.length === 0) find('lost', token, `never seen on ${to}`)
        if (plain > 1) find('doubled', token, `${plain} times on ${to}`)
        if (plain < copies.length && !mayRepeat(token, to)) find('labelled', token, `${to} could have been asked`)
      }
      disorders([...seen.keys()], tokens).forEach(token => find('disordered', token, `on ${to}, after a later one`))
    }
  }
  const byNetwork = (count: (texts: readonly string[]) => number): Record<string, number> =>
    Object.fromEntries([...shown].map(([network, texts]) => [network, count(texts)]))
  return {
    findings,
    said: [...said.values()].flat().length,
    recorded: recorded.size,
    seen: byNetwork(texts => new Set(sightings(texts).map(({ token }) => token)).size),
    labelled: byNetwork(texts => sightings(texts).filter(({ repeat }) => repeat).length),
    others: [...shown].flatMap(([network, texts]) =>
      texts.filter(text => !tokenIn.test(text)).map(text => `${network}: ${text}`),
    ),
  }
}

/** Which of one speaker's messages came after a later one of the same. */
function disorders(order: readonly string[], tokens: readonly string[]): string[] {
  const place = new Map(tokens.map((token, at) => [token, at]))
  let newest = -1
  return order.filter(token => {
    const at = place.get(token)
    if (at === undefined) return false
    if (at < newest) return true
    newest = at
    return false
  })
}

/** All that is known of one message, for a person to read. */
export function evidence({ facts, shown, blows }: Case, token: string): string {
  const rows = facts.filter(fact => fact.token === token)
  const times = rows.flatMap(({ receivedMs, copies }) => [receivedMs, ...copies.map(copy => copy.settledMs ?? 0)])
  const near = blows.filter(({ atMs }) => times.some(at => Math.abs(at - atMs) < 5000))
  const line = (what: string, row: unknown): string => `    ${what.padEnd(8)}${JSON.stringify(row)}`
  return [
    ...rows.flatMap(({ copies, ...fact }) => [line('ledger', fact), ...copies.map(copy => line('copy', copy))]),
    ...[...shown].flatMap(([network, texts]) =>
      texts.filter(text => tokenIn.exec(text)?.[1] === token).map(text => line('seen', { network, text })),
    ),
    ...near.map(blow => line('blow', blow)),
  ].join('\n')
}
