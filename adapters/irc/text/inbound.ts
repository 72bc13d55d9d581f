import {
  type ChannelId,
  type ChatEvent,
  type Content,
  type MessageId,
  type NetworkId,
  type Origin,
  type Place,
  type Segment,
  type Sender,
  type Style,
  saidMs,
} from '../../../core/event.ts'
import { deliveryTag, instanceTag, originTag } from '../link/settle.ts'
import { parseFormat } from './format.ts'
import { fromUser, type Line, lastParam, serverTimeMs } from './line.ts'
import { accountId, directPlace, type Fold, strangerId } from './names.ts'

/** What a converter must know of the connection a line came by. It changes nothing there. */
export interface LineContext {
  readonly network: NetworkId
  readonly instance: string
  /** Whose connection it is; null for the main one, which alone reports channels. */
  readonly persona: string | null
  /** The nick by which people call all bots at once; null where each has one of its own. */
  calledAs(): string | null
  /** Random per connection: makes keys where the server gives no ids. */
  readonly nonce: string
  readonly connectedMs: number
  /** How far the server's clock is ahead of ours, milliseconds; behind when negative. */
  readonly clock: { readonly aheadMs: number }
  readonly fold: Fold
  /** How rooms write a channel that the server compares as this. */
  placeOf(folded: string): string
  isChannel(name: string): boolean
  /** A nick one of our own connections holds on this network. */
  isOwn(nick: string): boolean
  /** A nick our connections use here or on another network of this process; proves nothing without our instance tag. */
  isFace(nick: string): boolean
  channelsOf(nick: string): readonly string[]
  accountOf(nick: string): string | null
}

/** One line to convert: `count` is its number on this connection; `history` names the batch's channel when it is one. */
export interface Told {
  readonly line: Line
  readonly count: number
  readonly history?: string
  readonly split?: true
}

/** Older than this before the connection began, both by the server's clock: a bouncer replays it without a batch. */
const replayMs = 60_000
const firstMs = Date.UTC(2000, 0)
const dayMs = 86_400_000
const netsplit = /^\S+\.\S+ \S+\.\S+$/
const services = /^(?:nick|chan|memo|oper|hist|sasl|bot|host|group|stat)serv$|^global$/i

export function senderOf(line: Line, heard: LineContext): Sender {
  const { nick } = line
  const relayed = line.tags['draft/relaymsg'] !== undefined
  const account = relayed ? undefined : line.tags['account'] || undefined
  const kind = heard.isOwn(nick) ? 'self' : relayed || line.tags['bot'] !== undefined ? 'bot' : 'person'
  if (account !== undefined) return { id: accountId(account), name: nick, kind, verified: true }
  return { id: strangerId(nick, heard.fold), name: nick, kind, verified: false }
}

export const channelPlace = (name: string, heard: LineContext): Place => ({
  network: heard.network,
  channel: heard.placeOf(heard.fold(name)) as ChannelId,
})

const canBe = (atMs: number, nowMs: number): boolean => atMs >= firstMs && atMs <= nowMs + dayMs

/** How far ahead of ours what is kept of a server's stamps is: of a clock that shows what can't be, it is by our own. */
export function keptAheadMs({ aheadMs }: { readonly aheadMs: number }): number {
  const nowMs = Date.now()
  return canBe(nowMs + aheadMs, nowMs) ? aheadMs : 0
}

/** A stamp that can't be true is none: it counts from its arrival. */
function stampOf(line: Line, { clock }: LineContext): { atMs: number; aheadMs?: number } {
  const nowMs = Date.now()
  const stampMs = serverTimeMs(line)
  const aheadMs = keptAheadMs(clock)
  const atMs = stampMs === null ? Number.NaN : stampMs - (clock.aheadMs - aheadMs)
  if (!canBe(atMs, nowMs)) return { atMs: nowMs }
  return { atMs, ...(aheadMs === 0 ? {} : { aheadMs }) }
}

