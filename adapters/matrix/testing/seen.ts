import type { Seen } from '../../../core/contract/harness.ts'
import type { Client, Shown } from './client.ts'

type Json = Readonly<Record<string, unknown>>
const inside = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})

/** What one account said in a room, as another one sees it now: edits, deletions and reactions applied. */
export async function seenOf(by: string, room: string, reader: Client): Promise<Seen[]> {
  const events = await reader.timeline(room)
  const seen = events.filter(
    ({ type, sender, content }) => type === 'm.room.message' && sender === by && !isEdit(content),
  )
  return Promise.all(seen.map(event => shown(event, events, reader)))
}

const relation = (content: Json): Json => inside(content['m.relates_to'])
const isEdit = (content: Json): boolean => relation(content)['rel_type'] === 'm.replace'
const words = ({ body }: Json): string => (typeof body === 'string' ? body : '')
const isGone = (event: Shown): boolean => event.unsigned?.['redacted_because'] !== undefined

async function shown(event: Shown, events: readonly Shown[], reader: Client): Promise<Seen> {
  const about = events.filter(
    ({ content, sender }) => relation(content)['event_id'] === event.event_id && sender === event.sender,
  )
  const edit = about.findLast(({ content }) => isEdit(content))
  const content = edit ? inside(edit.content['m.new_content']) : event.content
  const root = relation(event.content)['rel_type'] === 'm.thread' ? relation(event.content)['event_id'] : undefined
  const url = event.content['url']
  return {
    text: url === undefined ? words(content) : '',
    deleted: isGone(event),
    reactions: about
      .filter(one => one.type === 'm.reaction' && !isGone(one))
      .map(one => String(relation(one.content)['key'])),
    ...(typeof url === 'string' ? { files: [await reader.download(url)] } : {}),
    ...(root === undefined ? {} : { thread: words(inside(events.find(({ event_id: id }) => id === root)?.content)) }),
  }
}
