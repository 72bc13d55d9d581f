import type { BotContext } from '../../core/bot.ts'
import type { NetworkId, Place } from '../../core/event.ts'
import { parsePlace, text as plainText } from '../../core/event.ts'
import type { Db } from '../../core/ledger/sqlite.ts'
import { Rooms, type RoomsConfig } from '../../core/rooms.ts'
import { say } from '../../core/say.ts'

interface Spoken {
  readonly rooms: RoomsConfig
  readonly networks: Readonly<Record<string, object>>
}

/**
 * The places somebody means: a room by name, `network:channel`, or a channel of the network where it was asked; with all
 * places of its room. None: there is no such room or network, or it is a direct conversation.
 */
export function sayIn({ rooms, networks }: Spoken, where: string, near: NetworkId): Place[] {
  const known = new Rooms(rooms)
  const named = known.named(where)
  if (named) return [...named.places]
  const written = /^[#&+!]/.test(where) ? parsePlace(`${near}:${where}`) : parsePlace(where)
  if (!written || !Object.hasOwn(networks, written.network) || written.channel.startsWith('@')) return []
  return known.with(written)
}

/** Says what a person wrote, as it is: no marks are read into it. Part of a command's effect. */
export function announce(db: Db, context: BotContext, places: readonly Place[], text: string, key: string): void {
  const room = new Rooms((context.settings.current as { rooms: RoomsConfig }).rooms).of(places[0] as Place)?.name
  say(db, { bot: context.name, content: plainText(text), places, room, key }, Date.now())
}
