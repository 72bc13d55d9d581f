import type { UserId } from '../../../core/event.ts'
import type { NewOrder } from '../../../core/ledger/out/orders.ts'
import type { KeptChannel } from '../../../core/ledger/settings/channels.ts'

type Where = Pick<KeptChannel, 'network' | 'channel'>

/** As many as one order brings: each is a question to the server. */
const broughtAtOnce = 50

/** Makes a channel as it shall be. `mark` makes the key: the same is done once. */
export const keepOrder = (
  { network, channel }: Where,
  { modes, topic }: { readonly modes: string; readonly topic: string },
  mark: string,
): NewOrder => ({
  key: `channel.keep.${network}.${channel}.${mark}`,
  network,
  kind: 'place.keep',
  args: { channel, modes, topic },
})

export const releaseOrder = ({ network, channel }: Where, reason: string, mark: string): NewOrder => ({
  key: `channel.release.${network}.${channel}.${mark}`,
  network,
  kind: 'place.release',
  args: { channel, reason },
})

/** Makes agents enter, if they are connected. */
export function bringOrders({ network, channel }: Where, users: readonly UserId[], mark: string): NewOrder[] {
  const parts: NewOrder[] = []
  for (let at = 0; at < users.length; at += broughtAtOnce) {
    const some = users.slice(at, at + broughtAtOnce)
    const key = `channel.bring.${network}.${channel}.${mark}${at === 0 ? '' : `.${at}`}`
    parts.push({ key, network, kind: 'place.bring', args: { channel, users: some.join(' ') } })
  }
  return parts
}
