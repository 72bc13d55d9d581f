import { isManaged, managedNetworks } from '../../../config/networks.ts'
import type { Config } from '../../../config/schema.ts'
import { ChanopError } from '../../../core/error.ts'
import { type ChannelId, type NetworkId, type Place } from '../../../core/event.ts'
import { placeMeant, Rooms } from '../../../core/rooms.ts'

const form = /^#[A-Za-z0-9][A-Za-z0-9_.+-]{0,62}$/

/**
 * The channel somebody means: `#name` of this network, or of the one we run when this is none; or `network:#name`.
 * Lower case. Throws what to do.
 */
export function channelMeant(config: Config, near: NetworkId, written: string): Place {
  const network = isManaged(config, near) ? near : (managedNetworks(config)[0] ?? near)
  const place = placeMeant(written.includes(':') ? written : `${network}:${written}`, network, config.networks)
  if (!place || !isManaged(config, place.network)) {
    const ours = managedNetworks(config).join(', ')
    throw new ChanopError('unsupported', `channels are kept on the networks we run (${ours || 'none here'}) alone`)
  }
  if (!form.test(place.channel)) {
    throw new ChanopError(
      'usage',
      `'${place.channel.slice(0, 70)}' is no channel: write # and letters, digits, - _ . +`,
    )
  }
  return { network: place.network, channel: place.channel.toLowerCase() as ChannelId }
}

/** Channels that the configuration names: they are there as long as it does. */
export function configured(config: Config, network: string): ChannelId[] {
  const own = (config.networks[network] as { channels?: readonly string[] } | undefined)?.channels ?? []
  const placed = new Rooms(config.rooms).onNetwork(network).map(place => place.channel as string)
  const channels = [...own, ...placed].filter(channel => channel.startsWith('#')).map(channel => channel.toLowerCase())
  return [...new Set(channels)] as ChannelId[]
}
