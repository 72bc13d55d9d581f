import type { APIEmbed, APIMessage, APIMessageSnapshot } from 'discord.js'
import type { Segment } from '../../../core/event.ts'
import { duration } from '../../../core/text/text.ts'
import { type Names, parseMarkdown } from './read.ts'

const words = (text: string): Segment => ({ kind: 'text', text })

/** What the system says in a channel, by the type of its message (docs.discord.com/developers/resources/message#message-object-message-types). */
const notices: Readonly<Record<number, string>> = {
  1: 'added somebody',
  2: 'removed somebody',
  3: 'is calling',
  4: 'named this conversation',
  5: 'changed the picture of this conversation',
  6: 'pinned a message',
  7: 'joined the server',
  8: 'boosted the server',
  9: 'boosted the server to level 1',
  10: 'boosted the server to level 2',
  11: 'boosted the server to level 3',
  12: 'follows another channel here',
  14: 'this server is no longer in Server Discovery',
  15: 'this server is in Server Discovery again',
  18: 'started a thread',
  22: 'invite people',
  24: 'AutoMod held a message back',
  25: 'subscribed to a role',
  27: 'began a stage',
  28: 'ended a stage',
  29: 'speaks on the stage',
  31: 'changed the topic of the stage',
  46: 'the poll has ended',
}
/** Types that are somebody's words: a message, a reply, and answers of applications. */
const spoken: readonly number[] = [0, 19, 20, 23]
/** A thread begins with a copy of the message that opened it. */
export const isCopyOfRoot = ({ type }: Pick<APIMessage, 'type'>): boolean => Number(type) === 21

/** What a system message says, or null for the words of somebody. */
export function noticeOf({ type, content }: Pick<APIMessage, 'type' | 'content'>): string | null {
  const kind = Number(type)
  if (spoken.includes(kind)) return null
  const said = notices[kind] ?? `a message of a kind that is not known here, number ${kind}`
  return kind === 18 || kind === 4 || kind === 31 ? `[${said}: ${content}]` : `[${said}]`
}

type Part = Partial<
  Pick<APIMessage, 'content' | 'embeds' | 'attachments' | 'flags' | 'poll' | 'sticker_items' | 'components'>
> &
  Partial<Pick<APIMessage, 'activity' | 'application' | 'call'>>

const isVoice = (part: Part): boolean => ((part.flags ?? 0) & (1 << 13)) !== 0

/** What of a message is no text, as words: what looks empty is not. */
export function beside(part: Part, names: Names, byProgram: boolean): Segment[][] {
  const blocks: Segment[][] = []
  const say = (text: string): unknown => blocks.push([words(text)])
  if (part.poll) {
    const answers = part.poll.answers.map(({ poll_media: { text, emoji } }) => text ?? emoji?.name ?? '?').join(' / ')
    say(`[poll: ${part.poll.question.text ?? ''}] ${answers}`.trim())
  }
  if (isVoice(part)) {
    const seconds = part.attachments?.[0]?.duration_secs
    say(seconds === undefined ? '[voice message]' : `[voice message: ${duration(Math.round(seconds * 1000))}]`)
  }
  for (const { name } of part.sticker_items ?? []) say(`[sticker: ${name}]`)
  if (part.activity) say(`[invitation: ${part.application?.name ?? 'an activity'}]`)
  if (part.call) say('[call]')
  for (const text of displays(part.components)) blocks.push(parseMarkdown(text, names))
  for (const embed of part.embeds ?? []) {
    const shown = byProgram || embed.type === 'poll_result' ? embedded(embed, names) : []
    if (shown.length > 0) blocks.push(shown)
  }
  return blocks
}

/** The words of a message made of components: its text displays, wherever they stand. */
function displays(node: unknown, depth = 0): string[] {
  if (depth > 8 || typeof node !== 'object' || node === null) return []
  if (Array.isArray(node)) return node.flatMap(each => displays(each, depth + 1))
  const { type, content, components } = node as { type?: unknown; content?: unknown; components?: unknown }
  return [...(type === 10 && typeof content === 'string' ? [content] : []), ...displays(components, depth + 1)]
}

/** A card of a program. Previews of links are none: the link says it. */
function embedded(embed: APIEmbed, names: Names): Segment[] {
  const lines: Segment[][] = []
  if (embed.author?.name) lines.push([words(embed.author.name)])
  if (embed.title)
    lines.push([
      embed.url
        ? { kind: 'link', url: embed.url, text: embed.title }
        : { kind: 'text', text: embed.title, marks: ['bold'] },
    ])
  if (embed.description) lines.push(parseMarkdown(embed.description, names))
  for (const { name, value } of embed.fields ?? []) lines.push([words(`${name}: `), ...parseMarkdown(value, names)])
  if (embed.image?.url && /^https?:/.test(embed.image.url)) lines.push([words('[image]')])
  if (embed.footer?.text) lines.push([words(embed.footer.text)])
  return joined(lines)
}

/** What was passed on from somewhere else: its words stand in the snapshot alone. */
export function forwarded(snapshots: readonly APIMessageSnapshot[] | undefined, names: Names): Segment[][] {
  return (snapshots ?? []).map(({ message }) => {
    const said = joined([
      ...(message.content === '' ? [] : [parseMarkdown(message.content, names)]),
      ...beside(message as Part, names, true),
    ])
    const files =
      message.attachments.length === 0
        ? []
        : [words(`[${message.attachments.length === 1 ? 'a file' : `${message.attachments.length} files`}]`)]
    return [words('[forwarded]\n'), ...(said.length > 0 ? said : files)]
  })
}

export const joined = (blocks: readonly (readonly Segment[])[]): Segment[] =>
  blocks.filter(block => block.length > 0).flatMap((block, at) => (at === 0 ? block : [words('\n'), ...block]))
