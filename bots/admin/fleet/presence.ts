import { type ChatEvent, saidMs } from '../../../core/event.ts'
import { everyMember } from '../../../core/ledger/people/members.ts'
import {
  agentPresences,
  type Presence as Known,
  noteSighting,
  type Sighting,
  setPresence,
} from '../../../core/ledger/people/presence.ts'
import type { Stored } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { judge, type Thresholds } from './state.ts'

export interface NetworkStatus extends Known {
  readonly network: string
  readonly name: string
  readonly channel: string
  /** It left because a part of the network went away. */
  readonly split: boolean
}

export interface Look {
  /** Those of networks that are up. */
  readonly agents: readonly NetworkStatus[]
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
  readonly #sights = new Map<string, Sighting>()
  readonly #beats = new Set<string>()
  readonly #split = new Set<string>()

  saw({ event, receivedMs }: Stored): void {
    const { sender, place } = event
    if (sender.kind === 'self' || event.kind === 'gap') return
    if (event.kind === 'message' && (event.hops ?? 0) > 0) return
    const key = keyOf(place.network, sender.id)
    const atMs = Math.min(saidMs(event), receivedMs)
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
  keep(tx: Tx): void {
    for (const sighting of this.#sights.values()) noteSighting(tx, sighting)
  }

  kept(): void {
    this.#sights.clear()
  }

  /** How every agent of the networks that are up is now, written down where that is new. `keep` comes first. */
  look(tx: Tx, thresholds: Thresholds, isUp: (network: string) => boolean, nowMs: number): Look {
    const here = new Set(everyMember(tx).map(({ network, user }) => keyOf(network, user)))
    const agents: NetworkStatus[] = []
    const engaged = new Set<string>()
    let nextMs: number | null = null
    for (const { network, name, channel, presence: before } of agentPresences(tx)) {
      const key = keyOf(network, name)
      engaged.add(`${network}:${name}`)
      if (before?.what === 'heartbeat') this.#beats.add(key)
      if (!isUp(network)) continue
      const evidence = { before, present: here.has(key), beats: this.#beats.has(key) }
      const now = judge(evidence, thresholds, nowMs)
      if (!now) continue
      if (now.nextMs !== null) nextMs = Math.min(nextMs ?? now.nextMs, now.nextMs)
      if (isNew(before, now)) setPresence(tx, network, name, now)
      agents.push({ ...now, network, name, channel, split: this.#split.has(key) })
    }
    return { agents, engaged, nextMs }
  }
}

const isNew = (before: Known | null, now: Known): boolean =>
  before?.state !== now.state || before.sinceMs !== now.sinceMs || before.seenMs !== now.seenMs
