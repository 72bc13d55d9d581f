import { isDeepStrictEqual } from 'node:util'
import {
  type Content,
  type Control,
  type Draft,
  type EditEvent,
  type Face,
  type MessageEvent,
  type MessageId,
  nowhere,
  type Place,
  text,
  type UserId,
} from './event.ts'
import { given } from './given.ts'
import { amendDeliveries, enqueue, type NewDelivery } from './ledger/out/deliveries.ts'
import { append, bySeq, coined, currentOf, revise, rootOf } from './ledger/record/events.ts'
import type { Tx } from './ledger/tx.ts'
import type { Hall } from './rooms.ts'
import { localMentions } from './text/mentions.ts'
import type { Vault } from './vault/secrets.ts'

/** How the keys begin of what tells in a room that somebody was answered in a direct conversation. */
export const traceKey = 'aside.'

/** Something a bot says. */
export interface Saying {
  readonly bot: string
  readonly content: Content
  /** Who is shown as having said it, where it is not the bot itself. */
  readonly face?: Face
  /** `rooms.from(place)`, or `loneRoom(place)` for one place alone; in the thread of the first, where it is one. */
  readonly in: Hall
  /** The one person who may see it. Its fact is in no place that others read. */
  readonly only?: UserId
  /** What they asked, when that was among others. */
  readonly asideSeq?: number
  /** Makes the fact's key: unique for ever, the same when it is said again after a crash. */
  readonly key: string
  /** The fact it answers. */
  readonly replySeq?: number
  readonly control?: Control
  /** The same as JSON, for who asked for it in the first of the places. */
  readonly data?: unknown
  /** Why it was not done, for the same. */
  readonly fault?: string
  readonly waits?: NewDelivery['waits']
  /** What stands in one of the places instead of `content`, which is what the record keeps. */
  readonly contentIn?: (place: Place) => Content
  /** The beginning of a message that grows: `amend` gives it its next texts, and its last one. */
  readonly growing?: true
}

/**
 * Says something: part of the conversation as a fact of its own, and one delivery to each place. In the caller's
 * transaction; nothing happens the second time with the same key. The number of the fact; null when there was nothing to do.
 */
export function say(db: Tx, saying: Saying, nowMs: number): number | null {
  const { name: room, places } = saying.in
  const [first] = places
  if (!first) return null
  const act = {
    do: 'send' as const,
    content: saying.content,
    as: saying.face ?? { name: saying.bot },
    ...given({ replySeq: saying.replySeq, control: saying.control }),
    ...(saying.growing ? { growing: true as const } : {}),
    ...given({ only: saying.only, asideSeq: saying.asideSeq }),
  }
  const fact: MessageEvent = {
    kind: 'message',
    key: `${first.network}:say:${saying.key}`,
    id: `${coined}${saying.key}` as MessageId,
    place: saying.only === undefined ? first : nowhere(first.network),
    sender: { id: saying.bot as UserId, name: saying.face?.name ?? saying.bot, kind: 'self', verified: true },
    atMs: nowMs,
    origin: 'live',
    content: saying.content,
  }
  const kept = append(db, fact, saying.only === undefined ? room : undefined, nowMs)
  if (!kept) return null
  const threadSeq = rootOf(db, first)
  for (const place of places) {
    const waits = saying.waits ? { waits: saying.waits } : {}
    const shown = saying.contentIn?.(place) ?? saying.content
    const content = localMentions(db, shown, first.network, place)
    const here = place === first
    const data = here && saying.data !== undefined ? { data: saying.data } : {}
    const fault = here && saying.fault !== undefined ? { fault: saying.fault } : {}
    const there = { ...act, content, ...data, ...fault, ...given({ threadSeq }) }
    enqueue(db, { place, bot: saying.bot, act: there, source: kept.seq, ...waits }, nowMs)
  }
  return kept.seq
}

/**
 * Gives a growing message its next text. The last one, when it is not `growing`, is told as an edit, for all who keep
 * what is said. In the caller's transaction.
 */
export function amend(db: Tx, seq: number, content: Content, nowMs: number, growing?: 'growing'): void {
  const said = bySeq(db, seq)
  if (said?.event.kind !== 'message') return
  const before = currentOf(db, seq)?.content
  if (before === null) return
  revise(db, seq, content, Math.max(nowMs, said.event.atMs))
  amendDeliveries(db, seq, content, growing !== undefined, nowMs)
  if (growing || isDeepStrictEqual(content, said.event.content)) return
  const { key, place, sender, id } = said.event
  const whole: EditEvent = {
    kind: 'edit',
    key: `${key}:whole`,
    place,
    sender,
    atMs: nowMs,
    origin: 'live',
    target: id,
    content,
  }
  append(db, whole, said.room, nowMs)
}

const box = 'delivery'

/** A draft whose content is sealed: it is opened just before it is sent, and emptied afterwards. */
export const sealedDraft = (vault: Vault, bot: string, secret: string): Draft => ({
  content: text(''),
  sealed: vault.seal(box, JSON.stringify(text(secret))).toString('base64'),
  secret: true,
  as: { name: bot },
})

/** The draft as it is said. Throws `vault-locked`. */
export function openDraft(vault: Vault, draft: Draft): Draft {
  if (!draft.sealed) return draft
  const { sealed, ...rest } = draft
  return { ...rest, content: JSON.parse(vault.open(box, Buffer.from(sealed, 'base64'))) as Content }
}
