import type { MessageEvent, Place } from '../../../core/event.ts'
import { text } from '../../../core/event.ts'
import { addCall, type CallKind, endCall, openCallAt } from '../../../core/ledger/out/calls.ts'
import { bySeq, placeId, type Stored } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Rooms } from '../../../core/rooms.ts'
import { say } from '../../../core/say.ts'
import { duration, safeName, some } from '../../../core/text/text.ts'
import { naming, shortWords } from './naming.ts'
import { accountsOf, byPlace, type Here, nameOf } from './targets.ts'

export interface NewCall {
  readonly stored: Stored<MessageEvent>
  readonly kind: CallKind
  readonly selector: string
  readonly words: string
  readonly here: readonly Here[]
  readonly untilMs: number
}

export interface OpenCall {
  readonly seq: number
  readonly kind: CallKind
  readonly stored: Stored<MessageEvent>
  readonly asked: readonly string[]
  /** `network\nuser` → label. */
  readonly labels: ReadonlyMap<string, string>
  readonly answered: Set<string>
  /** Who of those that were told to stop, pause or go on said something else; after a restart, who says it anew. */
  readonly otherwise: Set<string>
  readonly untilMs: number
}

const wakeKey = (seq: number, index: number): string => `fleet.wake.${seq}.${index}`
const wakeId = /^say:fleet\.wake\.(\d+)\.\d+$/

/** The call that one of our own lines woke somebody for; null when it is another line. */
export const callOfLine = (event: MessageEvent): number | null => {
  const found = event.sender.kind === 'self' ? wakeId.exec(event.id) : null
  return found ? Number(found[1]) : null
}

/** Names those who can't know by themselves that they are meant, where they are, and begins to count. */
export function openCall(tx: Tx, bot: string, rooms: Rooms, call: NewCall, nowMs: number): void {
  const { stored, kind, here } = call
  const deaf = kind === 'mention' ? here.filter(({ agent }) => agent?.native !== true) : here
  const words = kind === 'mention' ? `${safeName(stored.event.sender.name)}: ${shortWords(call.words)}` : kind
  for (const [index, { place, here: named }] of byPlace(deaf).entries()) {
    const lines = naming(
      named.map(({ nick }) => nick),
      words.replace(/:\s*$/, ''),
    )
    const content = text(lines.join('\n'))
    const hall = { ...rooms.from(place), places: [place] }
    const control = kind === 'mention' ? 'wake' : kind
    say(tx, { bot, content, in: hall, key: wakeKey(stored.seq, index), control }, nowMs)
  }
  addCall(tx, {
    seq: stored.seq,
    placeId: placeId(tx, stored.event.place),
    kind,
    selector: call.selector,
    asked: here.map(({ label }) => label),
    untilMs: call.untilMs,
  })
}

/** A call whose answers are still counted; null when it is closed or its fact is gone. */
export function openedCall(tx: Tx, seq: number): OpenCall | null {
  const call = openCallAt(tx, seq)
  const stored = call && (bySeq(tx, seq) as Stored<MessageEvent> | null)
  if (!call || !stored) return null
  const labels = new Map(call.asked.flatMap(label => accountsOf(tx, label).map(account => [account, label] as const)))
  return { ...call, stored, labels, answered: new Set(call.answered), otherwise: new Set() }
}

/** Words by which an agent says that it did what it was told. */
const obeying = {
  stop: /\bstop(ped|ping|s)?\b/i,
  pause: /\bpaus(e|ed|ing)\b/i,
  resume: /\bresum(e|ed|ing)\b/i,
} as const

/** Whether an answer says that a call was obeyed, and is not just anything that was said meanwhile. */
export const obeys = (kind: Exclude<CallKind, 'mention'>, said: string): boolean =>
  obeying[kind].test(said) && !/\b(not|never|no|cannot|can't|won't|refuse[sd]?)\b/i.test(said)

/** `7 of 8 answered; silent: worker-003`, or `stop: 1 of 3 obeyed; answered: worker-002; silent: worker-003` */
export function resultLine({ kind, asked, answered, otherwise, stored }: OpenCall, nowMs: number): string {
  const rest = asked.filter(label => !answered.has(label))
  const silent = rest.filter(label => !otherwise.has(label)).map(nameOf)
  const spoke = rest.filter(label => otherwise.has(label)).map(nameOf)
  const tail = silent.length === 0 ? '' : `; silent: ${some(silent)}`
  if (kind === 'mention') return `${answered.size} of ${asked.length} answered${tail}`
  if (answered.size === 0 && spoke.length > 0)
    return `${kind}: ${spoke.length} of ${asked.length} answered, none says that it obeyed${tail}`
  const took = rest.length === 0 ? ` in ${duration(nowMs - stored.receivedMs)}` : ''
  const others = spoke.length === 0 ? '' : `; answered something else: ${some(spoke)}`
  return `${kind}: ${answered.size} of ${asked.length} obeyed${took}${others}${tail}`
}

/** Says how many answered, where they were called from. */
export function closeCall(tx: Tx, bot: string, rooms: Rooms, call: OpenCall, nowMs: number): void {
  if (!endCall(tx, call.seq, call.answered)) return
  const { event } = call.stored
  const hall = rooms.from(event.place)
  const line = resultLine(call, nowMs)
  say(tx, { bot, content: text(line), in: hall, key: `fleet.count.${call.seq}`, replySeq: call.seq }, nowMs)
}

/** Where a call is heard: all places of the room it was made in. */
export const placesOf = (rooms: Rooms, { event }: Stored<MessageEvent>): Place[] =>
  event.place.private ? [] : rooms.with(event.place)