function base(told: Told, heard: LineContext, place: Place, each: boolean) {
  const { line, count } = told
  const stamp = stampOf(line, heard)
  const old = told.history !== undefined || saidMs(stamp) < heard.connectedMs - replayMs
  const id = line.tags['msgid'] || `~${heard.nonce}:${count}`
  const origin: Origin = old ? 'backfill' : 'live'
  // QUIT and NICK are one line for many channels: each place needs a key of its own.
  const key = `${heard.network}:${id}${each ? `/${place.channel}` : ''}`
  return { id: id as MessageId, base: { key, place, sender: senderOf(line, heard), ...stamp, origin } }
}

const saidByInstance = (line: Line, heard: LineContext): boolean =>
  line.tags[instanceTag] === heard.instance || line.tags[originTag] === heard.instance

/**
 * Said by one of our own connections: its delivery settles by the echo, it is no news. The instance tag alone is not
 * enough, or anybody could copy it to stay out of the record.
 */
export function isOwnWords(line: Line, heard: LineContext): boolean {
  const by = line.tags['draft/relaymsg'] ?? line.nick
  return heard.isOwn(by) || (saidByInstance(line, heard) && heard.isFace(by))
}

const replyTo = (line: Line): MessageId | undefined =>
  (line.tags['+reply'] || line.tags['+draft/reply'] || undefined) as MessageId | undefined

/** CTCP other than ACTION is between programs: null. */
function contentOf(line: Line, heard: LineContext): Content | null {
  let text = lastParam(line)
  let style: Style | undefined = line.command === 'NOTICE' ? 'notice' : undefined
  if (text.startsWith('\x01')) {
    const action = /^\x01ACTION ([^\x01]*)\x01?$/s.exec(text)
    if (!action || style) return null
    text = action[1] ?? ''
    style = 'action'
  }
  const reply = replyTo(line)
  return {
    segments: calling(parseFormat(text), heard),
    ...(reply === undefined ? {} : { replyTo: reply }),
    ...(style === undefined ? {} : { style }),
  }
}

/** `chanop: status`: the one nick that speaks for all bots is a mention of us. */
function calling(segments: readonly Segment[], heard: LineContext): readonly Segment[] {
  const nick = heard.calledAs()
  const [first, ...rest] = segments
  if (nick === null || first?.kind !== 'text') return segments
  const [whole, at, name = ''] = /^(@?)([^\s:,@]+)(?=[:,](?:\s|$)|\s|$)/.exec(first.text) ?? []
  const after = first.text.slice(whole?.length ?? 0)
  if (whole === undefined || heard.fold(name) !== heard.fold(nick) || (!at && !/^[:,]/.test(after))) return segments
  const mention: Segment = { kind: 'mention', id: null, name, self: true }
  return after === '' ? [mention, ...rest] : [mention, { ...first, text: after }, ...rest]
}

/** Where a message was said: null when it is not for us to report. */
export function placeOf(told: Told, heard: LineContext): Place | null {
  const { line } = told
  const target = line.params[0] ?? ''
  if (heard.isChannel(target)) return heard.persona === null ? channelPlace(target, heard) : null
  // `@#channel` is for operators only, `$$*` for everybody on the server.
  if (/^[~&@%+$]/.test(target) || target === '*') return null
  if (services.test(line.nick) || !fromUser(line)) return null
  // What another of our clients says to somebody comes as an echo too.
  if (!heard.isOwn(target) && !heard.isFace(target)) return null
  return directPlace(heard.network, { user: senderOf(line, heard).id, persona: heard.persona })
}

function message(told: Told, heard: LineContext): ChatEvent[] {
  const { line } = told
  if (line.params.length < 2 || !fromUser(line) || isOwnWords(line, heard)) return []
  const place = placeOf(told, heard)
  const content = contentOf(line, heard)
  if (!place || !content || content.segments.length === 0) return []
  const { id, base: common } = base(told, heard, place, false)
  const copied = line.tags[originTag] !== undefined
  const to = place.private ? { to: heard.persona ?? 'bridge' } : {}
  return [{ kind: 'message', ...common, id, content, ...to, ...(copied ? { hops: 1 } : {}) }]
}

function reaction(told: Told, heard: LineContext): ChatEvent[] {
  const { line } = told
  const target = replyTo(line)
  const removed = line.tags['+draft/unreact']
  const emoji = line.tags['+draft/react'] ?? removed
  if (!emoji || target === undefined || !fromUser(line) || isOwnWords(line, heard)) return []
  const place = placeOf(told, heard)
  if (!place) return []
  const common = base(told, heard, place, false).base
  return [{ kind: 'reaction', ...common, target, emoji, ...(removed === undefined ? {} : { removed: true as const }) }]
}

