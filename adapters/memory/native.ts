import type { Asked, Content, MessageId } from '../../core/event.ts'

/** A message as the memory server holds it; tests look at every field. */
export interface NativeMessage {
  readonly id: MessageId
  readonly seq: number
  readonly channel: string
  readonly thread?: MessageId
  /** The one person who sees it. */
  readonly only?: string
  /** The id of the user or the account that sent it. */
  readonly by: string
  /** The name shown: the persona or the relayed person where the sender gave one. */
  readonly name: string
  readonly avatar?: string
  readonly atMs: number
  /** As it reads now. */
  content: Content
  /** The fallback text of `content`. */
  text: string
  /** Every former content, oldest first, with the key of the act that replaced it. */
  readonly edits: { readonly before: Content; readonly by: string; readonly deliveryId?: string }[]
  deleted: { readonly by: string; readonly reason?: string } | null
  readonly reactions: { readonly emoji: string; readonly by: string }[]
  /** Idempotency key, number of the part and how many there are, of what an adapter sent. */
  readonly deliveryId?: string
  readonly part?: number
  readonly parts?: number
  readonly relayed?: true
  readonly secret?: true
  readonly repeat?: true
  /** How often relays copied it already. */
  readonly hops?: number
}

interface HappeningBase {
  /** Position in the server's log: what happened first is lower. */
  readonly seq: number
  readonly channel: string
  readonly thread?: MessageId
  readonly by: Author
  readonly atMs: number
}

/** Who did it, as they were at that moment. */
export interface Author {
  readonly id: string
  readonly name: string
  readonly avatar?: string
  readonly verified: boolean
  readonly bot: boolean
}

export type Deed =
  | {
      readonly kind: 'message'
      readonly id: MessageId
      readonly content: Content
      readonly hops?: number
      /** The persona a private message was said to. */
      readonly to?: string
      readonly asked?: Asked
    }
  | { readonly kind: 'edit'; readonly target: MessageId; readonly content: Content }
  | { readonly kind: 'delete'; readonly target: MessageId; readonly reason?: string }
  | { readonly kind: 'reaction'; readonly target: MessageId; readonly emoji: string; readonly removed?: true }
  | {
      readonly kind: 'member'
      readonly change: 'join' | 'leave' | 'rename'
      readonly detail?: string
      readonly split?: true
    }
  | { readonly kind: 'topic'; readonly topic: string }

/** One line of the server's log. */
export type Happening = HappeningBase & Deed

/** What a poster gives; the server adds id, time and position. */
export interface Post {
  readonly content: Content
  readonly thread?: MessageId
  readonly name?: string
  readonly avatar?: string
  readonly deliveryId?: string
  readonly part?: number
  readonly parts?: number
  readonly relayed?: true
  readonly secret?: true
  readonly repeat?: true
  readonly hops?: number
  /** The persona a private message is said to. */
  readonly to?: string
  readonly asked?: Asked
  readonly only?: string
}

/** The private channel of one person. */
export const privateChannel = (user: string): string => `@${user}`
export const isPrivate = (channel: string): boolean => channel.startsWith('@')
