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
  /** Their picture: an `https:` address that anyone may open and that holds no token. Absent: there is none to be shown. */
  readonly avatar?: string
  /** `self`: one of our own personas. `bot`: the platform marks it as a program, or it is a copy another relay made. */
  readonly kind: 'person' | 'bot' | 'self'
  /** The platform vouches for `id` on this very event (IRC: `account` server tag). Only then can it carry a role. */
  readonly verified: boolean
}

export type Mark = 'bold' | 'italic' | 'underline' | 'strike' | 'mono' | 'spoiler'

/**
 * Somebody is meant. `id` is of the network whose content this is, null where the platform could not resolve the name;
 * `self` when it is one of our own accounts, whatever name it shows there.
 */
export interface Mention {
  readonly kind: 'mention'
  readonly id: UserId | null
  readonly name: string
  readonly self?: true
}

export type Segment =
  | { readonly kind: 'text'; readonly text: string; readonly marks?: readonly Mark[] }
  | { readonly kind: 'link'; readonly url: string; readonly text?: string }
  | Mention
  | { readonly kind: 'emoji'; readonly name: string; readonly text: string }
  | { readonly kind: 'code'; readonly text: string; readonly block: boolean; readonly language?: string }
  | { readonly kind: 'quote'; readonly text: string; readonly author?: string }

/**
 * A file on a message. Its bytes are had from the adapter of the message's network (`Adapter.open`), and from the media
 * store once they were copied there.
 */
export interface Attachment {
  /**
   * Opaque: what that adapter needs to find the bytes again, for as long as the platform keeps them. Never an address with
   * a token in it: this is kept for ever.
   */
  readonly ref: string
  readonly name: string
  /** The media type, e.g. `image/png`. */
  readonly type?: string
  readonly sizeBytes?: number
  /** Pixels. */
  readonly width?: number
  readonly height?: number
  /** Words of its own, where a platform has such beside the message's. */
  readonly caption?: string
  /** Where anyone may open it without a token. */
  readonly url?: string
  /** A picture of what the words say as well: it is left out where no file can be shown. */
  readonly beside?: true
  /** It has no bytes yet: the bridge draws it where files are shown. */
  readonly chart?: Chart
}

/** What stands beside words that say the same is no loss where it can't be shown. */
export const isNeeded = ({ beside }: Attachment): boolean => beside !== true

/** Numbers to be drawn, one part below the other. */
export interface Chart {
  readonly title: string
  readonly parts: readonly ChartPart[]
}

export interface ChartPart {
  readonly title: string
  /** One bar beside the other, in their order, as days are. Absent: one below the other. */
  readonly columns?: true
  /** `value` is not negative; `shown` is how it is written. */
  readonly bars: readonly { readonly name: string; readonly value: number; readonly shown: string }[]
}

/** A file that goes out with a draft: its bytes are on this machine. */
export interface Upload extends Attachment {
  readonly sizeBytes: number
  /** SHA-256 of the bytes, hex. */
  readonly hash: string
  /** The bytes from the beginning, as often as it is called. */
  open(): ReadableStream<Uint8Array>
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
  /** How far the platform's clock was ahead of ours, milliseconds, behind when negative; absent where both agree. */
  readonly aheadMs?: number
  readonly origin: Origin
}

/** When it happened by our own clock: what an age is measured by. */
export const saidMs = ({ atMs, aheadMs = 0 }: Pick<Base, 'atMs' | 'aheadMs'>): number => atMs - aheadMs

/** A command as a form was filled in: its full name (`agent add`) and values by the names of its fields. */
export interface Asked {
  readonly name: string
  readonly args: Readonly<Record<string, string | number | boolean>>
  /** Who asks takes the whole answer at once: no pages. */
  readonly whole?: true
}

export interface MessageEvent extends Base {
  readonly kind: 'message'
  readonly id: MessageId
  readonly content: Content
  /** The bot that a private message was said to. Absent where one account speaks for all bots. */
  readonly to?: string
  /** A command that came with its arguments apart: a native slash command, a call. `content` says the same in words. */
  readonly asked?: Asked
  /** In no history of its platform, as what was asked by a slash command: no backfill goes on from it. */
  readonly unlisted?: true
  /** A program asks, and brought its own conversation (`core/ledger/oracle/completions.ts`): it carries no command, and waits behind no other. */
  readonly standalone?: true
  /** Another relay already made this copy: `hops` says how often. Copies are recorded and never relayed again past 1. */
  readonly hops?: number
  /** It held what looked like a secret, which is not in `content` any more: no command, no question, not to be passed on. */
  readonly masked?: true
}
export interface EditEvent extends Base {
  readonly kind: 'edit'
  readonly target: MessageId
  readonly content: Content
  readonly masked?: true
}
export interface DeleteEvent extends Base {
  readonly kind: 'delete'
  readonly target: MessageId
  readonly reason?: string
}
/** One person's reaction, `sender`'s: taking it back leaves those of others. */
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

