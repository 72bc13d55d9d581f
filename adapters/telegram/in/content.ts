import type { Content, MessageId, Segment } from '../../../core/event.ts'
import { pushText } from '../../../core/text/markup.ts'
import { truncate } from '../../../core/text/text.ts'
import { type Entity, type Message, titleOf } from '../native.ts'
import { type Names, segmentsOf } from './entities.ts'
import { attachmentsOf } from './files.ts'
import { labelOf, originName } from './labels.ts'

interface Said {
  readonly text: string
  readonly entities: readonly Entity[]
}

export interface ContentOptions {
  readonly names: Names
  /** The id of a message of the same chat. */
  readonly messageId: (message: Message) => MessageId
  /** The command that a word of the list of commands stands for. */
  readonly commandOf: (word: string) => string | undefined
}

/** What a message in the same chat answers; what opened a topic is answered by nobody. */
function replyOf({ reply_to_message: answered, message_thread_id, is_topic_message }: Message): Message | null {
  if (!answered || typeof answered.message_id !== 'number') return null
  const opensTopic = is_topic_message === true && answered.message_id === message_thread_id
  return opensTopic ? null : answered
}

/** What is answered but can't be named as a message of this chat: part of one, one elsewhere, a story. */
function quoted({ quote, external_reply, reply_to_story }: Message): Segment[] {
  if (reply_to_story)
    return [{ kind: 'quote', text: `[story${reply_to_story.chat ? ` of ${titleOf(reply_to_story.chat)}` : ''}]` }]
  const author = originName(external_reply?.origin)
  const words = typeof quote?.text === 'string' && (quote.is_manual || external_reply) ? truncate(quote.text, 1000) : ''
  if (words === '' && author === '') return []
  return [{ kind: 'quote', text: words === '' ? '…' : words, ...(author === '' ? {} : { author }) }]
}

/** `/role_grant@chanop_bot bob` said to us is `/role grant bob`; what is said to another bot stays as it is. */
function toUs({ text, entities }: Said, { names, commandOf }: ContentOptions): Said {
  const command = entities.find(entity => entity?.type === 'bot_command' && entity.offset === 0)
  const written = command ? text.slice(0, command.length) : ''
  const [, word = '', to] = /^\/(\w+)(?:@(\w+))?$/.exec(written) ?? []
  if (word === '' || (to !== undefined && to.toLowerCase() !== names.self.username.toLowerCase()))
    return { text, entities }
  const said = `/${commandOf(word) ?? word}`
  const moved = said.length - written.length
  return {
    text: said + text.slice(written.length),
    entities: entities.map(entity => {
      if (entity === command) return { ...entity, length: said.length }
      return entity && entity.offset >= written.length ? { ...entity, offset: entity.offset + moved } : entity
    }),
  }
}

/** What a message says: nothing that a person sees there is without a word or a file. */
export function contentOf(message: Message, options: ContentOptions): Content {
  const segments: Segment[] = quoted(message)
  const forwarded = originName(message.forward_origin)
  if (message.forward_origin && !message.is_automatic_forward) {
    pushText(segments, `[forwarded${forwarded === '' ? '' : ` from ${forwarded}`}] `, [])
  }
  const { names, messageId } = options
  const written = {
    text: message.text ?? message.caption ?? '',
    entities: message.entities ?? message.caption_entities ?? [],
  }
  const said = toUs(written, options)
  const label = labelOf(message)
  if (label !== null) pushText(segments, said.text === '' ? label : `${label}\n`, [])
  segments.push(...segmentsOf(said.text, said.entities, names))
  const attachments = attachmentsOf(message)
  if (segments.length === 0 && attachments.length === 0) segments.push({ kind: 'text', text: '[empty message]' })
  const answered = replyOf(message)
  return {
    segments,
    ...(attachments.length === 0 ? {} : { attachments }),
    ...(answered ? { replyTo: messageId(answered) } : {}),
  }
}
