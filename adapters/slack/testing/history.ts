import { type Caller, channelOf, historyScope, type Method, mustBeIn, need, Refusal, required, text } from './method.ts'
import type { Channel, Json, Message, Workspace } from './workspace.ts'

interface Range {
  readonly oldest: number
  readonly latest: number
  readonly inclusive: boolean
  readonly limit: number
  readonly from: number
}

function rangeOf(args: Json, most: number): Range {
  for (const name of ['oldest', 'latest']) {
    const value = args[name]
    if (value !== undefined && !/^\d+(\.\d+)?$/.test(text(args, name))) throw new Refusal(`invalid_ts_${name}`)
  }
  const limit = Number(args['limit'] ?? 100)
  if (!(limit >= 1 && limit <= 1000)) throw new Refusal('invalid_limit')
  const cursor = text(args, 'cursor')
  if (cursor !== '' && !cursor.startsWith('next:')) throw new Refusal('invalid_cursor')
  return {
    oldest: Number(args['oldest'] ?? 0),
    latest: Number(args['latest'] ?? Number.POSITIVE_INFINITY),
    inclusive: String(args['inclusive']) === 'true',
    limit: Math.min(limit, most),
    from: cursor === '' ? 0 : Number(cursor.slice(5)),
  }
}

const within = ({ oldest, latest, inclusive }: Range, ts: number): boolean =>
  inclusive ? ts >= oldest && ts <= latest : ts > oldest && ts < latest

function page(messages: readonly Message[], { from, limit }: Range, args: Json): Json {
  const some = messages.slice(from, from + limit)
  const more = from + limit < messages.length
  const bare =
    String(args['include_all_metadata']) === 'true' ? some : some.map(({ metadata: _metadata, ...message }) => message)
  return {
    messages: structuredClone(bare),
    has_more: more,
    ...(more ? { response_metadata: { next_cursor: `next:${from + limit}` } } : {}),
  }
}

const isTopLevel = (message: Message): boolean =>
  message.thread_ts === undefined || message.thread_ts === message.ts || message.subtype === 'thread_broadcast'

function readable(workspace: Workspace, args: Json, caller: Caller): Channel {
  const channel = channelOf(workspace, args)
  need(caller, historyScope(channel))
  mustBeIn(channel)
  return channel
}

/** Newest first. */
export const history =
  (most: () => number): Method =>
  (workspace, args, caller) => {
    const channel = readable(workspace, args, caller)
    const range = rangeOf(args, most())
    const found = channel.messages.filter(message => isTopLevel(message) && within(range, Number(message.ts)))
    return {
      ...page(sorted(found).reverse(), range, args),
      pin_count: 0,
      channel_actions_ts: null,
      channel_actions_count: 0,
    }
  }

/** The root, and then earliest first. */
export const replies =
  (most: () => number): Method =>
  (workspace, args, caller) => {
    const channel = readable(workspace, args, caller)
    required(args, 'ts')
    const root = workspace.find(channel, text(args, 'ts'))
    if (!root) throw new Refusal('thread_not_found')
    const range = rangeOf(args, most())
    const thread = channel.messages.filter(each => each !== root && each.thread_ts === root.ts)
    return page([root, ...sorted(thread).filter(each => within(range, Number(each.ts)))], range, args)
  }

const sorted = (messages: readonly Message[]): Message[] => [...messages].sort((a, b) => Number(a.ts) - Number(b.ts))
