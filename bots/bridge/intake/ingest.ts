import type { Config } from '../../../config/schema.ts'
import { isIgnored } from '../../../core/command/desk.ts'
import type { Reader } from '../../../core/command/reading.ts'
import type { ChatEvent, GapEvent } from '../../../core/event.ts'
import { agentOf, mayBe } from '../../../core/ledger/agents.ts'
import { enqueue } from '../../../core/ledger/deliveries.ts'
import { advance, append, messageOf, revise, type Stored } from '../../../core/ledger/events.ts'
import { enterPlace, leavePlace } from '../../../core/ledger/members.ts'
import { noteReaction } from '../../../core/ledger/reactions.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Rooms } from '../../../core/rooms.ts'
import { tellGap } from './gaps.ts'
import { check, tellCaught } from './guarding.ts'
import { isAuthor, relays } from '../relay/relay.ts'
import { isSplit, presenceOf, type Split } from './splits.ts'
import { type Strays, targetKey, withStray } from './strays.ts'

export interface Intake {
  readonly rooms: Rooms
  readonly ignore: Config['ignore']
  readonly reader: Reader
  readonly strays: Strays
  /** Who left in a netsplit. */
  readonly split: Split
  /** Places and users already noted as members, `<place>\n<user>`: spares a row for every message. */
  readonly members: ReadonlySet<string>
}

export interface Taken {
  readonly stored: readonly Stored[]
  /** To be added to, and taken from, `Intake.members` after the commit. */
  readonly joined: readonly string[]
  readonly left: readonly string[]
  /** Edits and deletes that still wait for their message. */
  readonly strays: readonly Stored[]
}

function join(db: Tx, place: number, event: ChatEvent): void {
  const { sender, atMs } = event
  const name = event.kind === 'member' && event.change === 'rename' ? (event.detail ?? sender.name) : sender.name
  enterPlace(db, place, { ...sender, name }, atMs)
}

/** Follows what happens to a message: its current text or its reactions change, its fact stays. */
function follow(db: Tx, { event, placeId }: Stored): 'done' | 'stray' {
  if (event.kind !== 'edit' && event.kind !== 'delete' && event.kind !== 'reaction') return 'done'
  const target = messageOf(db, event.place, event.target)
  if (event.kind === 'reaction') {
    if (target) noteReaction(db, target.seq, event, placeId)
    return 'done'
  }
  if (!target) return 'stray'
  if (event.kind === 'delete') revise(db, target.seq, null, event.atMs)
  else if (isAuthor(target.event, event)) revise(db, target.seq, event.content, event.atMs)
  return 'done'
}

/** Whether an agent speaks where its engagement does not let it: that is on record, and goes nowhere. */
function isOutside(db: Tx, { sender, place, kind }: ChatEvent): boolean {
  if (kind === 'member' || sender.kind === 'self' || !sender.verified || place.private) return false
  const agent = agentOf(db, place.network, sender.id)
  return agent !== null && !mayBe(agent, place)
}

/** Whether nothing of a fact goes to other places. */
function staysHere(db: Tx, event: ChatEvent, intake: Intake): boolean {
  return isIgnored(intake.ignore, event) || isOutside(db, event) || check(db, event, intake.reader).secret
}

/**
 * Takes facts in, inside one transaction: records each that is new, its effect on members and on current texts, the
 * copies it brings about, and where a backfill of its place would go on.
 */
export function ingest(db: Tx, events: readonly ChatEvent[], intake: Intake, nowMs: number): Taken {
  const stored: Stored[] = []
  const joined: string[] = []
  const left: string[] = []
  const newest = new Map<number, ChatEvent & { kind: 'message' }>()
  const split = new Map(intake.split)
  const strays = new Map(intake.strays)
  const waiting = new Set<Stored>()
  const guarded = new Set<number>()
  for (const each of events.map(withAddressee)) {
    const checked = check(db, each, intake.reader)
    const { event } = checked
    const fact = append(db, event, intake.rooms.of(event.place)?.name, nowMs)
    if (!fact) continue
    stored.push(fact)
    if (checked.caught) tellCaught(db, fact, checked.caught, nowMs)
    if (checked.secret) guarded.add(fact.seq)
    const member = `${fact.placeId}\n${event.sender.id}`
    if (event.kind === 'member' && event.change === 'leave') {
      leavePlace(db, fact.placeId, event.sender.id)
      left.push(member)
    } else if (event.origin === 'live' && event.sender.kind !== 'self' && noteworthy(event, member, intake)) {
      join(db, fact.placeId, event)
      joined.push(member)
    }
    if (follow(db, fact) === 'stray') {
      withStray(strays, fact)
      waiting.add(fact)
    }
    if (event.kind === 'message') newest.set(fact.placeId, event)
    if (isGap(fact)) tellGap(db, fact, intake.rooms, nowMs)
    if (isSplit(event)) split.set(presenceOf(event), nowMs)
    const early = event.kind === 'message' ? (strays.get(targetKey(event.place, event.id)) ?? []) : []
    for (const stray of early) {
      follow(db, stray)
      waiting.delete(stray)
    }
    for (const one of [fact, ...early]) {
      if (guarded.has(one.seq) || staysHere(db, one.event, intake)) continue
      for (const delivery of relays(db, one, intake.rooms, split)) enqueue(db, delivery, nowMs)
    }
  }
  for (const [place, event] of newest) advance(db, place, event.id, event.atMs)
  return { stored, joined, left, strays: [...waiting] }
}

/** Where one account speaks for all bots a private message is for who answers talk. */
const withAddressee = (event: ChatEvent): ChatEvent =>
  event.kind === 'message' && event.place.private && event.to === undefined ? { ...event, to: 'oracle' } : event

const isGap = (fact: Stored): fact is Stored<GapEvent> => fact.event.kind === 'gap'

const noteworthy = (event: ChatEvent, member: string, intake: Intake): boolean =>
  event.kind === 'member' || !intake.members.has(member)
