import { knownTo, visibleTo as readable, type Visible } from '../../../core/access/visibility.ts'
import type { CommandContext } from '../../../core/command/command.ts'
import { ChanopError } from '../../../core/error.ts'
import { formatPlace } from '../../../core/event.ts'
import { after } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { namesOf, type Room } from '../../../core/rooms.ts'
import { isDamage } from '../index/index.ts'
import type { ScribeServices } from '../services.ts'

export type Context = CommandContext<ScribeServices>

/** What the asker may be shown where they ask; or, with `asker`, to them alone. */
export function visibleTo(tx: Tx, context: Context, audience: 'place' | 'asker'): Visible {
  const { caller, event, services, atMs } = context
  const { sender } = event.event
  return readable(tx, { sender, person: caller.person, place: caller.place, audience }, services.rooms, atMs)
}

/** One room of which something may be shown. */
export interface Scope {
  readonly room: Room
  /** Those of the room's names under which there may be facts to show; `maySee` says which. */
  readonly names: readonly string[]
  readonly visible: Visible
  /** Not everybody where it was asked may see the room: the answer goes to the asker alone. */
  readonly reply: 'public' | 'private'
}

/**
 * The room a command is about: the one that was named, else the one it was said in. Throws `not-found` in the same
 * words whether there is no such room or the asker may not see it.
 */
export function scopeOf(tx: Tx, context: Context, word: string | undefined): Scope {
  const { caller, services } = context
  const { rooms } = services
  const room = word === undefined ? rooms.from(caller.place) : rooms.meant(word, caller.place)
  for (const audience of ['place', 'asker'] as const) {
    const visible = visibleTo(tx, context, audience)
    const names = room ? namesShown(room, visible, context) : []
    const reply = audience === 'asker' && !caller.place.private ? 'private' : 'public'
    if (room && names.length > 0) return { room, names, visible, reply }
  }
  // Who may enter it hears so, where nobody else reads it.
  if (room && caller.place.private && isEnterable(tx, context, room))
    throw new ChanopError('not-found', `you are not in ${room.name}: enter it, and ask again`)
  throw new ChanopError('not-found', `no room '${word ?? caller.room}' that you can see; !rooms lists them`)
}

function isEnterable(tx: Tx, { caller, event, services, atMs }: Context, room: Room): boolean {
  const { person, place } = caller
  return knownTo(tx, { sender: event.event.sender, person, place, audience: 'asker' }, services.rooms, atMs)(room)
}

function namesShown(room: Room, visible: Visible, { caller }: Context): string[] {
  const own = caller.place.private && room.name === formatPlace(caller.place)
  if (own) return visible.direct === null ? [] : [room.name]
  return namesOf(room).filter(name => visible.all || visible.rooms.has(name))
}

const mostBehind = 1000

/** Reads the index after it has taken in what was said up to now, unless that would take long. Throws `conflict`. */
export async function indexed<T>({ services, ledger }: Context, read: (tx: Tx) => T | Promise<T>): Promise<T> {
  const { index } = services
  return ledger.read(async db => {
    try {
      if (ledger.newestSeq() - index.cursor <= mostBehind) index.take(db, after(db, index.cursor, mostBehind))
      return await read(db)
    } catch (error) {
      if (!isDamage(error)) throw error
      services.fault(error)
      index.remake()
      throw new ChanopError('conflict', 'the search index was damaged and is being made anew: ask again in a while')
    }
  })
}
