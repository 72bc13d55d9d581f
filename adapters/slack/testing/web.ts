import { history, replies } from './history.ts'
import { postEphemeral, postMessage, reaction, remove, update } from './messages.ts'
import { channelOf, type Method, mustBeIn, need, parsed, Refusal, required, text, threadOf } from './method.ts'
import { app, type Channel, type Json, type Person, team, userObject, type Workspace } from './workspace.ts'

const channelObject = (channel: Channel): Json => ({
  id: channel.id,
  created: 1_700_000_000,
  is_archived: channel.archived,
  is_im: channel.kind === 'im',
  is_org_shared: false,
  ...(channel.kind === 'im'
    ? { user: [...channel.members].find(id => id !== app.user), is_user_deleted: false, priority: 0 }
    : {
        name: channel.name,
        name_normalized: channel.name,
        creator: 'U0000ALICE',
        is_channel: true,
        is_group: false,
        is_mpim: false,
        is_general: false,
        is_private: channel.kind === 'private',
        is_member: channel.members.has(app.user),
        is_shared: channel.shared,
        is_ext_shared: channel.shared,
        is_pending_ext_shared: false,
        pending_shared: [],
        previous_names: [],
        unlinked: 0,
        topic: { value: '', creator: '', last_set: 0 },
        purpose: { value: '', creator: '', last_set: 0 },
      }),
})

const readScope = ({ kind }: Channel): string =>
  kind === 'im' ? 'im:read' : kind === 'private' ? 'groups:read' : 'channels:read'

/** Those of the app, or all that it can see. */
const conversations =
  (mineOnly: boolean): Method =>
  (workspace, args, caller) => {
    const types = (text(args, 'types') || 'public_channel').split(',')
    const scopes: Readonly<Record<string, string>> = {
      public_channel: 'channels:read',
      private_channel: 'groups:read',
      im: 'im:read',
    }
    for (const type of types) need(caller, scopes[type] as string)
    const kinds = types.map(type => type.replace('_channel', ''))
    const mine = [...workspace.channels.values()].filter(
      channel =>
        (channel.members.has(app.user) || (!mineOnly && channel.kind === 'public')) &&
        kinds.includes(channel.kind) &&
        !(String(args['exclude_archived']) === 'true' && channel.archived),
    )
    const from = Number(text(args, 'cursor') || 0)
    const limit = Number(args['limit'] ?? 100)
    const next = from + limit < mine.length ? String(from + limit) : ''
    return { channels: mine.slice(from, from + limit).map(channelObject), response_metadata: { next_cursor: next } }
  }

const conversationsOpen: Method = (workspace, args, caller) => {
  need(caller, 'im:write')
  required(args, 'users')
  const person = workspace.people.get(text(args, 'users'))
  if (!person) throw new Refusal('user_not_found')
  if (person.bot) throw new Refusal('cannot_dm_bot')
  return { channel: { id: workspace.im(person.id).id } }
}

const usersInfo: Method = (workspace, args, caller) => {
  need(caller, 'users:read')
  required(args, 'user')
  const person: Person | undefined = workspace.people.get(text(args, 'user'))
  if (!person) throw new Refusal('user_not_found')
  return { user: userObject(person) }
}

export const fileObject = (workspace: Workspace, id: string, base: string): Json => {
  const file = workspace.files.get(id)
  if (!file) return { id, mode: 'tombstone' }
  const byKind = (isPrivate: boolean): Json =>
    Object.fromEntries(
      [...file.shares]
        .filter(([channel]) => (workspace.channels.get(channel)?.kind === 'public') !== isPrivate)
        .map(([channel, all]) => [
          channel,
          all.map(ts => ({ ts, channel_name: '', team_id: team, reply_users: [], reply_count: 0 })),
        ]),
    )
  return {
    id,
    created: 1_700_000_000,
    timestamp: 1_700_000_000,
    name: file.name,
    title: file.name,
    mimetype: 'application/octet-stream',
    filetype: 'binary',
    pretty_type: 'Binary',
    user: app.user,
    size: file.length,
    mode: 'hosted',
    is_external: false,
    external_type: '',
    is_public: true,
    public_url_shared: false,
    display_as_bot: false,
    username: '',
    editable: false,
    url_private: `${base}/files-pri/${id}`,
    url_private_download: `${base}/files-pri/${id}/download`,
    permalink: `${base}/files/${id}`,
    permalink_public: `${base}/pub/${id}`,
    shares: { public: byKind(false), private: byKind(true) },
    channels: [],
    groups: [],
    ims: [],
    comments_count: 0,
  }
}

