import { knownTo, readerOf } from '../../core/access/visibility.ts'
import type { Trouble } from '../../core/adapter.ts'
import type { ChannelId, NetworkId } from '../../core/event.ts'
import type { StoredStatus } from '../../core/ledger/settings/networks.ts'
import { duration } from '../../core/text/text.ts'
import type { AdminServices, Context } from './services.ts'

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

/** Networks as those who read the answer may know of them: channels that are closed to them are counted, not named. */
export async function tellable(
  asked: Context,
  statuses: readonly StoredStatus[],
  reply: 'public' | 'private',
): Promise<StoredStatus[]> {
  const { rooms } = asked.services.context
  return asked.ledger.read(tx => {
    const knows = knownTo(tx, readerOf(asked, reply), rooms, asked.atMs)
    return statuses.map(status => {
      const { troubles = [] } = status
      const network = status.network as NetworkId
      const shown = troubles.filter(({ channel }) => knows(rooms.from({ network, channel: channel as ChannelId })))
      const hidden = troubles.length - shown.length
      return { ...status, troubles: shown, ...(hidden > 0 ? { hidden } : {}) }
    })
  })
}

/** A network for programs of whomever: whose logins are locked, and from which addresses, is for operators alone. */
export const withoutLogins = <S extends StoredStatus>({ locks: _locks, gone: _gone, ...status }: S) => status

/** `irc up 2h · Ergo 2.19.1`; `old`: nobody has vouched for it lately. */
export function networkLine(status: StoredStatus & { readonly hidden?: number }, nowMs: number, old: boolean): string {
  const { network, state, sinceMs, server, aheadMs, reason, troubles = [], hidden = 0, locks = [] } = status
  if (old) return `${network}: unknown, the bridge is silent; it was ${state} when last heard of`
  const parts = [
    `${network} ${state} ${duration(Math.max(0, nowMs - sinceMs))}`,
    server,
    clockLine(aheadMs),
    reason,
    lockedLine(locks.filter(({ untilMs }) => untilMs > nowMs).length),
    ...troubles.map(trouble => troubleLine(trouble, nowMs)),
    hidden > 0 ? `${hidden} closed channel${hidden === 1 ? ' does' : 's do'} not work` : '',
  ]
  return parts.filter(part => part !== undefined && part !== '').join(' · ')
}
