import type { configSchema } from '../../config/schema.ts'
import type { BotContext } from '../../core/bot.ts'
import { directly, type Place, text } from '../../core/event.ts'
import { ownerAccounts } from '../../core/ledger/roles.ts'
import type { Db } from '../../core/ledger/sqlite.ts'
import { Rooms } from '../../core/rooms.ts'
import { say } from '../../core/say.ts'

const opsRoom = 'ops'

/** Tells the operators, in the room `ops`; where there is none, each owner privately. Once for each `key`, for ever. */
export function tellOps(db: Db, context: BotContext<typeof configSchema>, line: string, key: string): void {
  const room = new Rooms(context.settings.current.rooms).named(opsRoom)
  const tell = (places: readonly Place[], named: string | undefined, under: string): void => {
    say(db, { bot: context.name, content: text(line), places, room: named, key: under }, Date.now())
  }
  if (room) return tell(room.places, room.name, key)
  for (const { network, user } of ownerAccounts(db)) tell([directly(network, user)], undefined, `${key}.${user}`)
}
