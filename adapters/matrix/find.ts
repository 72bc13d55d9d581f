import type { MessageId } from '../../core/event.ts'
import type { Wire } from './link/wire.ts'
import { markOf } from './native.ts'
import { pagesBack } from './past.ts'

/** How far back a lost delivery is looked for. */
const mostEvents = 3000
export interface Wanted {
  /** Where it may stand, the likeliest first. */
  readonly rooms: readonly string[]
  readonly me: string
  readonly instance: string
  readonly deliveryId: string
}

export interface FoundParts {
  readonly room: string
  /** By their number, from 0, in order. */
  readonly parts: ReadonlyMap<number, MessageId>
  readonly ids: readonly MessageId[]
  readonly whole: boolean
  /** All was looked through. */
  readonly ended: boolean
}

/** Looks for our own mark in what is said there, newest first. */
export async function findParts(wire: Wire, wanted: Wanted): Promise<FoundParts> {
  let ended = true
  for (const room of wanted.rooms) {
    const found = await partsIn(wire, room, wanted)
    if (found.parts.size > 0) return found
    ended &&= found.ended
  }
  return { room: '', parts: new Map(), ids: [], whole: false, ended }
}

async function partsIn(wire: Wire, room: string, { me, instance, deliveryId }: Wanted): Promise<FoundParts> {
  const parts = new Map<number, MessageId>()
  let expected = Number.POSITIVE_INFINITY
  let looked = 0
  let ended = true
  for await (const page of pagesBack(wire, room)) {
    for (const { sender, content, event_id: id } of page) {
      const mark = sender === me ? markOf(content) : null
      if (mark?.instance !== instance || mark.delivery !== deliveryId) continue
      expected = mark.parts
      parts.set(mark.part, idOf(content, id))
    }
    looked += page.length
    ended = false
    if (parts.size >= expected || looked >= mostEvents) break
    ended = true
  }
  const sorted = new Map([...parts].sort(([a], [b]) => a - b))
  return { room, parts: sorted, ids: [...sorted.values()], whole: parts.size >= expected, ended }
}

/** An edit is known by the message that it changes. */
function idOf(content: Readonly<Record<string, unknown>>, id: string): MessageId {
  const relation = content['m.relates_to'] as { rel_type?: unknown; event_id?: unknown } | undefined
  return (
    relation?.rel_type === 'm.replace' && typeof relation.event_id === 'string' ? relation.event_id : id
  ) as MessageId
}
