import { bad, Refused, taken } from './text.ts'
import { type Fields, type Room, type Stored, seconds, type World } from './world.ts'

/** A request's parameters, JSON in forms parsed, and its files by the name of their part. */
export interface Asked {
  readonly params: Fields
  readonly files: ReadonlyMap<string, { readonly name: string; readonly bytes: Uint8Array; readonly type: string }>
}

type Method = (world: World, asked: Asked) => unknown

const mostUpload = 50_000_000
const mostDownload = 20_000_000
const reactions =
  '❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡'.split(
    ' ',
  )

function roomOf(world: World, { chat_id }: Fields): Room {
  const room = world.rooms.get(Number(chat_id))
  if (!room) throw bad('chat not found')
  return room
}

/** What the bot was not put out of. */
function visible(world: World, params: Fields): Room {
  const room = roomOf(world, params)
  if (room.bot.status === 'kicked') throw new Refused(403, `Forbidden: bot was kicked from the ${room.chat.type} chat`)
  return room
}

/** Where the bot may write; throws as Telegram refuses. */
function writable(world: World, params: Fields): Room {
  const room = roomOf(world, params)
  const { chat, bot, movedTo } = room
  if (movedTo !== undefined) {
    throw new Refused(400, 'Bad Request: group chat was upgraded to a supergroup chat', { migrate_to_chat_id: movedTo })
  }
  if (chat.type === 'private') {
    if (bot.status === 'kicked') throw new Refused(403, 'Forbidden: bot was blocked by the user')
    if (bot.status === 'left') throw new Refused(403, "Forbidden: bot can't initiate conversation with a user")
    return room
  }
  if (bot.status === 'kicked') throw new Refused(403, `Forbidden: bot was kicked from the ${chat.type} chat`)
  if (bot.status === 'left') throw new Refused(403, `Forbidden: bot is not a member of the ${chat.type} chat`)
  if (!bot.canSend) throw bad('not enough rights to send text messages to the chat')
  return room
}

function messageIn(room: Room, id: unknown, what: string): Stored {
  const stored = room.messages.find(({ message, deleted }) => message.message_id === Number(id) && !deleted)
  if (!stored) throw bad(`message to ${what} not found`)
  return stored
}

function ownIn(world: World, params: Fields): Stored {
  const stored = messageIn(writable(world, params), params['message_id'], 'edit')
  const mine = stored.from?.id === world.me.id || (stored.from === null && stored.message.chat.type === 'channel')
  if (!mine) throw bad("message can't be edited")
  return stored
}

/** Topic and answered message of a send. */
function placed(room: Room, { message_thread_id, reply_parameters }: Fields): { fields: Fields; thread?: number } {
  const reply = reply_parameters as { message_id?: number; allow_sending_without_reply?: boolean } | undefined
  const answered = room.messages.find(({ message, deleted }) => message.message_id === reply?.message_id && !deleted)
  if (reply && !answered && !reply.allow_sending_without_reply) throw bad('message to be replied not found')
  const topic = message_thread_id === undefined ? undefined : Number(message_thread_id)
  if (
    topic !== undefined &&
    !room.messages.some(({ message }) => message.message_id === topic && 'forum_topic_created' in message)
  )
    throw bad('message thread not found')
  const replying = answered ? { reply_to_message: withoutReply(answered.message) } : {}
  if (topic !== undefined)
    return { fields: { message_thread_id: topic, is_topic_message: true, ...replying }, thread: topic }
  // In supergroups what answers a message stands in its thread.
  const thread =
    answered && room.chat.type === 'supergroup' ? (answered.thread ?? answered.message.message_id) : undefined
  if (thread === undefined) return { fields: replying }
  return { fields: { message_thread_id: thread, ...replying }, thread }
}

const withoutReply = ({ reply_to_message: _reply, ...message }: Fields): Fields => message

