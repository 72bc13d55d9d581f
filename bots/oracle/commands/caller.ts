import { spenderOf } from '../../../core/access/spender.ts'
import type { CommandContext } from '../../../core/command/command.ts'

/** Whose budget a command's request is on, and the room it is booked for. */
export function callerSpends({ caller }: Pick<CommandContext<unknown>, 'caller'>): { room: string; person: string } {
  const { network, account: id, verified, person, agent, room } = caller
  return { room, person: spenderOf(network, { id, verified }, { person, agent }) }
}
