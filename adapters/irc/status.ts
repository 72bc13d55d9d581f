import type { Accounts, LoginLock, NetworkStatus } from '../../core/adapter.ts'
import { lacksOf } from './abilities.ts'
import type { Channels } from './channels.ts'
import type { Face } from './people/faces.ts'

interface Parts {
  readonly main: Face
  readonly faces: readonly Face[]
  readonly channels: Channels
  readonly accounts: Accounts | undefined
  readonly locks: readonly LoginLock[]
}

/** How this network is: by its main connection, with what else is amiss. `address`: where others connect to a server we run. */
export function statusOf(
  { main, faces, channels, accounts, locks }: Parts,
  address: Pick<NetworkStatus, 'address' | 'fingerprint'>,
): NetworkStatus {
  const { open: voice, fault, sinceMs } = main
  const aheadMs = voice?.session.clock.aheadMs ?? 0
  const down = faces.filter(face => !face.open && face.fault)
  const reasons = [
    ...(voice || !fault
      ? []
      : [`${fault.reason}${fault.permanent ? '; correct the account or its password' : ''}; trying again`]),
    ...(voice ? down.map(face => `${face.bot} is not connected: ${face.fault?.reason}`) : []),
    ...(accounts?.fault ? [accounts.fault] : []),
    ...[main, ...faces].flatMap(renamedLine),
  ]
  return {
    state: voice ? 'up' : fault ? 'down' : 'connecting',
    sinceMs,
    ...(voice ? { server: voice.session.server } : {}),
    ...(voice && aheadMs !== 0 ? { aheadMs } : {}),
    ...(channels.troubles.all.length > 0 ? { troubles: channels.troubles.all } : {}),
    ...(locks.length > 0 ? { locks } : {}),
    ...address,
    ...(reasons.length === 0 ? {} : { reason: reasons.join(' · ') }),
    lacks: voice ? lacksOf(voice.session, channels.past.replays) : [],
  }
}

/** Another nick than its own is said: people write to that of the configuration. */
const renamedLine = ({ nick, otherNick }: Face): string[] =>
  otherNick === null ? [] : [`known as ${otherNick}: the nick ${nick} can not be had, which is asked for again`]