function redaction(told: Told, heard: LineContext): ChatEvent[] {
  const [, target, reason] = told.line.params
  const place = placeOf(told, heard)
  if (!target || !place || heard.isOwn(told.line.nick)) return []
  // The line has no id of its own everywhere; what it removes is one fact by itself.
  const common = { ...base(told, heard, place, false).base, key: `${heard.network}:redact/${target}` }
  return [{ kind: 'delete', ...common, target: target as MessageId, ...(reason ? { reason } : {}) }]
}

function topic(told: Told, heard: LineContext): ChatEvent[] {
  const [channel = '', text = ''] = told.line.params
  if (heard.persona !== null || !heard.isChannel(channel)) return []
  return [{ kind: 'topic', ...base(told, heard, channelPlace(channel, heard), false).base, topic: text }]
}

type Change = { change: 'join' | 'leave' | 'rename'; detail?: string; split?: true }

function members(
  told: Told,
  heard: LineContext,
  channels: readonly string[],
  each: boolean,
  change: Change,
): ChatEvent[] {
  if (heard.persona !== null || !fromUser(told.line)) return []
  return channels
    .filter(channel => heard.isChannel(channel))
    .map(channel => ({ kind: 'member', ...base(told, heard, channelPlace(channel, heard), each).base, ...change }))
}

/** QUIT and NICK name no channel: history knows which it was, live lines mean every one we share. */
const sharedBy = (told: Told, heard: LineContext): readonly string[] =>
  told.history === undefined ? heard.channelsOf(told.line.nick) : [told.history]

const detail = (text: string | undefined): { detail?: string } => (text ? { detail: text } : {})

function quit(told: Told, heard: LineContext): ChatEvent[] {
  const reason = told.line.params[0] ?? ''
  const split = told.split || netsplit.test(reason) ? { split: true as const } : {}
  return members(told, heard, sharedBy(told, heard), true, { change: 'leave', ...detail(reason), ...split })
}

/** The one who leaves is the one who was kicked, whose account this line does not vouch for. */
function kick(told: Told, heard: LineContext): ChatEvent[] {
  const [channel = '', nick = '', reason] = told.line.params
  if (nick === '' || heard.persona !== null || !heard.isChannel(channel)) return []
  const common = base(told, heard, channelPlace(channel, heard), false).base
  const account = heard.accountOf(nick)
  const sender: Sender = {
    id: account === null ? strangerId(nick, heard.fold) : accountId(account),
    name: nick,
    kind: heard.isOwn(nick) ? 'self' : 'person',
    verified: false,
  }
  const by = `kicked by ${told.line.nick}${reason ? `: ${reason}` : ''}`
  return [{ kind: 'member', ...common, sender, change: 'leave', detail: by }]
}

/** What one line (or a joined multiline batch) tells. Pure but for the clock where the server gives no time. */
export function toEvents(told: Told, heard: LineContext): ChatEvent[] {
  const { line } = told
  const [first = '', second] = line.params
  switch (line.command) {
    case 'PRIVMSG':
    case 'NOTICE':
      return message(told, heard)
    case 'TAGMSG':
      return reaction(told, heard)
    case 'REDACT':
      return redaction(told, heard)
    case 'TOPIC':
      return topic(told, heard)
    case 'JOIN':
      return members(told, heard, [first], false, { change: 'join' })
    case 'PART':
      return members(told, heard, [first], false, { change: 'leave', ...detail(second) })
    case 'QUIT':
      return quit(told, heard)
    case 'NICK':
      return members(told, heard, sharedBy(told, heard), true, { change: 'rename', ...detail(first) })
    case 'KICK':
      return kick(told, heard)
    default:
      return []
  }
}

/** The delivery and part that a line of ours belongs to; null for anybody else's line, whatever it claims. */
export function ownMark(line: Line, heard: LineContext): string | null {
  const mark = line.tags[deliveryTag]
  return mark !== undefined && saidByInstance(line, heard) && isOwnWords(line, heard) ? mark : null
}
