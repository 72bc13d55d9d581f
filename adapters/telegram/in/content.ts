import type { Content, MessageId, Segment } from '../../../core/event.ts'
import { pushText } from '../../../core/markup.ts'
import { truncate } from '../../../core/text.ts'
import { type Entity, type Message, titleOf } from '../native.ts'
import { type Names, segmentsOf } from './entities.ts'
import { attachmentsOf } from './files.ts'
import { labelOf, originName } from './labels.ts'

export interface ContentOptions {
  readonly names: Names
  /** The id of a message of the same chat. */
  readonly messageId: (message: Message) => MessageId
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

/** `/stop@chanop_bot now` said to us is `/stop now`; to another bot it stays as it is. */
function toUs(text: string, entities: readonly Entity[], names: Names): { text: string; entities: readonly Entity[] } {
  const command = entities.find(({ type, offset }) => type === 'bot_command' && offset === 0)
  const suffix = `@${names.self.username}`.toLowerCase()
  const named = command && text.slice(0, command.length).toLowerCase().endsWith(suffix) ? suffix.length : 0
  if (!command || named === 0 || named >= command.length) return { text, entities }
  const end = command.length
  return {
    text: text.slice(0, end - named) + text.slice(end),
    entities: entities.map(entity =>
      entity === command
        ? { ...entity, length: entity.length - named }
        : { ...entity, offset: entity.offset >= end ? entity.offset - named : entity.offset },
    ),
  }
}

/** What a message says: nothing that a person sees there is without a word or a file. */
export function contentOf(message: Message, { names, messageId }: ContentOptions): Content {
  const segments: Segment[] = quoted(message)
  const forwarded = originName(message.forward_origin)
  if (message.forward_origin && !message.is_automatic_forward) {
    pushText(segments, `[forwarded${forwarded === '' ? '' : ` from ${forwarded}`}] `, [])
  }
  const said = toUs(message.text ?? message.caption ?? '', message.entities ?? message.caption_entities ?? [], names)
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
