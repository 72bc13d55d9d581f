import type { BotContext } from '../../core/bot.ts'
import type { NetworkId, Place } from '../../core/event.ts'
import { parsePlace, text as plainText } from '../../core/event.ts'
import type { Db } from '../../core/ledger/sqlite.ts'
import { Rooms, type RoomsConfig } from '../../core/rooms.ts'
import { say } from '../../core/say.ts'

/** The places somebody means: a room by name, `network:channel`, or a channel of the network where it was asked. */
export function sayIn(rooms: RoomsConfig, where: string, near: NetworkId): Place[] {
  const known = new Rooms(rooms)
  const named = known.named(where)
  if (named) return [...named.places]
  const written = where.startsWith('#') ? parsePlace(`${near}:${where}`) : parsePlace(where)
  return written && known.of(written) ? known.with(written) : written && where.includes(':') ? [written] : []
}

/** Says what a person wrote, as it is: no marks are read into it. Part of a command's effect. */
export function announce(db: Db, context: BotContext, places: readonly Place[], text: string, key: string): void {
  const room = new Rooms((context.settings.current as { rooms: RoomsConfig }).rooms).of(places[0] as Place)?.name
  say(db, { bot: context.name, content: plainText(text), places, room, key }, Date.now())
}