/** What a line of ours asks of the programs that it names: all other lines of ours ask nothing. */
export type Control = 'wake' | 'stop' | 'pause' | 'resume'

/** Who is shown as the author: a persona (a configured bot: `oracle`) or a relayed person. */
export interface Face {
  readonly name: string
  /** As in `Sender`. */
  readonly avatar?: string
  readonly relayed?: true
  /** Where a relayed person is. Their `name` holds it already where they could be mistaken for somebody (`alice [acme]`). */
  readonly network?: NetworkId
}

/** What a bot, or a relayed person, wants to say in one place. */
export interface Draft {
  /** Its attachments are those that can't be uploaded here: they are shown as words, with their address where there is one. */
  readonly content: Content
  /** Files to be uploaded with it. The bridge adds them just before it is sent, for a platform with `limits.fileBytes`. */
  readonly uploads?: readonly Upload[]
  readonly as?: Face
  /** Words such as `@everyone` may call everybody there: nothing that does has come in otherwise. */
  readonly everyone?: true
  /**
   * The one person who may see it. The bridge says it so that only they do (`Adapter.sendEphemeral`), else in their direct
   * conversation: no adapter's `send` gets it.
   */
  readonly only?: UserId
  /** Never logged, never stored in clear, never in history where the platform can avoid it. */
  readonly secret?: true
  /** A secret draft at rest: the vault's box of the content as JSON; `content` is empty until it is opened. */
  readonly sealed?: string
  /** For programs that are named in it: what they are to do, besides the words. */
  readonly control?: Control
  /** The same for programs, as JSON: for adapters whose readers are programs; others leave it out. */
  readonly data?: unknown
  /** Why what was asked for was not done: a code of `core/error.ts`, for the same readers. */
  readonly fault?: string
  /** Sent although it may already have been sent before a crash and the platform can't tell: adapters label it. */
  readonly repeat?: true
  /** Not whole yet: edits bring the rest. Where nothing can be edited only the whole is said. */
  readonly growing?: true
}

/** A reaction to be shown, or not any more when `removed`. `by`: whose it is, where the platform can say so. */
export interface Reaction {
  readonly emoji: string
  readonly by?: Face
  readonly removed?: true
}

/**
 * One act in a place: what a delivery row carries. `seq`, `replySeq` and `threadSeq` name the fact whose copy in that
 * place is meant, by its number in the ledger; they become native ids when the act's turn comes. `threadSeq` is what opened
 * the thread it belongs to, `replySeq` what it answers; a place without threads shows a thread as answers to its root.
 * `asideSeq` is the fact that asked among others for what its asker alone may see: said in their direct conversation, it leaves
 * a trace there. `was` is what an edited message said before, for places where the change is told.
 */
export type Act =
  | ({
      readonly do: 'send'
      readonly replySeq?: number
      readonly threadSeq?: number
      readonly asideSeq?: number
      /** Its words begin with when it was said. */
      readonly dated?: true
    } & Draft)
  | { readonly do: 'edit'; readonly seq: number; readonly draft: Draft; readonly was?: string }
  | { readonly do: 'remove'; readonly seq: number; readonly reason?: string }
  | ({ readonly do: 'react'; readonly seq: number } & Reaction)

export const text = (value: string): Content => ({ segments: [{ kind: 'text', text: value }] })

/** That what was said in a place since `fromMs` can't be had, as its server tells it. */
export const gapIn = (place: Place, server: string, gap: Pick<GapEvent, 'key' | 'fromMs' | 'reason'>): GapEvent => ({
  ...gap,
  kind: 'gap',
  place,
  sender: { id: server.toLowerCase() as UserId, name: server, kind: 'bot', verified: false },
  atMs: Date.now(),
  origin: 'backfill',
})

/**
 * No channel of a network: where something is that one person alone may see (`Draft.only`) and that belongs to no place. The
 * bridge finds the way to them.
 */
export const nowhere = (network: NetworkId): Place => ({ network, channel: '' as ChannelId, private: true })

export const isNowhere = ({ channel }: Place): boolean => channel === ''

/** `network:channel`, the way a place is written in configuration and commands. Split at the first colon. */
export const formatPlace = (place: Place): string => `${place.network}:${place.channel}`

/** Reads `network:channel`; null when there is no network or no channel in it. */
export function parsePlace(written: string): Place | null {
  const colon = written.indexOf(':')
  if (colon < 1 || colon === written.length - 1) return null
  return { network: written.slice(0, colon) as NetworkId, channel: written.slice(colon + 1) as ChannelId }
}
