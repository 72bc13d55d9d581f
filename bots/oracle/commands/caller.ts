import { spenderOf } from '../../../core/access/spender.ts'
import { knownTo, readerOf } from '../../../core/access/visibility.ts'
import { keyOfAccount } from '../../../core/ledger/settings/api-keys.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Context } from './services.ts'

/** Whose budget a command's request is on, and the room it is booked for. */
export function callerSpends({ caller }: Pick<Context, 'caller'>): { room: string; person: string } {
  const { network, account: id, verified, person, agent, room } = caller
  return { room, person: spenderOf(network, { id, verified }, { person, agent }) }
}

/** The same of a request outside of a turn: what a key asks is booked in its own conversation, and so on its budget wherever it was said. */
export async function callerBooks(context: Context): Promise<{ room: string; person: string }> {
  const { network, account } = context.caller
  const key = await context.ledger.read(tx => keyOfAccount(tx, network, account))
  return { ...callerSpends(context), ...(key ? { room: `${network}:@${account}` } : {}) }
}

const roomMark = 'room:'

/** Whether a scope of spending is told where it was asked: of rooms those that everybody who reads it may know of. */
export function tellable(tx: Tx, context: Context): (scope: string) => boolean {
  const { rooms } = context.services.context
  const knows = knownTo(tx, readerOf(context, 'public'), rooms, context.atMs)
  return scope => {
    if (!scope.startsWith(roomMark)) return true
    const name = scope.slice(roomMark.length)
    return knows(rooms.meant(name) ?? { name, places: [] })
  }
}
