import type { Config } from '../../../config/schema.ts'
import { isIgnored } from '../../../core/command/visit/desk.ts'
import type { Reader } from '../../../core/command/visit/reading.ts'
import type { ChatEvent, GapEvent, MessageEvent, MessageId, Place } from '../../../core/event.ts'
import { agentOf, mayBe } from '../../../core/ledger/agents/agents.ts'
import { enqueue } from '../../../core/ledger/out/deliveries.ts'
import { type Parked, park, takeParked } from '../../../core/ledger/out/parked.ts'
import { superseding } from '../../../core/ledger/out/superseding.ts'
import { enterPlace, leavePlace } from '../../../core/ledger/people/members.ts'
import { advance, append, currentOf, messageOf, revise, type Stored } from '../../../core/ledger/record/events.ts'
import { endSplit, noteSplit } from '../../../core/ledger/record/netsplits.ts'
import { noteReaction } from '../../../core/ledger/record/reactions.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { isDoor, type Rooms } from '../../../core/rooms.ts'
import { qualified } from '../../../core/text/emoji.ts'
import { isLate } from '../relay/dated.ts'
import type { Echoes } from '../relay/echoes.ts'
import { isAuthor, type Passing, relays } from '../relay/relay.ts'
import { tellGap } from './gaps.ts'
import { check, tellCaught } from './guarding.ts'
import { isMemberFact, isSplit } from './splits.ts'

export interface Intake {
  readonly rooms: Rooms
  readonly ignore: Config['ignore']
  readonly reader: Reader
  /** For how long those who leave in a netsplit are collected. */
  readonly splitMs: number
  /** What is passed on so much later says when it was said. */
  readonly lateMs: number
  readonly echoes: Echoes
  /** Places and users already noted as members, `<place>\n<user>`: spares a row for every message. */
  readonly members: ReadonlySet<string>
}

export interface Taken {
  readonly stored: Stored[]
  /** To be added to, and taken from, `Intake.members` after the commit. */
  readonly joined: string[]
  readonly left: string[]
  /** The first that is known of somebody who repeats what is said in their room. */
  readonly relays: Stored[]
}

function join(db: Tx, place: number, event: ChatEvent): void {
  const { sender, atMs } = event
  const name = event.kind === 'member' && event.change === 'rename' ? (event.detail ?? sender.name) : sender.name
  enterPlace(db, place, { ...sender, name }, atMs)
}

const isAct = (fact: Stored): fact is Parked =>
  fact.event.kind === 'edit' || fact.event.kind === 'delete' || fact.event.kind === 'reaction'

/**
 * Follows what happens to a message: its current text or its reactions change, its fact stays. Gives how it read before;
 * null when the message has not come.
 */
function follow(db: Tx, { event, placeId }: Parked): Pick<Passing, 'was' | 'overtaken'> | null {
  const target = messageOf(db, event.place, event.target)
  if (!target) return null
  if (event.kind === 'reaction') noteReaction(db, target.seq, event, placeId)
  if (event.kind === 'reaction' || (event.kind === 'edit' && !isAuthor(target.event, event))) return {}
  const was = currentOf(db, target.seq)?.content
  const content = event.kind === 'edit' ? event.content : null
  // The removal before it may have stayed where it was: one copy alone was taken away.
  if (!revise(db, target.seq, content, event.atMs) && content) return { overtaken: true }
  return was ? { was } : {}
}

/** Whether an agent speaks where its engagement does not let it: that is on record, and goes nowhere. */
function isOutside(db: Tx, { sender, place, kind }: ChatEvent, rooms: Rooms): boolean {
  if (kind === 'member' || sender.kind === 'self' || !sender.verified || place.private) return false
  const agent = agentOf(db, place.network, sender.id)
  if (agent === null) return false
  const places = isDoor(place) ? rooms.others(place) : [place]
  return !places.some(each => mayBe(agent, each))
}

/** Whether it is a private command that its platform showed to nobody else either. */
function isHidden(db: Tx, event: ChatEvent, reader: Reader): boolean {
  const heard = event.kind === 'message' && event.unlisted ? reader.hear(event) : null
  if (!heard) return false
  const { found } = reader.read(db, heard)
  return found.is === 'command' && found.command.reply === 'private'
}

/** Whether nothing of a fact goes to other places. */
const staysHere = (db: Tx, event: ChatEvent, intake: Intake): boolean =>
  isIgnored(intake.ignore, event) || isOutside(db, event, intake.rooms) || isHidden(db, event, intake.reader)

/**
 * Takes facts in, inside one transaction: records each that is new, its effect on members and on current texts, the
 * copies it brings about, and where a backfill of its place would go on.
 */
