import type { Context } from '../../config/context.ts'
import { type NetworkId, text as plainText } from '../../core/event.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import { type Hall, placeMeant, type Room } from '../../core/rooms.ts'
import { say } from '../../core/say.ts'

/**
 * The room somebody means by its name, by `network:channel`, or by a channel of the network where it was asked. Null: there
 * is no such room or network, or it is a direct conversation.
 */
export function roomMeant(
  { rooms, settings }: Pick<Context, 'rooms' | 'settings'>,
  where: string,
  near: NetworkId,
): Room | null {
  const named = rooms.named(where)
  if (named) return named
  const place = placeMeant(where, near, settings.current.networks)
  return place && !place.channel.startsWith('@') ? rooms.from(place) : null
}

/** Says what a person wrote, as it is: no marks are read into it. Part of a command's effect. */
export function announce(tx: Tx, { name }: Pick<Context, 'name'>, hall: Hall, text: string, key: string): void {
  say(tx, { bot: name, content: plainText(text), in: hall, key }, Date.now())
}
