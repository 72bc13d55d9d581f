import type { RecentMessage } from '../../../core/ledger/record/events.ts'
import { plain, safeName, truncate } from '../../../core/text/text.ts'
import { self } from '../talk/address.ts'

/** A line longer than this is cut: one paste must not push out everything else. */
const mostChars = 4000

/** A message as the model reads it. */
export interface ContextLine {
  readonly seq: number
  /** As the fact has it. */
  readonly room: string
  readonly edits: number
  /** Said by the oracle itself. */
  readonly own: boolean
  readonly text: string
}

/** Where a message goes on in another line: nothing in it can look like the beginning of somebody else's. */
export const indented = (said: string): string => said.replace(/\r\n?|[\n\v\f\u0085\u2028\u2029]/g, '\n  ')

const minute = (atMs: number): string => new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')

/** Who, where and when, the same for ever: a prompt that only grows is cached by its provider. Null: it was deleted. */
export function contextLine({ seq, room, event, content, edits }: RecentMessage): ContextLine | null {
  if (content === null) return null
  const own = event.sender.kind === 'self' && event.sender.name === self
  const said = truncate(plain(content).trim(), mostChars)
  if (said === '') return null
  if (own) return { seq, room, edits, own, text: said }
  const { place, sender, atMs } = event
  const where = place.private ? 'private' : `${place.network}${place.thread === undefined ? '' : ', in a thread'}`
  return { seq, room, edits, own, text: `[${minute(atMs)} ${where}] <${safeName(sender.name)}> ${indented(said)}` }
}
