import type { configSchema } from '../../config/schema.ts'
import type { BotContext } from '../../core/bot.ts'
import { nowhere, text, type UserId } from '../../core/event.ts'
import { ownerAccounts } from '../../core/ledger/roles.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import { type Hall, loneRoom } from '../../core/rooms.ts'
import { say } from '../../core/say.ts'

const opsRoom = 'ops'

/** Tells the operators, in the room `ops`; where there is none, each owner privately. Once for each `key`, for ever. */
export function tellOps(tx: Tx, context: BotContext<typeof configSchema>, line: string, key: string): void {
  const tell = (hall: Hall, under: string, only?: UserId): void => {
    const to = only === undefined ? { in: hall } : { in: hall, only }
    say(tx, { bot: context.name, content: text(line), ...to, key: under }, Date.now())
  }
  const room = context.rooms.named(opsRoom)
  if (room) return tell(room, key)
  for (const { network, user } of ownerAccounts(tx)) tell(loneRoom(nowhere(network)), `${key}.${user}`, user)
}
