import {
  type Content,
  type Control,
  type Draft,
  type MessageEvent,
  type MessageId,
  type Place,
  text,
  type UserId,
} from './event.ts'
import { enqueue, type NewDelivery } from './ledger/deliveries.ts'
import { append } from './ledger/events.ts'
import type { Db } from './ledger/sqlite.ts'
import type { Vault } from './secrets.ts'

/** Something a bot says. */
export interface Saying {
  readonly bot: string
  readonly content: Content
  /** All places of the room, or the one place that is in none. */
  readonly places: readonly Place[]
  /** The name of the room, where it has one. */
  readonly room: string | undefined
  /** Makes the fact's key: unique for ever, the same when it is said again after a crash. */
  readonly key: string
  /** The fact it answers. */
  readonly replySeq?: number
  readonly control?: Control
  readonly waits?: NewDelivery['waits']
}

/**
 * Says something: part of the conversation as a fact of its own, and one delivery to each place. In the caller's
 * transaction; nothing happens the second time with the same key.
 */
export function say(db: Db, saying: Saying, nowMs: number): void {
  const [first] = saying.places
  if (!first) return
  const act = {
    do: 'send' as const,
    content: saying.content,
    as: { name: saying.bot },
    ...(saying.replySeq === undefined ? {} : { replySeq: saying.replySeq }),
    ...(saying.control === undefined ? {} : { control: saying.control }),
  }
  const fact: MessageEvent = {
    kind: 'message',
    key: `${first.network}:say:${saying.key}`,
    id: `say:${saying.key}` as MessageId,
    place: first,
    sender: { id: saying.bot as UserId, name: saying.bot, kind: 'self', verified: true },
    atMs: nowMs,
    origin: 'live',
    content: saying.content,
  }
  const kept = append(db, fact, saying.room, nowMs)
  if (!kept) return
  for (const place of saying.places) {
    const waits = saying.waits ? { waits: saying.waits } : {}
    enqueue(db, { place, bot: saying.bot, act, source: kept.seq, ...waits }, nowMs)
  }
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