export function ingest(db: Tx, events: readonly ChatEvent[], intake: Intake, nowMs: number): Taken {
  const taken: Taken = { stored: [], joined: [], left: [], relays: [] }
  const newest = new Map<number, MessageEvent>()
  for (const each of events) {
    const checked = check(db, withAddressee(spelt(dated(each, nowMs))), intake.reader)
    const { event } = checked
    const fact = append(db, event, intake.rooms.of(event.place)?.name, nowMs)
    if (!fact) continue
    taken.stored.push(fact)
    if (checked.caught) tellCaught(db, fact, checked.caught, intake.reader.prefix, nowMs)
    followMembers(db, fact, intake, taken)
    if (event.kind === 'message' && !event.unlisted) newest.set(fact.placeId, event)
    if (isGap(fact)) tellGap(db, fact, intake.rooms, nowMs)
    const passing = { nowMs, lateMs: intake.lateMs, ...followed(db, fact, intake, nowMs) }
    const early = event.kind === 'message' ? takeParked(db, event.place, event.id, nowMs) : []
    for (const parked of early) follow(db, parked)
    if (!checked.secret && !isEcho(fact, intake, taken, nowMs))
      passOn(db, asItReads(db, fact, early, intake), intake, passing)
    // Its edits and its end are in it already.
    for (const one of early) if (one.event.kind === 'reaction') passOn(db, one, intake, passing)
  }
  for (const [place, event] of newest) advance(db, place, event.id, event.atMs)
  return taken
}

/** A copy has its ids: what was done to it before they were known is done now. In the transaction that notes them. */
export function landed(db: Tx, place: Place, ids: readonly MessageId[], intake: Intake, nowMs: number): void {
  for (const id of ids) {
    for (const parked of takeParked(db, place, id, nowMs)) {
      const done = follow(db, parked)
      if (done) passOn(db, parked, intake, { nowMs, lateMs: intake.lateMs, ...done })
    }
  }
}

/** Whether another relay says again what was just said in the room. */
function isEcho(fact: Stored, { rooms, echoes }: Intake, taken: Taken, nowMs: number): boolean {
  const { event } = fact
  if (event.kind !== 'message' || event.origin !== 'live' || event.sender.kind === 'self') return false
  const room = rooms.of(event.place)
  if (!room || room.places.length < 2) return false
  const { repeats, first } = echoes.note(event, room.name, nowMs)
  if (first) taken.relays.push(fact)
  return repeats
}

function passOn(db: Tx, fact: Stored | null, intake: Intake, passing: Omit<Passing, 'stays'>): void {
  const stays = (event: ChatEvent): boolean => staysHere(db, event, intake)
  if (!fact || stays(fact.event)) return
  const isDated = isLate(fact.event, passing.nowMs, passing.lateMs)
  for (const relayed of relays(db, fact, intake.rooms, { ...passing, stays })) {
    const delivery = superseding(db, relayed, isDated)
    if (delivery) enqueue(db, delivery, passing.nowMs)
  }
}

/** What a fact does to what came before it, as far as the copies of it depend on that. */
function followed(db: Tx, fact: Stored, intake: Intake, nowMs: number): Pick<Passing, 'was' | 'overtaken' | 'returns'> {
  if (isAct(fact)) {
    const done = follow(db, fact)
    if (!done) park(db, fact, nowMs)
    return done ?? {}
  }
  if (!isMemberFact(fact) || fact.event.origin !== 'live') return {}
  if (isSplit(fact.event)) noteSplit(db, fact, nowMs + intake.splitMs, nowMs)
  else return { returns: endSplit(db, fact, nowMs) }
  return {}
}

/** A message with what came before it done to it; null when it is deleted already, or about a secret now. */
function asItReads(db: Tx, fact: Stored, early: readonly Parked[], { reader }: Intake): Stored | null {
  if (early.length === 0 || fact.event.kind !== 'message') return fact
  const content = currentOf(db, fact.seq)?.content
  if (!content) return null
  const event = { ...fact.event, content }
  return check(db, event, reader).secret ? null : { ...fact, event }
}

function followMembers(db: Tx, { event, placeId }: Stored, intake: Intake, { joined, left }: Taken): void {
  const member = `${placeId}\n${event.sender.id}`
  if (event.kind === 'member' && event.change === 'leave') {
    leavePlace(db, placeId, event.sender.id)
    left.push(member)
  } else if (event.origin === 'live' && event.sender.kind !== 'self' && noteworthy(event, member, intake)) {
    join(db, placeId, event)
    joined.push(member)
  }
}

/** A number that is no time (beyond what a `Date` holds) would end whoever writes it down: it came in now. */
const dated = (event: ChatEvent, nowMs: number): ChatEvent =>
  Math.abs(event.atMs) <= 8.64e15 ? event : { ...event, atMs: nowMs }

/** One emoji is one, whichever way a platform writes it. */
const spelt = (event: ChatEvent): ChatEvent =>
  event.kind === 'reaction' ? { ...event, emoji: qualified(event.emoji) } : event

/** Where one account speaks for all bots a private message is for who answers talk. */
const withAddressee = (event: ChatEvent): ChatEvent =>
  event.kind === 'message' && event.place.private && event.to === undefined ? { ...event, to: 'oracle' } : event

const isGap = (fact: Stored): fact is Stored<GapEvent> => fact.event.kind === 'gap'

/** Who speaks at a door is not there. */
const noteworthy = (event: ChatEvent, member: string, intake: Intake): boolean =>
  !isDoor(event.place) && (event.kind === 'member' || !intake.members.has(member))
