import type { CommandContext } from '../../../core/command/command.ts'
import { reasonOf } from '../../../core/config/fault.ts'
import { schemaAt } from '../../../core/config/schema.ts'
import { ChanopError } from '../../../core/error.ts'
import { formatPlace, type NetworkId, type Place, parsePlace } from '../../../core/event.ts'
import { storeSetting } from '../../../core/ledger/settings/settings.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { placeMeant as meant } from '../../../core/rooms.ts'
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

/** The same for a place that is to be in a room: its kind says what a channel there is called. Throws `usage`. */
export function channelMeant(context: Context, asked: string): Place {
  const place = placeMeant(context, asked)
  const section = context.services.bridge.context.settings.current.networks[place.network] as Section
  const list = schemaAt(kindOf(section).schema, ['channels'], section)
  const issue = list && def(list).element?.safeParse(place.channel).error?.issues[0]
  if (!issue) return place
  throw new ChanopError('usage', `${asked.slice(0, 80)} ${reasonOf(issue, place.channel)}`)
}

/** A setting, still as it is now, that takes effect in all bots: stored with the answer, told once that is committed. */
export function changing({ services, caller, atMs }: Context, changes: Readonly<Record<string, unknown>>) {
  const { settings, bus } = services.bridge.context
  const by = caller.person?.name ?? caller.account
  const seen = settings.current
  for (const [key, value] of Object.entries(changes)) settings.check(key, value)
  return {
    effect: (db: Tx): void => {
      settings.demandSame(db, seen, Object.keys(changes))
      for (const [key, value] of Object.entries(changes)) storeSetting(db, key, value, by, atMs)
    },
    committed: async (): Promise<void> => {
      await settings.reload()
      bus.signal('settings', { by })
    },
  }
}

/** The channels a network is configured to be in, if its kind has such a list. */
export function channelsOf({ services }: Context, network: NetworkId): string[] {
  const config = services.bridge.context.settings.current.networks[network] as
    | { channels?: readonly string[] }
    | undefined
  return [...(config?.channels ?? [])]
}

export const written = (place: Place): string => formatPlace(place)
