/**
 * The vocabulary of Chanop: what a chat platform can tell us and what we can say there.
 * This file imports nothing; everything else speaks in these words.
 */

declare const brand: unique symbol

/** An opaque id. Only the adapter of its network mints and parses it; everyone else compares and stores it. */
export type Id<B extends string> = string & { readonly [brand]: B }

/** The name of one configured account on one platform, e.g. `irc` or `acme-slack`. Unique in an instance. */
export type NetworkId = Id<'network'>
/** A channel, room or direct conversation. Unique on its network, e.g. `#general`, `@alice` (an IRC DM), `C0123`. */
export type ChannelId = Id<'channel'>
/** Who wrote. Unique on its network and never re-used for somebody else while `verified` (an IRC account, a Discord id). */
export type UserId = Id<'user'>
/** A native message id. Unique on its network together with the channel. */
export type MessageId = Id<'message'>

/** Where something is said. `thread` is the id of the message that opened the thread. */
export interface Place {
  readonly network: NetworkId
  readonly channel: ChannelId
  readonly thread?: MessageId
  /** A direct conversation with one person: what is said here never surfaces in a room. */
  readonly private?: true
}

export interface Sender {
  readonly id: UserId
  /** The display name of the moment. Grants nothing. */
  readonly name: string
  /** `self`: one of our own personas. `bot`: the platform marks it as a program, or it is a copy another relay made. */
  readonly kind: 'person' | 'bot' | 'self'
  /** The platform vouches for `id` on this very event (IRC: `account` server tag). Only then can it carry a role. */
  readonly verified: boolean
}

export type Mark = 'bold' | 'italic' | 'underline' | 'strike' | 'mono' | 'spoiler'

export type Segment =
  | { readonly kind: 'text'; readonly text: string; readonly marks?: readonly Mark[] }
  | { readonly kind: 'link'; readonly url: string; readonly text?: string }
  | { readonly kind: 'mention'; readonly id: UserId | null; readonly name: string }
  | { readonly kind: 'emoji'; readonly name: string; readonly text: string }
  | { readonly kind: 'code'; readonly text: string; readonly block: boolean; readonly language?: string }
  | { readonly kind: 'quote'; readonly text: string; readonly author?: string }

export interface Attachment {
  readonly name: string
  readonly url: string
  readonly type?: string
  readonly sizeBytes?: number
}

/** `action` is IRC's /me; `notice` is a message that no program may answer. */
export type Style = 'action' | 'notice'

export interface Content {
  readonly segments: readonly Segment[]
  readonly attachments?: readonly Attachment[]
  readonly replyTo?: MessageId
  readonly style?: Style
}

/**
 * `backfill` marks what was fetched after the fact (history, replay, a gap that was closed). It never carries a command.
 */
export type Origin = 'live' | 'backfill'

interface Base {
  /** `<network>:<something made only from the platform's own ids>`: the same fact has the same key for ever. */
  readonly key: string
  readonly place: Place
  readonly sender: Sender
  /** When the platform says it happened, Unix milliseconds. */
  readonly atMs: number
  readonly origin: Origin
}

export interface MessageEvent extends Base {
  readonly kind: 'message'
  readonly id: MessageId
  readonly content: Content
  /** The bot that a private message was said to. */
  readonly to?: string
  /** Another relay already made this copy: `hops` says how often. Copies are recorded and never relayed again past 1. */
  readonly hops?: number
}
export interface EditEvent extends Base {
  readonly kind: 'edit'
  readonly target: MessageId
  readonly content: Content
}
export interface DeleteEvent extends Base {
  readonly kind: 'delete'
  readonly target: MessageId
  readonly reason?: string
}
export interface ReactionEvent extends Base {
  readonly kind: 'reaction'
  readonly target: MessageId
  readonly emoji: string
  readonly removed?: true
}
export interface MemberEvent extends Base {
  readonly kind: 'member'
  readonly change: 'join' | 'leave' | 'rename'
  /** The reason of a leave, or the new name of a rename. */
  readonly detail?: string
  /** Left because a part of the network went away, not by choice: debounced before it is shown. */
  readonly split?: true
}
export interface TopicEvent extends Base {
  readonly kind: 'topic'
  readonly topic: string
}
/** History between two points is gone on the platform and nobody can fetch it: said aloud instead of passed over. */
export interface GapEvent extends Base {
  readonly kind: 'gap'
  readonly fromMs: number
  readonly reason: string
}

/** A fact from a platform. A discriminated union on `kind`. */
export type ChatEvent = MessageEvent | EditEvent | DeleteEvent | ReactionEvent | MemberEvent | TopicEvent | GapEvent

/** Who is in a place, or what changed there: `whole` when nobody else is. For the list of members, no fact of the record. */
export interface RosterSign {
  readonly kind: 'roster'
  readonly place: Place
  readonly present: readonly Sender[]
  /** Ids that are not there any more, e.g. of somebody who logged in and has another one now. */
  readonly gone: readonly UserId[]
  readonly whole?: true
  readonly atMs: number
}
/** Somebody is there although they say nothing. Only their being there is kept, never the sign. */
export interface LifeSign {
  readonly kind: 'life'
  readonly place: Place
  readonly sender: Sender
  readonly what: 'typing' | 'heartbeat'
  readonly atMs: number
}
/** What an adapter notices besides facts. */
export type Sign = RosterSign | LifeSign

export type Control = 'stop' | 'pause' | 'resume'

/** What a bot, or a relayed person, wants to say in one place. */
export interface Draft {
  readonly content: Content
  /** The persona (a configured bot: `oracle`) or, for relayed people, their name as shown. */
  readonly as?: { readonly name: string; readonly avatarUrl?: string; readonly relayed?: true }
  /** Never logged, never stored in clear, never in history where the platform can avoid it. */
  readonly secret?: true
  /** A secret draft at rest: the vault's box of the content as JSON; `content` is empty until it is opened. */
  readonly sealed?: string
  /** For programs that are named in it: what they are to do, besides the words. */
  readonly control?: Control
  /** Sent although it may already have been sent before a crash and the platform can't tell: adapters label it. */
  readonly repeat?: true
  /** Not whole yet: edits bring the rest. Where nothing can be edited only the whole is said. */
  readonly growing?: true
}

/**
 * One act in a place: what a delivery row carries. `seq` names the fact whose copy in that place is meant, by its
 * number in the ledger; it becomes native ids when the act's turn comes.
 */
export type Act =
  | ({ readonly do: 'send'; readonly replySeq?: number } & Draft)
  | { readonly do: 'edit'; readonly seq: number; readonly draft: Draft }
  | { readonly do: 'remove'; readonly seq: number; readonly reason?: string }
  | { readonly do: 'react'; readonly seq: number; readonly emoji: string; readonly removed?: true }

export const text = (value: string): Content => ({ segments: [{ kind: 'text', text: value }] })

/** The direct conversation with somebody, for who does not know how the network spells it: `@<user>`. */
export const directly = (network: NetworkId, user: UserId): Place => ({
  network,
  channel: `@${user}` as ChannelId,
  private: true,
})

/** `network:channel`, the way a place is written in configuration and commands. Split at the first colon. */
export const formatPlace = (place: Place): string => `${place.network}:${place.channel}`

/** Reads `network:channel`; null when there is no network or no channel in it. */
export function parsePlace(written: string): Place | null {
  const colon = written.indexOf(':')
  if (colon < 1 || colon === written.length - 1) return null
  return { network: written.slice(0, colon) as NetworkId, channel: written.slice(colon + 1) as ChannelId }
}
