import type { Attachment, Content, Segment } from '../../../core/event.ts'
import { list, type Native, num, part, str, strings } from '../native.ts'
import { fromBlocks } from '../text/blocks.ts'
import { fromMrkdwn } from '../text/mrkdwn.ts'
import { plainOf, stacked } from '../text/rich.ts'
import { linkOf, type Names, textOf, titled } from '../text/words.ts'

/** Kinds of files that have no bytes to be had: they are named. */
const wordsOnly: Readonly<Record<string, string>> = {
  quip: 'canvas',
  canvas: 'canvas',
  docs: 'canvas',
  space: 'canvas',
  list: 'list',
  post: 'post',
  email: 'mail',
  tombstone: 'deleted file',
  hidden_by_limit: 'file hidden by the plan of the workspace',
}

const titleOf = (file: Native): string => str(file, 'title') || str(file, 'name')

/** What a file without bytes is called; null when it has some. */
function wordsOf(file: Native): Segment[] | null {
  const kind = wordsOnly[str(file, 'mode')] ?? wordsOnly[str(file, 'filetype')]
  if (kind !== undefined) return titled(kind, titleOf(file))
  if (str(file, 'mode') !== 'external' && file['is_external'] !== true) return null
  return linkOf(str(file, 'url_private'), titled('file', titleOf(file)).map(plainText).join(''))
}

const plainText = (segment: Segment): string => plainOf([segment])

function attachmentOf(file: Native): Attachment {
  const size = num(file, 'size')
  const [width, height] = [num(file, 'original_w'), num(file, 'original_h')]
  const type = str(file, 'mimetype')
  return {
    ref: str(file, 'id'),
    name: str(file, 'name') || titleOf(file) || 'file',
    ...(type === '' ? {} : { type }),
    ...(size === undefined ? {} : { sizeBytes: size }),
    ...(width === undefined || height === undefined ? {} : { width, height }),
  }
}

/** What other programs hang below a message; previews of links that stand in it anyway are left out. */
function hanging(attachment: Native, names: Names): Segment[] {
  const { is_share: isShare, is_msg_unfurl: isMessage } = attachment
  const blocks = list(attachment, 'blocks')
  const text =
    blocks.length > 0
      ? fromBlocks(blocks, names)
      : fromMrkdwn(str(attachment, 'text') || messageText(attachment), names)
  if (isShare === true || isMessage === true) {
    const author = str(attachment, 'author_name') || str(attachment, 'author_subname')
    const said = plainOf(text) || fallbackOf(attachment)
    return said === '' ? [] : [{ kind: 'quote', text: said, ...(author === '' ? {} : { author }) }]
  }
  if (isPreview(attachment)) return []
  const title = str(attachment, 'title')
  const fields = list(attachment, 'fields').map(field =>
    fromMrkdwn([str(field, 'title'), str(field, 'value')].filter(Boolean).join(': '), names),
  )
  const shown = stacked([
    fromMrkdwn(str(attachment, 'pretext'), names),
    title === '' ? [] : linkTitle(str(attachment, 'title_link'), title),
    text,
    ...fields,
    list(attachment, 'actions').length > 0 ? textOf(`[${actions(attachment)}]`) : [],
  ])
  return shown.length > 0 ? shown : textOf(fallbackOf(attachment))
}

/** What Slack shows of an address, or of a message, that is named in the words. */
export const isPreview = (attachment: Native): boolean =>
  attachment['is_msg_unfurl'] === true || str(attachment, 'from_url') !== '' || str(attachment, 'original_url') !== ''

const fallbackOf = (attachment: Native): string => str(attachment, 'fallback').slice(0, 3000)

const actions = (attachment: Native): string =>
  list(attachment, 'actions')
    .map(action => str(action, 'text'))
    .filter(Boolean)
    .join(' | ')

const linkTitle = (url: string, title: string): Segment[] => (url === '' ? textOf(title, ['bold']) : linkOf(url, title))

/** The words of a message that was shared. */
function messageText(attachment: Native): string {
  return list(attachment, 'message_blocks')
    .map(each => str(part(part(each, 'message'), 'text'), 'text'))
    .join('\n')
}

/** Blocks first: `text` is what is left of them for notifications. */
function wordsFrom(message: Native, names: Names): Segment[] {
  const blocks = list(message, 'blocks')
  const built = blocks.length > 0 ? fromBlocks(blocks, names) : []
  const text = str(message, 'text')
  if (built.length > 0) return built
  return message['mrkdwn'] === false && message['subtype'] === 'bot_message' ? textOf(text) : fromMrkdwn(text, names)
}

/** A huddle, or another room that opened. */
function roomOf(message: Native): Segment[] {
  const subtype = str(message, 'subtype')
  if (subtype !== 'huddle_thread' && subtype !== 'sh_room_created') return []
  const room = part(message, 'room')
  return titled('huddle', str(room, 'topic') || str(room, 'name'))
}

/** What a message says. Never throws; what has no words gets some. */
export function contentOf(message: Native, names: Names): Content {
  const room = roomOf(message)
  const files = list(message, 'files')
  const named = files.map(file => wordsOf(file))
  const attachments = files.filter((_, at) => named[at] === null).map(attachmentOf)
  const segments = stacked([
    room.length > 0 ? room : wordsFrom(message, names),
    ...list(message, 'attachments').map(each => hanging(each, names)),
    ...named.map(each => each ?? []),
  ])
  const style = message['subtype'] === 'me_message' ? { style: 'action' as const } : {}
  return { segments, ...(attachments.length === 0 ? {} : { attachments }), ...style }
}

const userReference = /<@([UW][A-Z0-9]+)(?:\|[^>]*)?>/g
const channelReference = /<#(C[A-Z0-9]+)(?:\|[^>]*)?>/g

/** The people and channels that are named in it, to be looked up before it is read. */
export function namedIn(message: Native): { people: ReadonlySet<string>; channels: ReadonlySet<string> } {
  const people = new Set<string>()
  const channels = new Set<string>()
  const walk = (value: unknown, depth: number): void => {
    if (depth > 12 || people.size > 50 || channels.size > 50) return
    if (typeof value === 'string') {
      if (!value.includes('<')) return
      for (const [, id] of value.matchAll(userReference)) people.add(id as string)
      for (const [, id] of value.matchAll(channelReference)) channels.add(id as string)
    } else if (Array.isArray(value)) {
      for (const each of value) walk(each, depth + 1)
    } else if (typeof value === 'object' && value !== null) {
      const element = value as Native
      if (element['type'] === 'user') people.add(str(element, 'user_id'))
      if (element['type'] === 'channel') channels.add(str(element, 'channel_id'))
      for (const each of Object.values(element)) walk(each, depth + 1)
    }
  }
  for (const name of ['text', 'blocks', 'attachments']) walk(message[name], 0)
  people.delete('')
  channels.delete('')
  return { people, channels }
}

/** Who reacted to it as it is now: `[name, person]`. */
export const reactionsOf = (message: Native): readonly (readonly [string, string])[] =>
  list(message, 'reactions').flatMap(reaction =>
    strings(reaction, 'users').map(user => [str(reaction, 'name'), user] as const),
  )