function post(world: World, room: Room, params: Fields, fields: Fields, file?: Uint8Array): Fields {
  const { fields: where, thread } = placed(room, params)
  const more = { ...(file ? { file } : {}), ...(thread === undefined ? {} : { thread }) }
  return world.store(room, room.chat.type === 'channel' ? null : world.me, { ...fields, ...where }, more).message
}

/** A message that one person alone sees, where the request asks for one in the words of this version; null: it asks for none. */
function sendEphemeral(world: World, params: Fields): Fields | null {
  const { ephemeral } = world.options
  const given = params['ephemeral_message_parameters'] as { receiver_user_id?: number } | undefined
  const receiver = ephemeral === '10.2' ? params['receiver_user_id'] : ephemeral ? given?.receiver_user_id : undefined
  if (receiver === undefined) return null
  const room = writable(world, params)
  const user = world.users.get(Number(receiver))
  if (!user || room.chat.type === 'channel' || room.chat.type === 'private') throw bad('USER_NOT_PARTICIPANT')
  const number = room.messages.filter(({ only }) => only !== undefined).length + 1
  const fields = { ...textFields(params), message_id: 0, ephemeral_message_id: number, receiver_user: user }
  return world.store(room, world.me, fields, { only: user.id }).message
}

/** Bot API 9.3, for all bots since 9.5: private chats alone, 0 to 4096 characters, for thirty seconds. */
function sendMessageDraft(world: World, { params }: Asked): true {
  const { drafts } = world.options
  if (drafts === 'none') throw new Refused(404, 'Not Found: method not found')
  const { chat } = writable(world, params)
  if (chat.type !== 'private') throw bad('TEXTDRAFT_PEER_INVALID')
  if (drafts === 'topics') throw bad('the method is available only for bots with forum topic mode enabled')
  const id = params['draft_id']
  if (!Number.isInteger(id) || id === 0) throw bad('draft_id must be non-zero')
  const empty = params['text'] === undefined || params['text'] === ''
  const { text } = empty ? { text: 'Thinking...' } : taken(params['text'], params['entities'], 4096, 'text')
  world.showDraft({ chat: chat.id, id: Number(id), text, atMs: Date.now() })
  return true
}

function deleteEphemeralMessage(world: World, { params }: Asked): true {
  if (!world.options.ephemeral) throw new Refused(404, 'Not Found: method not found')
  const { messages } = roomOf(world, params)
  const found = messages.find(
    ({ message, only }) =>
      only === Number(params['receiver_user_id']) && message['ephemeral_message_id'] === params['ephemeral_message_id'],
  )
  if (!found) throw bad('message to delete not found')
  found.deleted = true
  return true
}

const textFields = (params: Fields): Fields => {
  const { text, entities } = taken(params['text'], params['entities'], 4096, 'text')
  return { text, ...(entities.length === 0 ? {} : { entities }) }
}

const captionFields = (given: Fields): Fields => {
  if (given['caption'] === undefined || given['caption'] === '') return {}
  const { text, entities } = taken(given['caption'], given['caption_entities'], 1024, 'caption')
  return text === '' ? {} : { caption: text, ...(entities.length === 0 ? {} : { caption_entities: entities }) }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null)

function rewrite(world: World, stored: Stored, fields: Fields): Fields {
  if (Object.keys(fields).every(key => same(stored.message[key], fields[key]))) {
    throw bad(
      'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
    )
  }
  world.edit(stored, fields, false)
  return stored.message
}

/** Keeps a file and describes it as Telegram does. */
export function fileFields(world: World, kind: string, name: string, bytes: Uint8Array, type: string): Fields {
  const number = world.files.size + 1
  const file = { file_id: `AgACAgIAAx${number}`, file_unique_id: `AQAD${number}`, file_size: bytes.length }
  world.files.set(file.file_id, { bytes, path: `${kind}s/file_${number}`, size: bytes.length })
  if (kind === 'photo') return { photo: [{ ...file, width: 90, height: 60 }] }
  const described = { ...file, file_name: name, mime_type: type }
  if (kind === 'document') return { document: described }
  if (kind === 'audio') return { audio: { ...described, duration: 3 } }
  const shown = { ...described, width: 90, height: 60, duration: 3 }
  return kind === 'animation' ? { animation: shown, document: described } : { [kind]: shown }
}

