import type { ChatEvent } from '../../../core/event.ts'
import type { Stored } from '../../../core/ledger/events.ts'
import { type Db, type Row, sql } from '../../../core/ledger/sqlite.ts'
import { judge, type Seen, type State, type Thresholds } from './state.ts'

/** What was last seen of somebody. */
interface Sight {
  readonly network: string
  readonly user: string
  readonly name: string
  readonly channel: string
  readonly what: string
  readonly atMs: number
}

/** An agent and how it is. */
export interface Standing extends Seen {
  readonly network: string
  readonly name: string
  readonly channel: string
  /** It left because a part of the network went away. */
  readonly split: boolean
}

export interface Look {
  /** Those of networks that are up. */
  readonly agents: readonly Standing[]
  /** All that are engaged, as `network:name`. */
  readonly engaged: ReadonlySet<string>
  /** When time alone changes something; null: never. */
  readonly nextMs: number | null
}

const keyOf = (network: string, user: string): string => `${network}\n${user}`

const whatOf = (event: ChatEvent): string => {
  if (event.kind !== 'member') return 'message'
  return event.change === 'leave' ? 'leave' : event.change === 'join' ? 'join' : 'message'
}

/**
 * Who is there, folded from what is heard. In memory between two writes: a fact costs one entry of a map, whatever it is.
 * Signs without a fact (typing, heartbeats) are noted in the same table by the bridge.
 */
export class Presence {
  readonly #sights = new Map<string, Sight>()
  readonly #beats = new Set<string>()
  readonly #split = new Set<string>()

  saw({ event, receivedMs }: Stored): void {
    const { sender, place } = event
    if (sender.kind === 'self' || event.kind === 'gap') return
    if (event.kind === 'message' && (event.hops ?? 0) > 0) return
    const key = keyOf(place.network, sender.id)
    const atMs = Math.min(event.atMs, receivedMs)
    if (event.kind === 'member' && event.split) this.#split.add(key)
    else this.#split.delete(key)
    if ((this.#sights.get(key)?.atMs ?? 0) > atMs) return
    const channel = place.private ? '' : place.channel
    this.#sights.set(key, {
      network: place.network,
      user: sender.id,
      name: sender.name,
      channel,
      what: whatOf(event),
      atMs,
    })
  }

  get dirty(): boolean {
    return this.#sights.size > 0
  }

  /** Writes what was seen since the last time. States of agents are made by `look`. */
  keep(db: Db): void {
    const write = sql(
      db,
      `INSERT INTO presence (network, user, state, since_ms, seen_ms, channel, what, name)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (network, user)
       DO UPDATE SET seen_ms = excluded.seen_ms, what = excluded.what, name = excluded.name,
       channel = CASE excluded.channel WHEN '' THEN channel ELSE excluded.channel END
       WHERE excluded.seen_ms >= seen_ms`,
    )
    for (const { network, user, name, channel, what, atMs } of this.#sights.values()) {
      write.run(network, user, what === 'leave' ? 'offline' : 'online', atMs, atMs, channel, what, name)
    }
  }

  kept(): void {
    this.#sights.clear()
  }

  /** How every agent of the networks that are up is now, written down where that is new. `keep` comes first. */
  look(db: Db, thresholds: Thresholds, isUp: (network: string) => boolean, nowMs: number): Look {
    const here = membersNow(db)
    const agents: Standing[] = []
    const engaged = new Set<string>()
    let nextMs: number | null = null
    for (const row of sql(db, agentRows).all()) {
      const network = String(row['network'])
      const name = String(row['name'])
      const key = keyOf(network, name)
      engaged.add(`${network}:${name}`)
      const before = seenOf(row)
      if (before?.what === 'heartbeat') this.#beats.add(key)
      if (!isUp(network)) continue
      const evidence = { before, present: here.has(key), beats: this.#beats.has(key) }
      const now = judge(evidence, thresholds, nowMs)
      if (!now) continue
      if (now.nextMs !== null) nextMs = Math.min(nextMs ?? now.nextMs, now.nextMs)
      if (isNew(before, now)) this.#write(db, network, name, now)
      agents.push({ ...now, network, name, channel: String(row['channel'] ?? ''), split: this.#split.has(key) })
    }
    return { agents, engaged, nextMs }
  }

  #write(db: Db, network: string, name: string, now: Seen): void {
    sql(
      db,
      `INSERT INTO presence (network, user, state, since_ms, seen_ms, channel, what, name) VALUES (?, ?, ?, ?, ?, '', ?, ?)
       ON CONFLICT (network, user) DO UPDATE SET state = excluded.state, since_ms = excluded.since_ms,
       seen_ms = max(seen_ms, excluded.seen_ms), what = excluded.what`,
    ).run(network, name, now.state, now.sinceMs, now.seenMs, now.what, name)
  }
}

const agentRows = `SELECT a.network, a.name, p.state, p.since_ms, p.seen_ms, p.what, p.channel FROM agent a
  LEFT JOIN presence p ON p.network = a.network AND p.user = a.name WHERE a.state IN ('active', 'rotating')`

function seenOf(row: Row): Seen | null {
  if (row['state'] === null) return null
  return {
    state: row['state'] as State,
    sinceMs: Number(row['since_ms']),
    seenMs: Number(row['seen_ms']),
    what: String(row['what']),
  }
}

const isNew = (before: Seen | null, now: Seen): boolean =>
  before?.state !== now.state || before.sinceMs !== now.sinceMs || before.seenMs !== now.seenMs

/** Everybody whom a network vouches for and lists in some channel, by `network\nuser`. */
function membersNow(db: Db): Set<string> {
  const rows = sql(
    db,
    `SELECT DISTINCT p.network, m.user FROM member m JOIN place p ON p.id = m.place
     WHERE m.verified = 1 AND p.private = 0`,
  ).all()
  return new Set(rows.map(row => keyOf(String(row['network']), String(row['user']))))
}

/** Forgets those who are no agents and were not seen since a time. */
export const forget = (db: Db, beforeMs: number): number =>
  sql(
    db,
    `DELETE FROM presence WHERE seen_ms < ?
     AND NOT EXISTS (SELECT 1 FROM agent a WHERE a.network = presence.network AND a.name = presence.user)`,
  ).run(beforeMs).changes
