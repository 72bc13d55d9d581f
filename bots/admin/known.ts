/** Of which rooms an answer of admin's may tell: `knownTo`, for names of rooms and for channels. */

import { knownTo, readerOf } from '../../core/access/visibility.ts'
import type { Place } from '../../core/event.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import type { Context } from './services.ts'

export interface Known {
  /** A room of the configuration, or one that was there once. */
  room(name: string): boolean
  place(where: { readonly network: string; readonly channel: string }): boolean
}

export function known(tx: Tx, context: Context, reply: 'public' | 'private'): Known {
  const { rooms } = context.services.context
  const knows = knownTo(tx, readerOf(context, reply), rooms, context.atMs)
  return {
    room: name => knows(rooms.named(name) ?? { name, places: [] }),
    place: where => knows(rooms.from(where as Place)),
  }
}
