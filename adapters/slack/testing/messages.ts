import {
  type Caller,
  channelOf,
  type Method,
  mustBeIn,
  need,
  parsed,
  Refusal,
  required,
  text,
  threadOf,
} from './method.ts'
import { app, type Channel, type Json, type Message, team, type Workspace } from './workspace.ts'

const inlineTypes = ['text', 'link', 'user', 'usergroup', 'broadcast', 'channel', 'emoji', 'date', 'color']

function checkInline(element: Json): void {
  if (!inlineTypes.includes(String(element['type']))) throw new Refusal('invalid_blocks')
  if (element['type'] === 'text' && (typeof element['text'] !== 'string' || element['text'] === ''))
    throw new Refusal('invalid_blocks')
  if (element['type'] === 'link' && !/^https?:\/\//.test(String(element['url']))) throw new Refusal('invalid_blocks')
  const allowed = ['bold', 'italic', 'strike', 'code', 'highlight', 'client_highlight', 'unlink']
  for (const [name, on] of Object.entries((element['style'] as Json | undefined) ?? {})) {
    if (!allowed.includes(name) || typeof on !== 'boolean') throw new Refusal('invalid_blocks')
  }
}

/** "Rich text block": sections, lists, fences and quotes of inline elements. */
function checkBlocks(blocks: unknown): Json[] {
  if (!Array.isArray(blocks)) throw new Refusal('invalid_blocks_format')
  if (blocks.length > 50) throw new Refusal('invalid_blocks')
  let units = 0
  for (const block of blocks as Json[]) {
    if (block['type'] !== 'rich_text') throw new Refusal('invalid_blocks')
    for (const element of block['elements'] as Json[]) {
      const types = ['rich_text_section', 'rich_text_preformatted', 'rich_text_quote', 'rich_text_list']
      if (!types.includes(String(element['type']))) throw new Refusal('invalid_blocks')
      for (const inline of element['elements'] as Json[]) {
        checkInline(inline)
        units += text(inline, 'text').length
      }
    }
  }
  if (units > 13_000) throw new Refusal('msg_blocks_too_long')
  return blocks as Json[]
}

function bodyOf(args: Json): Pick<Message, 'text' | 'blocks'> {
  const blocks = parsed(args, 'blocks')
  const checked = blocks === undefined ? [] : checkBlocks(blocks)
  const said = text(args, 'text')
  if (said === '' && checked.length === 0) throw new Refusal('no_text')
  return { text: said.slice(0, 40_000), ...(checked.length === 0 ? {} : { blocks: checked }) }
}

function metadataOf(args: Json): Json {
  const metadata = parsed(args, 'metadata') as Json | undefined
  if (metadata === undefined) return {}
  if (typeof metadata['event_type'] !== 'string' || typeof metadata['event_payload'] !== 'object') {
    throw new Refusal('invalid_metadata_format')
  }
  return { metadata }
}

/** A customised name makes it a `bot_message` without a user. */
function authorOf(args: Json, caller: Caller): Json {
  const name = text(args, 'username')
  const icon = text(args, 'icon_url')
  const profile = {
    id: app.bot,
    app_id: app.id,
    name: app.name,
    icons: Object.fromEntries(
      ['36', '48', '72'].map(size => [`image_${size}`, `https://a.slack-edge.com/${size}.png`]),
    ),
    deleted: false,
    updated: 1_700_000_000,
    team_id: team,
  }
  if (name === '' && icon === '') return { user: app.user, bot_id: app.bot, app_id: app.id, team, bot_profile: profile }
  need(caller, 'chat:write.customize')
  return {
    subtype: 'bot_message',
    username: name,
    bot_id: app.bot,
    app_id: app.id,
    ...(icon ? { icons: { image_48: icon } } : {}),
  }
}

function writable(workspace: Workspace, args: Json, caller: Caller): Channel {
  need(caller, 'chat:write')
  const channel = channelOf(workspace, args)
  if (channel.archived) throw new Refusal('is_archived')
  mustBeIn(channel)
  return channel
}

export const postMessage: Method = (workspace, args, caller) => {
  const channel = writable(workspace, args, caller)
  const message: Partial<Message> = {
    ...bodyOf(args),
    ...threadOf(workspace, channel, args),
    ...authorOf(args, caller),
    ...metadataOf(args),
  }
  const posted = workspace.post(channel, message)
  return { channel: channel.id, ts: posted.ts, message: withoutMetadata(posted) }
}

const withoutMetadata = ({ metadata: _metadata, ...message }: Message): Json => message

export const postEphemeral: Method = (workspace, args, caller) => {
  required(args, 'user')
  const channel = writable(workspace, args, caller)
  if (!channel.members.has(text(args, 'user'))) throw new Refusal('user_not_in_channel')
  const message: Message = { type: 'message', ts: workspace.stamp(), ...bodyOf(args), ...authorOf(args, caller) }
  workspace.ephemeral.push({ channel: channel.id, user: text(args, 'user'), message })
  return { message_ts: message.ts }
}

function own(workspace: Workspace, args: Json, caller: Caller, error: string): { channel: Channel; message: Message } {
  need(caller, 'chat:write')
  required(args, 'ts')
  const channel = channelOf(workspace, args)
  const message = workspace.find(channel, text(args, 'ts'))
  if (!message) throw new Refusal('message_not_found')
  if (message.bot_id !== app.bot) throw new Refusal(error)
  return { channel, message }
}

export const update: Method = (workspace, args, caller) => {
  const { channel, message } = own(workspace, args, caller, 'cant_update_message')
  if (text(args, 'text').length > 4000) throw new Refusal('msg_too_long')
  const change = { ...bodyOf(args), ...metadataOf(args) }
  workspace.edit(channel, message.ts, change, app.user)
  return { channel: channel.id, ts: message.ts, text: message.text, message: withoutMetadata(message) }
}

export const remove: Method = (workspace, args, caller) => {
  const { channel, message } = own(workspace, args, caller, 'cant_delete_message')
  workspace.remove(channel, message.ts)
  return { channel: channel.id, ts: message.ts }
}

export const reaction =
  (done: 'already_reacted' | 'no_reaction'): Method =>
  (workspace, args, caller) => {
    need(caller, 'reactions:write')
    required(args, 'name', 'timestamp')
    const channel = channelOf(workspace, args)
    const [ts, name] = [text(args, 'timestamp'), text(args, 'name')]
    if (!/^[a-z0-9_+'-]+(::skin-tone-[2-6])?$/.test(name) || name === 'nothing-such') throw new Refusal('invalid_name')
    if (!workspace.find(channel, ts)) throw new Refusal('message_not_found')
    const adding = done === 'already_reacted'
    const changed = adding
      ? workspace.react(channel, ts, app.user, name)
      : workspace.unreact(channel, ts, app.user, name)
    if (!changed) throw new Refusal(done)
    return {}
  }
