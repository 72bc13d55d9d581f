import { cutAt } from '../../../core/text/cut.ts'
import type { Entity } from '../native.ts'
import type { Rich } from './rich.ts'

/** Of one message, in UTF-16 code units and after entities are taken out. */
export const textUnits = 4096
export const captionUnits = 1024
/** Telegram leaves out what is more. */
const mostEntities = 100

/** The part of a text between two offsets: what began before goes on in it. */
export function slice({ text, entities }: Rich, from: number, to: number): Rich {
  const parts: Entity[] = []
  for (const entity of entities) {
    const start = Math.max(entity.offset, from)
    const end = Math.min(entity.offset + entity.length, to)
    if (start < end) parts.push({ ...entity, offset: start - from, length: end - start })
  }
  return { text: text.slice(from, to), entities: parts }
}

/** Without the spaces at the ends, which Telegram takes away: what is left of nothing is nothing. */
export function trimmed(rich: Rich): Rich {
  const from = rich.text.length - rich.text.trimStart().length
  return slice(rich, from, Math.max(from, rich.text.trimEnd().length))
}

/** Where the entity begins that is one too many. */
function crowded(entities: readonly Entity[], from: number, most: number): number {
  const reaching = entities
    .filter(({ offset, length }) => offset + length > from)
    .map(({ offset }) => Math.max(offset, from))
  return reaching.sort((a, b) => a - b)[most] ?? Number.POSITIVE_INFINITY
}

/** A text in messages, the first of at most `first` units and the others of `units`; blank ones are left out. */
export function split(rich: Rich, first: number, units: number, most = mostEntities): Rich[] {
  const pieces: Rich[] = []
  let room = first
  for (let from = 0; from < rich.text.length; ) {
    const fits = from + cutAt(rich.text.slice(from), room, head => head.length <= room)
    const crowd = crowded(rich.entities, from, most)
    const to = Math.min(fits, rich.text.length, crowd > from ? crowd : fits)
    const piece = trimmed(slice(rich, from, to))
    if (piece.text !== '') {
      pieces.push({ ...piece, entities: piece.entities.slice(0, most) })
      room = units
    }
    from = to
  }
  return pieces
}
