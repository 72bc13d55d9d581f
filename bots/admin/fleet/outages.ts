import { getMeta, setMeta } from '../../../core/ledger/meta.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { duration, some } from '../../../core/text/text.ts'
import type { Look, NetworkStatus } from './presence.ts'

/** What the alert room is to hear, and what is remembered of it: label → down since, Unix ms. */
export interface Alerts {
  readonly lines: readonly string[]
  readonly told: Readonly<Record<string, number>>
  /** When somebody who is offline now counts as down; null: nobody does. */
  readonly nextMs: number | null
}

export interface AlertRule {
  readonly alertSeconds: number
  /** Since when a network is up: whoever was there before it went down gets the same time to come back. */
  readonly upSinceMs: (network: string) => number
}

const metaKey = 'fleet.down'
/** A part of a network that went away takes longer to come back. */
const splitFactor = 10

const labelOf = ({ network, name }: NetworkStatus): string => `${network}:${name}`

/** Who is down and who is back, once for each outage. Pure. */
export function alertsOf(
  { agents, engaged }: Pick<Look, 'agents' | 'engaged'>,
  toldBefore: Readonly<Record<string, number>>,
  { alertSeconds, upSinceMs }: AlertRule,
  nowMs: number,
): Alerts {
  const told = Object.fromEntries(Object.entries(toldBefore).filter(([label]) => engaged.has(label)))
  const down: NetworkStatus[] = []
  const back: { name: string; downMs: number }[] = []
  let nextMs: number | null = null
  for (const agent of agents) {
    const label = labelOf(agent)
    const sinceMs = told[label]
    if (agent.state !== 'offline') {
      if (sinceMs !== undefined) back.push({ name: agent.name, downMs: nowMs - sinceMs })
      delete told[label]
      continue
    }
    if (sinceMs !== undefined) continue
    const graceMs = alertSeconds * 1000 * (agent.split ? splitFactor : 1)
    const dueMs = Math.max(agent.sinceMs, upSinceMs(agent.network)) + graceMs
    if (nowMs < dueMs) nextMs = Math.min(nextMs ?? dueMs, dueMs)
    else {
      told[label] = agent.sinceMs
      down.push(agent)
    }
  }
  return { lines: [...downLines(down, nowMs), ...backLines(back)], told, nextMs }
}

function downLines(down: readonly NetworkStatus[], nowMs: number): string[] {
  const [only] = down
  if (!only) return []
  if (down.length > 1) return [`${down.length} agents are down: ${some(down.map(({ name }) => name))}`]
  const where = only.channel === '' ? '' : ` in ${only.channel}`
  return [`${only.name} is down for ${duration(nowMs - only.sinceMs, 2)}; last seen${where}`]
}

function backLines(back: readonly { readonly name: string; readonly downMs: number }[]): string[] {
  const [only] = back
  if (!only) return []
  if (back.length === 1) return [`${only.name} is back after ${duration(only.downMs, 2)}`]
  return [`${back.length} agents are back: ${some(back.map(({ name }) => name))}`]
}

export const toldOf = (db: Tx): Record<string, number> =>
  JSON.parse(getMeta(db, metaKey) ?? '{}') as Record<string, number>

/** In the transaction that says it. */
export const keepTold = (db: Tx, told: Readonly<Record<string, number>>): void =>
  setMeta(db, metaKey, JSON.stringify(told))