const filesInfo: Method = (workspace, args, caller) => {
  need(caller, 'files:read')
  const file = workspace.files.get(text(args, 'file'))
  if (!file || file.gone) throw new Refusal('file_not_found')
  return { file: fileObject(workspace, file.id, caller.base), comments: [], response_metadata: { next_cursor: '' } }
}

const getUploadURL: Method = (workspace, args, caller) => {
  need(caller, 'files:write')
  required(args, 'filename')
  const length = Number(args['length'])
  if (!Number.isInteger(length) || length < 1) throw new Refusal('invalid_arguments')
  const file = workspace.store(text(args, 'filename'), null, length)
  return { upload_url: `${caller.base}/upload/v1/${file.id}`, file_id: file.id }
}

const completeUpload: Method = (workspace, args, caller) => {
  need(caller, 'files:write')
  const files = (parsed(args, 'files') as Json[] | undefined) ?? []
  if (files.length === 0) throw new Refusal('invalid_arguments')
  const stored = files.map(({ id }) => workspace.files.get(String(id)))
  if (stored.some(file => !file || file.bytes?.length !== file.length)) throw new Refusal('file_not_found')
  const channel = text(args, 'channel_id') === '' ? null : channelOf(workspace, args, 'channel_id')
  if (channel) {
    mustBeIn(channel)
    const ts = workspace.stamp()
    for (const file of stored) file?.shares.set(channel.id, [...(file.shares.get(channel.id) ?? []), ts])
    workspace.post(channel, {
      ts,
      subtype: 'file_share',
      user: app.user,
      bot_id: app.bot,
      text: text(args, 'initial_comment'),
      ...threadOf(workspace, channel, args),
      files: files.map(({ id }) => ({ id: String(id) })),
    })
  }
  return { files: files.map(({ id, title }) => ({ id, title })) }
}

/** Every method that the fake knows. `most`: what a page of history holds at most. */
export const methods = (most: () => number): Readonly<Record<string, Method>> => ({
  'auth.test': () => ({
    url: 'https://fake.slack.com/',
    team: 'Fake',
    user: app.name,
    team_id: team,
    user_id: app.user,
    bot_id: app.bot,
    is_enterprise_install: false,
  }),
  'bots.info': (_workspace, args, caller) => {
    need(caller, 'users:read')
    if (text(args, 'bot') !== app.bot) throw new Refusal('bot_not_found')
    return {
      bot: {
        id: app.bot,
        app_id: app.id,
        name: app.name,
        deleted: false,
        updated: 1_700_000_000,
        icons: { image_36: '', image_48: '', image_72: '' },
      },
    }
  },
  'users.info': usersInfo,
  'users.conversations': conversations(true),
  'conversations.list': conversations(false),
  'conversations.info': (workspace, args, caller) => {
    const channel = channelOf(workspace, args)
    need(caller, readScope(channel))
    return { channel: channelObject(channel) }
  },
  'conversations.join': (workspace, args, caller) => {
    need(caller, 'channels:join')
    const channel = channelOf(workspace, args)
    if (channel.kind !== 'public') throw new Refusal('method_not_supported_for_channel_type')
    if (channel.archived) throw new Refusal('is_archived')
    workspace.join(channel, app.user)
    return { channel: channelObject(channel) }
  },
  'conversations.leave': (workspace, args) => {
    const channel = channelOf(workspace, args)
    workspace.leave(channel, app.user)
    return {}
  },
  'conversations.open': conversationsOpen,
  'conversations.history': history(most),
  'conversations.replies': replies(most),
  'chat.postMessage': postMessage,
  'chat.postEphemeral': postEphemeral,
  'chat.update': update,
  'chat.delete': remove,
  'reactions.add': reaction('already_reacted'),
  'reactions.remove': reaction('no_reaction'),
  'files.info': filesInfo,
  'files.getUploadURLExternal': getUploadURL,
  'files.completeUploadExternal': completeUpload,
})
