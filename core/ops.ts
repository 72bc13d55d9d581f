import { nowhere, text, type UserId } from './event.ts'
import { ownerAccounts } from './ledger/people/roles.ts'
import type { Tx } from './ledger/tx.ts'
import { type Hall, loneRoom, type Rooms } from './rooms.ts'
import { say } from './say.ts'

const opsRoom = 'ops'

/** Who tells, with the rooms of the configuration: a bot's context is one. */
interface Teller {
  readonly name: string
  readonly rooms: Pick<Rooms, 'named'>
}

/**
 * Tells the operators, in the room `ops`; where there is none, each owner privately, on the networks that `reaches` allows.
 * Once for each `key`, for ever.
 */
export function tellOps(
  tx: Tx,
  context: Teller,
  line: string,
  key: string,
  reaches: (network: string) => boolean = () => true,
): void {
  const tell = (hall: Hall, under: string, only?: UserId): void => {
    const to = only === undefined ? { in: hall } : { in: hall, only }
    say(tx, { bot: context.name, content: text(line), ...to, key: under }, Date.now())
  }
  const room = context.rooms.named(opsRoom)
  if (room) return tell(room, key)
  const owners = ownerAccounts(tx).filter(({ network }) => reaches(network))
  for (const { network, user } of owners) tell(loneRoom(nowhere(network)), `${key}.${user}`, user)
}
