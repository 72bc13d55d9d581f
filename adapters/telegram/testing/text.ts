import type { Entity, User } from './world.ts'

export class Refused extends Error {
  readonly code: number
  readonly parameters: Readonly<Record<string, number>> | undefined

  constructor(code: number, message: string, parameters?: Readonly<Record<string, number>>) {
    super(message)
    this.code = code
    this.parameters = parameters
  }
}

export const bad = (reason: string): Refused => new Refused(400, `Bad Request: ${reason}`)

const types = new Set(
  'mention hashtag cashtag bot_command url email phone_number bold italic underline strikethrough spoiler blockquote expandable_blockquote code pre text_link text_mention custom_emoji date_time'.split(
    ' ',
  ),
)
const known = /(?<![A-Za-z0-9_])@([A-Za-z][A-Za-z0-9_]{3,31})/g
const address = /https?:\/\/[^\s<>"]+/g
const command = /(?<![\w/])\/[A-Za-z0-9_]{1,32}(?:@\w{3,32})?/g

interface Said {
  readonly text: string
  readonly entities: readonly Entity[]
}

/** What Telegram makes of a text and its entities: cleaned, trimmed, with what it finds by itself. */
export function taken(text: unknown, given: unknown, most: number, what: 'text' | 'caption'): Said {
  if (typeof text !== 'string') throw bad(`message ${what} is empty`)
  if (!text.isWellFormed()) throw bad('strings must be encoded in UTF-8')
  const cleaned = text.replaceAll('\r', '').replace(/[\u0000-\u0009\u000b-\u001f]/g, ' ')
  const entities = Array.isArray(given) ? (given as Entity[]) : []
  for (const entity of entities) check(entity, cleaned)
  const from = cleaned.length - cleaned.trimStart().length
  const trimmed = cleaned.trim()
  if (trimmed.replace(/[\u200b\u2060\u2063\ufeff]/g, '') === '' && what === 'text') throw bad('message text is empty')
  if (trimmed.length > most) throw bad(what === 'text' ? 'message is too long' : 'message caption is too long')
  const kept = entities
    .slice(0, 100)
    .map(entity => clipped(entity, from, trimmed.length))
    .filter(({ length }) => length > 0)
  return { text: trimmed, entities: [...kept, ...found(trimmed, kept)].sort((a, b) => a.offset - b.offset) }
}

function check({ type, offset, length, url, user }: Entity, text: string): void {
  if (!types.has(type)) throw bad(`unsupported entity type "${type}" specified`)
  if (!Number.isInteger(offset) || !Number.isInteger(length))
    throw bad("can't parse entities: offset and length must be numbers")
  if (offset < 0 || length <= 0 || offset + length > text.length)
    throw bad(
      `entity beginning at UTF-16 offset ${offset} ends after the end of the text at UTF-16 offset ${offset + length}`,
    )
  if (type === 'text_link' && !url) throw bad('can\'t parse MessageEntity: Field "url" is required')
  if (type === 'text_mention' && typeof user?.id !== 'number') throw bad('user not found')
}

const clipped = (entity: Entity, from: number, length: number): Entity => {
  const start = Math.max(0, entity.offset - from)
  return { ...entity, offset: start, length: Math.min(length, entity.offset - from + entity.length) - start }
}

/** Mentions, addresses and commands, where nothing says that it is code or a link. */
export function found(text: string, entities: readonly Entity[]): Entity[] {
  const atom = entities.filter(({ type }) => ['code', 'pre', 'text_link', 'text_mention'].includes(type))
  const all = [
    ...[...text.matchAll(address)].map(match => ({ type: 'url', offset: match.index, length: match[0].length })),
    ...[...text.matchAll(known)].map(match => ({ type: 'mention', offset: match.index, length: match[0].length })),
    ...[...text.matchAll(command)].map(match => ({
      type: 'bot_command',
      offset: match.index,
      length: match[0].length,
    })),
  ]
  const kept: Entity[] = []
  for (const each of all) if (![...atom, ...kept].some(other => overlap(each, other))) kept.push(each)
  return kept
}

const overlap = (a: Entity, b: Entity): boolean => a.offset < b.offset + b.length && b.offset < a.offset + a.length

/** Who gets a notification of a message. */
export const pinged = (text: string, entities: readonly Entity[]): (string | number)[] =>
  entities.flatMap(({ type, offset, length, user }): (string | number)[] => {
    if (type === 'mention') return [text.slice(offset + 1, offset + length)]
    return type === 'text_mention' && user ? [(user as User).id] : []
  })