function uploaded(asked: Asked, field: string, kind: string): { name: string; bytes: Uint8Array; type: string } {
  const file = asked.files.get(field)
  if (!file) throw bad(`there is no ${kind} in the request`)
  if (file.bytes.length > mostUpload) throw new Refused(413, 'Request Entity Too Large')
  if (file.bytes.length === 0) throw bad('file must be non-empty')
  const text = Buffer.from(file.bytes.subarray(0, 9)).toString('latin1')
  if (kind === 'photo' && text.startsWith('not a pic')) throw bad('IMAGE_PROCESS_FAILED')
  return file
}

const sendFile =
  (kind: string): Method =>
  (world, asked) => {
    const room = writable(world, asked.params)
    const { name, bytes, type } = uploaded(asked, kind, kind)
    const fields = { ...fileFields(world, kind, name, bytes, type), ...captionFields(asked.params) }
    return post(world, room, asked.params, fields, bytes)
  }

function sendMediaGroup(world: World, asked: Asked): Fields[] {
  const room = writable(world, asked.params)
  const media = asked.params['media']
  if (!Array.isArray(media) || media.length < 2 || media.length > 10) throw bad('there must be 2-10 media in the group')
  const kinds = new Set(
    (media as Fields[]).map(({ type }) => (type === 'photo' || type === 'video' ? 'picture' : type)),
  )
  if (kinds.size > 1) throw bad("document can't be mixed with other media types")
  const group = String(Date.now())
  const parts = (media as Fields[]).map(each => ({
    each,
    kind: String(each['type']),
    file: uploaded(asked, String(each['media']).replace('attach://', ''), String(each['type'])),
    caption: captionFields(each),
  }))
  return parts.map(({ kind, file, caption }) => {
    const fields = { ...fileFields(world, kind, file.name, file.bytes, file.type), ...caption, media_group_id: group }
    return post(world, room, asked.params, fields, file.bytes)
  })
}

function setMessageReaction(world: World, { params }: Asked): true {
  const room = writable(world, params)
  const stored = messageIn(room, params['message_id'], 'react')
  const given = (params['reaction'] ?? []) as { type: string; emoji?: string }[]
  if (given.length > 1) throw bad('REACTIONS_TOO_MANY')
  if (given.some(({ emoji }) => !reactions.includes(emoji ?? ''))) throw bad('REACTION_INVALID')
  stored.reactions = given.map(({ emoji }) => emoji ?? '')
  return true
}

function deleteMessage(world: World, { params }: Asked): true {
  const room = writable(world, params)
  const stored = messageIn(room, params['message_id'], 'delete')
  const old = stored.message.date < seconds() - 48 * 3600
  if (old || (stored.from?.id !== world.me.id && room.bot.status !== 'administrator'))
    throw bad("message can't be deleted")
  stored.deleted = true
  return true
}

function getFile(world: World, { params }: Asked): Fields {
  const file = world.files.get(String(params['file_id']))
  if (!file) throw bad('wrong file_id or the file is temporarily unavailable')
  if (file.size > mostDownload) throw bad('file is too big')
  return {
    file_id: params['file_id'],
    file_unique_id: `u${String(params['file_id'])}`,
    file_size: file.size,
    file_path: file.path,
  }
}

const chatFields = ({ chat }: Room): Fields => ({
  ...chat,
  accent_color_id: 1,
  max_reaction_count: 11,
  accepted_gift_types: {
    unlimited_gifts: false,
    limited_gifts: false,
    unique_gifts: false,
    premium_subscription: false,
    gifts_from_channels: false,
  },
})

