import { isRecord, type Loose } from '../../../core/loose.ts'
import { duration, truncate, visible } from '../../../core/text/text.ts'
import { type Chat, type Message, nameOf, type Origin, titleOf, type User } from '../native.ts'

const words = (value: unknown, most = 200): string => (typeof value === 'string' ? truncate(visible(value), most) : '')
const list = (value: unknown): readonly Loose[] => (Array.isArray(value) ? value.filter(isRecord) : [])
const seconds = (value: unknown): string =>
  typeof value === 'number' && value > 0 ? `: ${duration(value * 1000, 2)}` : ''
const titled = (kind: string, value: unknown): string => {
  const title = words(value)
  return title === '' ? `[${kind}]` : `[${kind}: ${title}]`
}
const mostOptions = 20

/** What a thing says that is no text, in one line. */
const labels: Readonly<Record<string, (value: Loose, message: Message) => string>> = {
  sticker: ({ emoji, set_name }) => titled('sticker', [emoji, set_name].filter(Boolean).join(' ')),
  voice: ({ duration }) => `[voice message${seconds(duration)}]`,
  video_note: ({ duration }) => `[video message${seconds(duration)}]`,
  story: ({ chat }) => titled('story', isRecord(chat) ? `of ${titleOf(chat as unknown as Chat)}` : ''),
  poll: ({ question, options }) =>
    titled(
      'poll',
      withOptions(
        question,
        list(options).map(({ text }) => words(text, 80)),
      ),
    ),
  checklist: ({ title, tasks }) => titled('checklist', withOptions(title, list(tasks).map(taskOf))),
  checklist_tasks_done: ({ marked_as_done_task_ids, marked_as_not_done_task_ids }) =>
    titled('checklist', ticked(marked_as_done_task_ids, marked_as_not_done_task_ids)),
  checklist_tasks_added: ({ tasks }) =>
    titled(
      'checklist',
      `added ${list(tasks)
        .map(({ text }) => words(text, 80))
        .join(' / ')}`,
    ),
  contact: ({ first_name, last_name, phone_number }) =>
    titled('contact', [first_name, last_name, phone_number].filter(Boolean).join(' ')),
  venue: ({ title, address, location }) =>
    `${titled('place', [title, address].filter(Boolean).join(', '))}${mapOf(location)}`,
  location: value => `[location]${mapOf(value)}`,
  dice: ({ emoji, value }) => titled('dice', `${words(emoji)} ${String(value)}`),
  game: ({ title }) => titled('game', title),
  invoice: ({ title }) => titled('invoice', title),
  gift: ({ text }) => titled('gift', text),
  unique_gift: ({ gift }) => titled('gift', isRecord(gift) ? gift['base_name'] : ''),
  giveaway: ({ prize_description }) => titled('giveaway', prize_description),
  giveaway_winners: ({ winners }) =>
    titled(
      'giveaway won',
      list(winners)
        .map(winner => nameOf(winner as unknown as User))
        .join(', '),
    ),
  paid_media: ({ star_count }) => titled('paid media', `${String(star_count)} stars`),
  forum_topic_created: ({ name }) => titled('topic', name),
  forum_topic_edited: ({ name }) => titled('topic renamed', name),
  forum_topic_closed: () => '[topic closed]',
  forum_topic_reopened: () => '[topic opened again]',
  pinned_message: value => titled('pinned', pinned(value as unknown as Message)),
  video_chat_ended: ({ duration }) => `[video chat ended${seconds(duration)}]`,
  rich_message: value => truncate(richText(value).trim(), 4000),
}

/** The kinds of a thing that come first where a message has several: a venue has a location too. */
const order = Object.keys(labels)

/** What every message may have without being something else for it, and what is told as a fact of its own. */
const ordinary = new Set(
  `message_id message_thread_id direct_messages_topic from sender_chat sender_boost_count sender_business_bot sender_tag date
  guest_query_id business_connection_id chat forward_origin is_topic_message is_automatic_forward reply_to_message external_reply
  quote reply_to_story reply_to_checklist_task_id reply_to_poll_option_id via_bot guest_bot_caller_user guest_bot_caller_chat
  edit_date has_protected_content is_from_offline is_paid_post media_group_id author_signature paid_star_count text entities
  link_preview_options suggested_post_info effect_id caption caption_entities show_caption_above_media has_media_spoiler
  animation audio document live_photo photo video reply_markup ephemeral_message_id receiver_user_id
  forward_from forward_from_chat forward_from_message_id forward_signature forward_sender_name forward_date`.split(
    /\s+/,
  ),
)

const withOptions = (title: unknown, options: readonly string[]): string => {
  const more = options.length > mostOptions ? ` / … ${options.length - mostOptions} more` : ''
  const shown = options.slice(0, mostOptions).join(' / ')
  return `${words(title)}${shown === '' ? '' : ` · ${shown}${more}`}`.slice(0, 1500)
}

const taskOf = ({ text, completion_date }: Loose): string =>
  `${typeof completion_date === 'number' && completion_date > 0 ? '☑' : '☐'} ${words(text, 80)}`

const ticked = (done: unknown, undone: unknown): string => {
  const count = (ids: unknown): number => (Array.isArray(ids) ? ids.length : 0)
  return [count(done) > 0 ? `${count(done)} done` : '', count(undone) > 0 ? `${count(undone)} not done` : '']
    .filter(Boolean)
    .join(', ')
}

function mapOf(location: unknown): string {
  if (!isRecord(location)) return ''
  const { latitude, longitude } = location
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return ''
  return ` https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}`
}

const pinned = ({ text, caption }: Message): string => truncate(visible(text ?? caption ?? ''), 80)

const richParts = 'text title summary blocks items cells rows caption expression alternative_text'.split(' ')

/** The words of a rich message's blocks, in their order. */
function richText(value: unknown, depth = 0): string {
  if (typeof value === 'string') return value
  if (depth > 20) return ''
  if (Array.isArray(value)) return value.map(each => richText(each, depth + 1)).join('')
  if (!isRecord(value)) return ''
  const text = richParts.map(key => richText(value[key], depth + 1)).join('')
  const isBlock = depth > 0 && depth % 2 === 0 && typeof value['type'] === 'string' && !text.endsWith('\n')
  return isBlock ? `${text}\n` : text
}

/** What stands for a message's things that are no text and no file; null when there are none. A kind that is new has its name. */
export function labelOf(message: Message): string | null {
  const fields = message as unknown as Loose
  const known = order.find(kind => fields[kind] !== undefined && fields[kind] !== null)
  if (known !== undefined) {
    const value = fields[known]
    return labels[known]?.(isRecord(value) ? value : {}, message) ?? null
  }
  const strange = Object.keys(fields).find(key => !ordinary.has(key) && fields[key] !== null && fields[key] !== false)
  return strange === undefined ? null : `[${strange.replaceAll('_', ' ').slice(0, 60)}]`
}

/** Whom a forwarded message, or one that is answered in another chat, is from. */
export function originName(origin: Origin | undefined): string {
  if (!origin) return ''
  const { sender_user, sender_user_name, sender_chat, chat } = origin
  const name = sender_user
    ? nameOf(sender_user)
    : (sender_user_name ?? (sender_chat ? titleOf(sender_chat) : chat && titleOf(chat)))
  return words(name ?? '', 64)
}
