import type { CommandContext } from '../../../core/command/command.ts'
import { reasonOf } from '../../../core/config/fault.ts'
import { schemaAt } from '../../../core/config/schema.ts'
import { ChanopError } from '../../../core/error.ts'
import { formatPlace, type NetworkId, type Place, parsePlace } from '../../../core/event.ts'
import { placeMeant as meant } from '../../../core/rooms.ts'
import { type Changes, changing as changingIn } from '../../../core/settings/settings-changing.ts'
import { nearest } from '../../../core/text/nearest.ts'
import { def } from '../../../core/zod.ts'
import { kindOf, type Section } from '../networks/setup.ts'
import type { BridgeServices } from '../services.ts'

type Context = CommandContext<BridgeServices>

/** The place somebody means: `network:channel`, or a channel of the network where they ask. Throws `not-found`. */
export function placeMeant({ services, caller }: Context, written: string): Place {
  const { networks } = services.bridge.context.settings.current
  const place = meant(written, caller.network, networks)
  if (place?.channel.startsWith('@'))
    throw new ChanopError('usage', 'a direct conversation is nobody else’s: name a channel')
  if (place) return place
  const wrong = parsePlace(written)
  const near = wrong && nearest(wrong.network, Object.keys(networks))
  const hint = near ? `did you mean ${near}:${wrong.channel}?` : 'write network:channel; !networks lists the networks'
  throw new ChanopError('not-found', `no network for '${written.slice(0, 60)}'; ${hint}`)
}

function channelsSchema({ services }: Context, network: NetworkId): ReturnType<typeof schemaAt> {
  const section = services.bridge.context.settings.current.networks[network] as Section
  return schemaAt(kindOf(section).schema, ['channels'], section)
}

/** The same for a channel that is to be entered. Throws `unsupported` where none can be. */
export function channelToEnter(context: Context, asked: string): Place {
  const place = placeMeant(context, asked)
  if (channelsSchema(context, place.network)) return place
  throw new ChanopError('unsupported', `${place.network} has no channels to enter; !networks lists the networks`)
}

/** The same for a place that is to be in a room: its kind says what a channel there is called. Throws `usage`. */
export function channelMeant(context: Context, asked: string): Place {
  const place = placeMeant(context, asked)
  const list = channelsSchema(context, place.network)
  const issue = list && def(list).element?.safeParse(place.channel).error?.issues[0]
  if (!issue) return place
  throw new ChanopError('usage', `${asked.slice(0, 80)} ${reasonOf(issue, place.channel)}`)
}

/** Settings, checked and still as they are now, that take effect in all bots. */
export function changing({ services: { bridge }, caller, atMs }: Context, changes: Changes) {
  for (const [key, value] of Object.entries(changes)) bridge.context.settings.check(key, value)
  return changingIn({ services: bridge, caller, atMs }, changes)
}

/** The channels a network is configured to be in, if its kind has such a list. */
export function channelsOf({ services }: Context, network: NetworkId): string[] {
  const config = services.bridge.context.settings.current.networks[network] as
    | { channels?: readonly string[] }
    | undefined
  return [...(config?.channels ?? [])]
}

export const written = (place: Place): string => formatPlace(place)
