import { isRecord, type Loose, record } from '../../core/loose.ts'

/** What a homeserver tells: only what is read here, and nothing of it is trusted to be there or to be of its type. */

export type Json = Loose

/** An event of a room (Matrix specification, "Room event format"). */
export interface RoomEvent {
  readonly type: string
  readonly event_id: string
  readonly sender: string
  readonly origin_server_ts: number
  readonly state_key?: string
  readonly content: Json
  readonly unsigned?: Json
  /** Rooms before version 11; later ones have it in the content. */
  readonly redacts?: string
}

export interface JoinedRoom {
  readonly timeline?: { readonly events?: readonly unknown[]; readonly limited?: boolean; readonly prev_batch?: string }
  readonly state?: { readonly events?: readonly unknown[] }
  readonly ephemeral?: { readonly events?: readonly unknown[] }
  readonly summary?: Json
}

export interface SyncBatch {
  readonly next_batch: string
  readonly account_data?: { readonly events?: readonly unknown[] }
  readonly rooms?: {
    readonly join?: Readonly<Record<string, JoinedRoom>>
    readonly invite?: Readonly<Record<string, { readonly invite_state?: { readonly events?: readonly unknown[] } }>>
    readonly leave?: Readonly<Record<string, JoinedRoom>>
  }
}

export const object = (value: unknown): Json => record(value) ?? {}
export const string = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
export const count = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined

/** Events that have all that makes one; what is broken is no event. */
export function roomEvents(list: readonly unknown[] | undefined): RoomEvent[] {
  return (Array.isArray(list) ? list : []).filter(isRoomEvent)
}

const isRoomEvent = (value: unknown): value is RoomEvent =>
  isRecord(value) &&
  typeof value['type'] === 'string' &&
  typeof value['event_id'] === 'string' &&
  typeof value['sender'] === 'string' &&
  typeof value['origin_server_ts'] === 'number' &&
  isRecord(value['content'])

/** State as an invitation shows it: without ids and times. */
export interface StrippedEvent {
  readonly type: string
  readonly sender: string
  readonly state_key: string
  readonly content: Json
}

export const strippedEvents = (list: readonly unknown[] | undefined): StrippedEvent[] =>
  (Array.isArray(list) ? list : []).filter(
    (value): value is StrippedEvent =>
      isRecord(value) &&
      typeof value['type'] === 'string' &&
      typeof value['sender'] === 'string' &&
      typeof value['state_key'] === 'string' &&
      isRecord(value['content']),
  )

/** What we put into everything we say: another Chanop, and we ourselves later, know it by this. */
export const copyMark = 'chanop.copy'

export interface CopyMark {
  readonly instance: string
  readonly delivery: string
  readonly part: number
  readonly parts: number
  /** It was said elsewhere: how often it was relayed. */
  readonly hops?: number
  /** A file: its words are another message's. */
  readonly file?: true
}

export function markOf(content: Json): CopyMark | null {
  const { instance, delivery, part, parts, hops, file } = object(content[copyMark])
  if (typeof instance !== 'string' || typeof delivery !== 'string') return null
  return {
    instance,
    delivery,
    part: count(part) ?? 0,
    parts: count(parts) ?? 1,
    ...(hops === undefined ? {} : { hops: count(hops) ?? 1 }),
    ...(file === true ? { file } : {}),
  }
}

/** Per-message profile, MSC4144 (still unstable). */
export const profileKey = 'com.beeper.per_message_profile'