const rights =
  `can_be_edited is_anonymous can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members
  can_promote_members can_change_info can_invite_users can_post_stories can_edit_stories can_delete_stories`.split(
    /\s+/,
  )
const restrictions =
  `can_send_messages can_send_audios can_send_documents can_send_photos can_send_videos can_send_video_notes
  can_send_voice_notes can_send_polls can_send_other_messages can_add_web_page_previews can_react_to_messages can_edit_tag
  can_change_info can_invite_users can_pin_messages can_manage_topics`.split(/\s+/)

/** The bot's own membership, as the API describes it. */
export function membershipOf(world: World, { bot }: Room): Fields {
  const all = (names: readonly string[], value: boolean): Fields => Object.fromEntries(names.map(name => [name, value]))
  const { me } = world
  if (bot.status === 'administrator') return { status: 'administrator', user: me, ...all(rights, true) }
  if (bot.status === 'restricted' || !bot.canSend) {
    return { status: 'restricted', user: me, is_member: true, ...all(restrictions, bot.canSend), until_date: 0 }
  }
  return bot.status === 'kicked' ? { status: 'kicked', user: me, until_date: 0 } : { status: bot.status, user: me }
}

function getChatMember(world: World, { params }: Asked): Fields {
  const room = visible(world, params)
  if (Number(params['user_id']) !== world.me.id) throw bad('user not found')
  return membershipOf(world, room)
}

function setMyCommands(world: World, { params }: Asked): true {
  const commands = params['commands'] as { command: string; description: string }[]
  if (!Array.isArray(commands) || commands.length > 100) throw bad('BOT_COMMANDS_TOO_MUCH')
  if (commands.some(({ command }) => !/^[a-z0-9_]{1,32}$/.test(command))) throw bad('BOT_COMMAND_INVALID')
  if (commands.some(({ description }) => description.length < 1 || description.length > 256)) {
    throw bad('BOT_COMMAND_DESCRIPTION_INVALID')
  }
  world.commands.set(JSON.stringify(params['scope'] ?? { type: 'default' }), commands)
  return true
}

function sendChatAction(world: World, { params }: Asked): true {
  const { chat } = writable(world, params)
  world.actions.push({ chat: chat.id, action: String(params['action']) })
  return true
}

export const methods: Readonly<Record<string, Method>> = {
  getMe: world => world.self,
  sendMessage: (world, { params }) =>
    sendEphemeral(world, params) ?? post(world, writable(world, params), params, textFields(params)),
  deleteEphemeralMessage,
  sendMessageDraft,
  sendPhoto: sendFile('photo'),
  sendDocument: sendFile('document'),
  sendVideo: sendFile('video'),
  sendAudio: sendFile('audio'),
  sendAnimation: sendFile('animation'),
  sendMediaGroup,
  editMessageText: (world, { params }) => {
    const stored = ownIn(world, params)
    if (stored.message['text'] === undefined) throw bad('there is no text in the message to edit')
    return rewrite(world, stored, { entities: undefined, ...textFields(params) })
  },
  editMessageCaption: (world, { params }) => {
    const stored = ownIn(world, params)
    if (stored.message['text'] !== undefined) throw bad('there is no caption in the message to edit')
    return rewrite(world, stored, { caption: undefined, caption_entities: undefined, ...captionFields(params) })
  },
  editMessageReplyMarkup: (world, { params }) =>
    rewrite(world, ownIn(world, params), { reply_markup: params['reply_markup'] }),
  deleteMessage,
  setMessageReaction,
  getFile,
  getChat: (world, { params }) => chatFields(visible(world, params)),
  getChatMember,
  setMyCommands,
  getMyCommands: (world, { params }) => world.commandsOf(params['scope']),
  getWebhookInfo: () => ({ url: '', has_custom_certificate: false, pending_update_count: 0 }),
  sendChatAction,
}
