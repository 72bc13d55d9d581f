import type { Trouble } from '../../core/adapter.ts'
import type { StoredStatus } from '../../core/ledger/networks.ts'
import { duration } from '../../core/text.ts'
import type { AdminServices } from './services.ts'

/** After this long without a heartbeat a bot counts as silent. */
export const silentMs = 3500

/** Whether what is known of the networks is old: the bridge, which tells it, is silent. */
export function bridgeSilent({ context, beats, startedMs }: AdminServices, nowMs: number): boolean {
  if (!context.bus.up || nowMs - startedMs < silentMs) return false
  return nowMs - (beats.get('bridge')?.atMs ?? 0) > silentMs
}

/** `clock 61 s behind`: a network's, where it is not ours. */
function clockLine(aheadMs = 0): string {
  if (aheadMs === 0) return ''
  const offMs = Math.abs(aheadMs)
  const off = offMs < 120_000 ? `${Math.round(offMs / 1000)} s` : duration(offMs, 2)
  return `clock ${off} ${aheadMs < 0 ? 'behind' : 'ahead'}`
}

/** `#x does not work for 3m: can not join: …` */
const troubleLine = ({ channel, reason, sinceMs }: Trouble, nowMs: number): string =>
  `${channel} does not work for ${duration(Math.max(0, nowMs - sinceMs))}: ${reason}`

const lockedLine = (locks: number): string =>
  locks === 0 ? '' : `${locks === 1 ? 'a login is' : `${locks} logins are`} locked after wrong passwords`

/** `irc up 2h · Ergo 2.19.1`; `old`: nobody has vouched for it lately. */
export function networkLine(status: StoredStatus, nowMs: number, old: boolean): string {
  const { network, state, sinceMs, server, aheadMs, reason, troubles = [], locks = [] } = status
  if (old) return `${network}: unknown, the bridge is silent; it was ${state} when last heard of`
  const parts = [
    `${network} ${state} ${duration(Math.max(0, nowMs - sinceMs))}`,
    server,
    clockLine(aheadMs),
    reason,
    lockedLine(locks.filter(({ untilMs }) => untilMs > nowMs).length),
    ...troubles.map(trouble => troubleLine(trouble, nowMs)),
  ]
  return parts.filter(part => part !== undefined && part !== '').join(' · ')
}
