import { app, type Channel, type Json, type Workspace } from './workspace.ts'

/** Thrown by a method: Slack's `{ ok: false, error }`. */
export class Refusal extends Error {
  readonly body: Json
  constructor(error: string, more: Json = {}) {
    super(error)
    this.body = { ok: false, error, ...more }
  }
}

/** All that the methods below ask of the bot token. */
export const allScopes: readonly string[] =
  `app_mentions:read channels:history channels:join channels:read chat:write chat:write.customize commands
  files:read files:write groups:history groups:read im:history im:read im:write metadata.message:read
  reactions:read reactions:write users:read`.split(/\s+/)

export interface Caller {
  readonly scopes: ReadonlySet<string>
  readonly base: string
}

export type Method = (workspace: Workspace, args: Json, caller: Caller) => Json

export const need = (caller: Caller, ...scopes: string[]): void => {
  if (scopes.some(scope => caller.scopes.has(scope))) return
  throw new Refusal('missing_scope', { needed: scopes[0], provided: [...caller.scopes].join(',') })
}

export const text = (args: Json, name: string): string => {
  const value = args[name]
  return typeof value === 'string' ? value : ''
}

export const required = (args: Json, ...names: string[]): void => {
  for (const name of names) {
    if (text(args, name) === '') {
      throw new Refusal('invalid_arguments', {
        response_metadata: { messages: [`[ERROR] missing required field: ${name}`] },
      })
    }
  }
}

export function parsed(args: Json, name: string): unknown {
  const raw = args[name]
  if (typeof raw !== 'string' || raw === '') return raw === '' ? undefined : raw
  try {
    return JSON.parse(raw)
  } catch {
    throw new Refusal('invalid_arguments', { response_metadata: { messages: [`[ERROR] ${name} is no JSON`] } })
  }
}

export function channelOf(workspace: Workspace, args: Json, name = 'channel'): Channel {
  required(args, name)
  const channel = workspace.channels.get(text(args, name))
  const hidden = channel && channel.kind !== 'public' && !channel.members.has(app.user)
  if (!channel || hidden) throw new Refusal('channel_not_found')
  return channel
}

export const historyScope = ({ kind }: Channel): string =>
  kind === 'im' ? 'im:history' : kind === 'private' ? 'groups:history' : 'channels:history'

export function mustBeIn(channel: Channel): void {
  if (!channel.members.has(app.user)) throw new Refusal('not_in_channel')
}

export const isTs = (value: string): boolean => /^\d{10}\.\d{6}$/.test(value)

export function threadOf(workspace: Workspace, channel: Channel, args: Json): Json {
  const thread = text(args, 'thread_ts')
  if (thread === '') return {}
  if (!isTs(thread)) throw new Refusal('invalid_arguments')
  const root = workspace.find(channel, thread)
  if (!root) throw new Refusal('thread_not_found')
  return { thread_ts: root.thread_ts ?? root.ts }
}
