/** What an operator wants left out of a room, or changed on its way. */
import { type ChatEvent, type Content, formatPlace, type Segment } from '../../../core/event.ts'
import type { Bridging } from '../../../core/rooms.ts'
import { matches, replaced } from '../../../core/text/pattern.ts'
import { plain, visible } from '../../../core/text/text.ts'

/** Whether nothing of a fact is passed on. */
export function isLeftOut({ ignore, direction }: Bridging, event: ChatEvent): boolean {
  if (direction[formatPlace(event.place)] === 'out') return true
  const { sender, place } = event
  // What can't be seen in a name hides nobody.
  const names = [sender.name, visible(sender.name), `${place.network}:${sender.id}`]
  if (ignore.names.some(written => names.some(name => matches(written, name)))) return true
  if (ignore.texts.length === 0 || (event.kind !== 'message' && event.kind !== 'edit')) return false
  const text = plain(event.content)
  return ignore.texts.some(written => matches(written, text))
}

/** No platform takes more; a text that rules made longer than this goes on as it was before them. */
const mostChars = 40_000

/** A content with everything replaced that is to be. */
export function reworded({ replace }: Bridging, content: Content): Content {
  if (replace.length === 0) return content
  const change = (text: string): string => {
    let now = text
    for (const rule of replace) {
      now = replaced(now, rule.find, rule.with)
      if (now.length > Math.max(mostChars, text.length)) return text
    }
    return now
  }
  return { ...content, segments: content.segments.map(segment => rewordedSegment(segment, change)) }
}

function rewordedSegment(segment: Segment, change: (text: string) => string): Segment {
  if (segment.kind === 'mention' || segment.kind === 'emoji') return segment
  if (segment.kind !== 'link') return { ...segment, text: change(segment.text) }
  const url = change(segment.url)
  // What is no address any more is words.
  if (!/^https?:\/\//.test(url)) return { kind: 'text', text: url }
  return { kind: 'link', url, ...(segment.text === undefined ? {} : { text: change(segment.text) }) }
}
