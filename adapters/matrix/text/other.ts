import type { Segment } from '../../../core/event.ts'
import { type Json, object, type RoomEvent, string } from '../native.ts'
import { clean, oneLine } from './words.ts'

const most = 20
const words = (text: string): Segment[] => [{ kind: 'text', text }]

/** Words of an extensible event: `m.text` as a list or a text, or what it was called before (MSC1767). */
function textOf(value: unknown): string {
  const content = object(value)
  for (const key of ['m.text', 'org.matrix.msc1767.text', 'body']) {
    const found = content[key]
    if (typeof found === 'string') return oneLine(found)
    const [first] = Array.isArray(found) ? found : []
    const body = string(object(first)['body'])
    if (body !== undefined) return oneLine(body)
  }
  return ''
}

const pollOf = (content: Json): Json =>
  object(content['m.poll'] ?? content['m.poll.start'] ?? content['org.matrix.msc3381.poll.start'])

function poll(content: Json): Segment[] {
  const started = pollOf(content)
  const answers = Array.isArray(started['answers']) ? started['answers'].slice(0, most) : []
  const listed = answers.map(answer => `\n• ${textOf(answer) || '?'}`).join('')
  return words(`[poll: ${textOf(started['question']) || 'without a question'}]${listed}`)
}

function location(content: Json): Segment[] {
  const uri = string(content['geo_uri']) ?? string(object(content['m.location'])['uri']) ?? ''
  const [, latitude, longitude] = /^geo:(-?\d{1,3}(?:\.\d{1,10})?),(-?\d{1,3}(?:\.\d{1,10})?)/.exec(uri) ?? []
  const name = oneLine(string(content['body']) ?? '')
  const shown = words(`[location${name === '' || name.includes('geo:') ? '' : `: ${name}`}]`)
  if (latitude === undefined || longitude === undefined) return shown
  const url = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}`
  return [...shown, { kind: 'text', text: ' ' }, { kind: 'link', url }]
}

/** Kinds of messages whose body is what they say. */
const spoken = new Set(['m.text', 'm.notice', 'm.emote'])
/** Events that people do not see. */
const silent =
  /^(m\.(room|key|space|call|rtc|policy|secret|poll\.response)\b|m\.reaction|org\.matrix\.msc3381\.poll\.response|org\.matrix\.(msc3401|msc4143)\.)/

/**
 * What is shown of a message that is not simply text: null when its body says it. What we don't know is shown by what it
 * calls itself, so that nobody waits for an answer to nothing.
 */
export function shownAs({ type, content }: RoomEvent): Segment[] | null {
  if (type === 'm.room.message') return messageAs(content)
  if (type.endsWith('poll.start')) return poll(content)
  if (type.endsWith('poll.end')) return words(`[the poll has ended] ${textOf(content)}`.trim())
  if (type === 'm.call.invite') return words('[call]')
  if (/^(m\.location|org\.matrix\.msc3672\.beacon_info)$/.test(type)) return location(content)
  if (type === 'm.sticker') return words(`[sticker: ${oneLine(string(content['body']) ?? '')}]`)
  if (silent.test(type)) return []
  const fallback = clean(textOf(content))
  return fallback === '' ? [] : words(fallback)
}

function messageAs(content: Json): Segment[] | null {
  const msgtype = string(content['msgtype']) ?? ''
  if (msgtype === 'm.location') return location(content)
  if (msgtype === 'm.key.verification.request') return words('[asks to verify a device: not possible here]')
  if (pollOf(content)['question'] !== undefined) return poll(content)
  const body = string(content['body'])
  if (body !== undefined && body.trim() !== '') return null
  if (spoken.has(msgtype)) return null
  return msgtype === '' ? [] : words(`[${oneLine(msgtype).slice(0, 60)}]`)
}
