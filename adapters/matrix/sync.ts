import type { AdapterContext, Sink } from '../../core/adapter.ts'
import { type ChatEvent, gapIn, type MessageId, type Origin } from '../../core/event.ts'
import { offer } from '../../core/process/feed.ts'
import { Hopeless } from '../../core/process/hopeless.ts'
import { factsOf, givenOf, isArrival } from './inbound.ts'
import { faultOf, isLoggedOut, isPassing } from './link/faults.ts'
import { path, type Wire } from './link/wire.ts'
import type { Memory } from './memory.ts'
import {
  type JoinedRoom,
  object,
  type RoomEvent,
  roomEvents,
  type SyncBatch,
  string,
  strippedEvents,
} from './native.ts'
import { pagesBetween, pointAfter } from './past.ts'
import type { Doors } from './rooms/doors.ts'
import type { Room } from './rooms/room.ts'
import type { Rooms } from './rooms/rooms.ts'
import type { Signs } from './signs.ts'
import { localpart } from './text/words.ts'

export interface IntakeOptions {
  readonly context: AdapterContext
  readonly wire: Wire
  readonly me: string
  readonly rooms: Rooms
  readonly doors: Doors
  readonly memory: Memory
  readonly signs: Signs
  readonly sink: Sink
  readonly signal: AbortSignal
  /** Shows others that we have read up to an event; null: they are not shown. */
  readonly read: ((room: string, event: string) => void) | null
  /** An encrypted room cannot be read: people there should know. */
  unreadable(room: Room): void
}

const mostPerCall = 500
/** History that fails so often, although the homeserver answers everything else, is a gap: nothing goes on before. Each time it was asked for again and again. */
const leastFailures = 3
const naming = /^m\.room\.(name|canonical_alias)$/

/** How a room is shown in a batch of /sync. */
interface Seen {
  /** The batch is the first since we started. */
  readonly first: boolean
  /** The room was in none before. */
  readonly isNew: boolean
  /** Something before `point` is left out. */
  readonly limited: boolean
  /** We come into it here. */
  readonly enters: boolean
  readonly point: string | undefined
  /** Where the batch begins; null: at no known point. */
  readonly since: string | null
}

/** Takes the batches of /sync in: rooms as they are now, then what happened there, as facts in order. */
export class Intake {
  readonly #o: IntakeOptions
  /** Newest messages of this batch, by room. */
  readonly #last = new Map<string, string>()
  /** Stretches of history that could not be had, by room and beginning. */
  readonly #failing = new Hopeless(leastFailures)

  constructor(options: IntakeOptions) {
    this.#o = options
  }

  /**
   * Resolves once the ledger has it all and the next batch may be asked for after a restart. False: we were told to stop.
   * Rejects where not all could be had: what is saved stands, and from there it is to be asked for again.
   */
  async take(batch: SyncBatch, origin: Origin, first: boolean): Promise<boolean> {
    const { memory, rooms, signal } = this.#o
    const direct = roomEventsOf(batch.account_data?.events).find(({ type }) => type === 'm.direct')
    if (direct) rooms.direct = direct.content
    const since = memory.since
    for (const [id, joined] of Object.entries(batch.rooms?.join ?? {})) {
      const how = { origin, first, since }
      if (!(await this.#joined(id, joined, how)) || signal.aborted) return false
    }
    this.invited(batch)
    for (const [id, left] of Object.entries(batch.rooms?.leave ?? {}))
      if (!(await this.#left(id, left, { origin: first ? 'backfill' : origin, since })) || signal.aborted) return false
    await this.#saved(batch.next_batch)
    return !signal.aborted
  }

  invited({ rooms }: SyncBatch): void {
    for (const [id, { invite_state: state }] of Object.entries(rooms?.invite ?? {}))
      this.#aside(this.#o.doors.invited(id, strippedEvents(state?.events)))
  }

  async #saved(next: string): Promise<void> {
    const { memory, context } = this.#o
    try {
      await memory.save(next, this.#last)
      for (const [room, event] of this.#last) this.#o.read?.(room, event)
      this.#last.clear()
    } catch (error) {
      // The ledger has the facts; what comes again after a restart is known by its keys.
      context.log.warn({ error }, 'how far we have read could not be saved')
      memory.since = next
    }
  }

  #aside(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!this.#o.signal.aborted)
        this.#o.context.log.warn({ reason: faultOf(error).message }, 'a room could not be entered')
    })
  }

  // ---- one room ---------------------------------------------------------------------------------------------------

  async #joined(
    id: string,
    joined: JoinedRoom,
    how: Pick<Seen, 'first' | 'since'> & { origin: Origin },
  ): Promise<boolean> {
    const { rooms, doors, signs } = this.#o
    await doors.settled(id)
    const room = rooms.enter(id)
    const isNew = !room.seen
    room.seen = true
    if (joined.summary) room.summary(joined.summary)
    for (const event of roomEventsOf(joined.state?.events)) this.#state(room, event)
    const events = roomEvents(joined.timeline?.events)
    const { limited, prev_batch: point } = joined.timeline ?? {}
    if (limited && !isNew) room.complete = false
    if (!room.complete && (events.length > 0 || rooms.isWanted(id))) await this.#people(room)
    const { me } = this.#o
    const arrival = events.findLastIndex(event => event.state_key === me && isArrival(event))
    const before = isNew ? await this.#beforeUs(room, events, arrival) : 0
    const seen = { isNew, limited: limited === true, enters: arrival !== -1, point }
    if (!(await this.#missed(room, { ...how, ...seen }))) return false
    if (!(await this.#facts(room, events.slice(0, before), 'backfill', 'now'))) return false
    if (!(await this.#facts(room, events.slice(before), how.origin, 'now'))) return false
    if (isNew || limited) await signs.roster(room)
    signs.ephemeral(room, joined.ephemeral?.events)
    if (room.successor) this.#aside(doors.upgraded(id, room.successor, this.#o.me))
    return true
  }

  /** How many of the events by which a room is shown first were there before we were: they are history, whenever we come. */
  async #beforeUs(room: Room, events: readonly RoomEvent[], arrival: number): Promise<number> {
    const { rooms, context } = this.#o
    // A room with a name is no conversation: what it is called has to be known before what was said there.
    for (const event of events) if (naming.test(event.type)) room.follow(event)
    // A conversation begins with what somebody says to us while we come.
    if (rooms.isDirect(room.id)) return 0
    if (arrival !== -1) return arrival
    return (await context.cursors.newest(rooms.placeOf(room.id))) === null ? events.length : 0
  }

  /**
   * What lies between the ledger's newest message and this batch. `known` is what the ledger has, `last` what it had when
   * `since` was saved: they differ where it was put back, or where we died in between.
   */
  async #missed(room: Room, { first, isNew, limited, enters, point, since }: Seen): Promise<boolean> {
    const { memory, rooms, context } = this.#o
    const fromSince = (): Promise<boolean> => this.#stretch(room, since ?? '', point, Date.now())
    if (!isNew) return limited && since !== null ? fromSince() : true
    const known = await context.cursors.newest(rooms.placeOf(room.id))
    const last = await memory.lastOf(rooms.channelOf(room.id))
    const isReplacement = enters && limited && rooms.isReplacement(room)
    if (since === null || !first || isReplacement) return known ? this.#after(room, known, point, isReplacement) : true
    if (known && last !== null && known.id !== last && !(await this.#after(room, known, since))) return false
    // What we never were in has no gap: its history is older than our meeting.
    return limited && (known !== null || last !== null) ? fromSince() : true
  }

  /** From the newest message that the ledger has; `orAll`: from the room's beginning where that is another's. */
  async #after(
    room: Room,
    known: { id: MessageId; atMs: number },
    to: string | undefined,
    orAll = false,
  ): Promise<boolean> {
    const { wire, signal } = this.#o
    let from: string | null
    try {
      from = await pointAfter(wire, room.id, known.id, signal)
    } catch (error) {
      return this.#unfetched(room, known.id, known.atMs, error)
    }
    if (signal.aborted) return false
    if (from !== null || orAll) return this.#stretch(room, from ?? undefined, to, known.atMs)
    // Of rooms that are one place only one has it.
    if (this.#o.rooms.isShared(room.id)) return true
    return this.#gap(
      room,
      known.id,
      known.atMs,
      'the homeserver no longer has the last message we know; some may be missing',
    )
  }

  async #stretch(room: Room, from: string | undefined, to: string | undefined, knownMs: number): Promise<boolean> {
    const { wire, signal } = this.#o
    try {
      for await (const page of pagesBetween(wire, { room: room.id, from, to }, signal))
        if (!(await this.#facts(room, page, 'backfill', 'past'))) return false
      return !signal.aborted
    } catch (error) {
      return this.#unfetched(room, from ?? '', knownMs, error)
    }
  }

  /** Rejects with a fault that passes: the server has what was said, and it is asked for again. */
  async #unfetched(room: Room, from: string, fromMs: number, error: unknown): Promise<boolean> {
    if (this.#o.signal.aborted) return false
    // Each time before this one the homeserver had answered /sync.
    const doesElse = (): Promise<boolean> => Promise.resolve(!isLoggedOut(error))
    if (isPassing(error) && !(await this.#failing.isSo(`${room.id}/${from}`, doesElse))) throw error
    const { message } = faultOf(error)
    this.#o.context.log.warn({ room: room.id, reason: message }, 'history could not be fetched')
    return this.#gap(room, from, fromMs, `what was said meanwhile can not be fetched: ${message}`)
  }

  #gap(room: Room, from: string, fromMs: number, reason: string): Promise<boolean> {
    const { context, rooms } = this.#o
    const key = `${context.network}:gap/${room.id}/${from}`
    return this.#offered([gapIn(rooms.placeOf(room.id), 'server', { key, fromMs, reason })])
  }

  async #people(room: Room): Promise<void> {
    try {
      const { joined } = await this.#o.wire.ask('GET', path`/rooms/${room.id}/joined_members`, {
        signal: this.#o.signal,
      })
      const all = Object.entries(object(joined)).map(([user, one]): [string, string | null] => [
        user,
        string(object(one)['display_name']) ?? null,
      ])
      room.people(new Map(all))
    } catch (error) {
      this.#o.context.log.info({ room: room.id, reason: faultOf(error).message }, 'who is in a room is not known yet')
    }
  }

  #state(room: Room, event: RoomEvent): void {
    room.follow(event)
    if (event.type === 'm.room.encryption' && event.state_key === '') this.#o.unreadable(room)
  }

  // ---- facts ------------------------------------------------------------------------------------------------------

  async #facts(room: Room, events: readonly RoomEvent[], origin: Origin, when: 'past' | 'now'): Promise<boolean> {
    const facts: ChatEvent[] = []
    for (const event of events) {
      facts.push(...this.#factsOf(room, event, origin))
      // How the room is now is known already where its past is told.
      if (when === 'now' && event.state_key !== undefined) this.#state(room, event)
    }
    for (let at = 0; at < facts.length; at += mostPerCall)
      if (!(await this.#offered(facts.slice(at, at + mostPerCall)))) return false
    const last = facts.findLast(fact => fact.kind === 'message' && fact.place.thread === undefined)
    if (last?.kind === 'message') this.#last.set(room.id, last.id)
    return true
  }

  /** No event, whatever it is, keeps others up. */
  #factsOf(room: Room, event: RoomEvent, origin: Origin): ChatEvent[] {
    const { context, me, memory, rooms } = this.#o
    try {
      const facts = factsOf(event, {
        network: context.network,
        me,
        myNames: [room.nameOf(me) ?? '', me, localpart(me)],
        place: rooms.placeOf(room.id),
        origin,
        name: user => room.nameOf(user),
        given: id => memory.given(id),
      })
      const given = event.type === 'm.reaction' ? givenOf(event) : null
      if (given) memory.gave(event.event_id, given)
      return facts
    } catch (error) {
      context.log.warn({ error, type: event.type, event: event.event_id }, 'an event could not be read and is left out')
      return []
    }
  }

  #offered(facts: readonly ChatEvent[]): Promise<boolean> {
    const { sink, signal, context } = this.#o
    return offer({ sink, signal, log: context.log }, facts)
  }

  async #left(id: string, left: JoinedRoom, how: Pick<Seen, 'since'> & { origin: Origin }): Promise<boolean> {
    const { me, doors, rooms } = this.#o
    const state = roomEventsOf(left.state?.events)
    const mine = [...state, ...roomEvents(left.timeline?.events)].findLast(
      ({ type, state_key: key }) => type === 'm.room.member' && key === me,
    )
    if (!mine || mine.content['membership'] === 'join') return true
    const heard = how.since !== null && (await this.#wasIn(id, mine))
    if (heard && !(await this.#lastWords(rooms.get(id) ?? (await this.#asItWas(id)), left, how))) return false
    const by = mine.sender === me ? 'somebody' : localpart(mine.sender)
    if (mine.sender === me) rooms.leave(id)
    else doors.left(id, by, string(mine.content['reason']) ?? '')
    return true
  }

  /** Where we were only invited nothing that is said is for us. We look into rooms of others and leave them again: see Doors. */
  async #wasIn(id: string, { sender, unsigned }: RoomEvent): Promise<boolean> {
    const { me, rooms, context } = this.#o
    if (rooms.get(id) !== undefined || rooms.isWanted(id)) return true
    if (sender !== me && object(object(unsigned)['prev_content'])['membership'] === 'join') return true
    return (await context.cursors.newest(rooms.placeOf(id))) !== null
  }

  /** A room that we were put out of before this run saw it: what it is called and who was in it says whose place it is. */
  async #asItWas(id: string): Promise<Room> {
    const { me, wire, rooms, signal, context } = this.#o
    const room = rooms.enter(id)
    try {
      const state: unknown = await wire.ask('GET', path`/rooms/${id}/state`, { signal })
      for (const event of roomEvents(state as readonly unknown[])) room.follow(event)
      room.people(new Map([...room.members, [me, null]]))
    } catch (error) {
      context.log.info({ room: id, reason: faultOf(error).message }, 'what a room was is not known')
    }
    return room
  }

  /** What was said in a room before we were out of it. */
  async #lastWords(
    room: Room,
    { state, timeline }: JoinedRoom,
    { origin, since }: Pick<Seen, 'since'> & { origin: Origin },
  ): Promise<boolean> {
    for (const event of roomEventsOf(state?.events)) room.follow(event)
    const { limited, prev_batch: point } = timeline ?? {}
    if (limited === true && !(await this.#stretch(room, since ?? '', point, Date.now()))) return false
    return this.#facts(room, roomEvents(timeline?.events), origin, 'now')
  }
}

/** Account data and state in /sync may lack what makes an event of a room. */
function roomEventsOf(list: readonly unknown[] | undefined): RoomEvent[] {
  return (Array.isArray(list) ? list : []).flatMap(one => {
    const { type, content, ...more } = object(one)
    return typeof type === 'string' && typeof content === 'object' && content !== null
      ? [{ event_id: '', sender: '', origin_server_ts: 0, ...more, type, content: object(content) } as RoomEvent]
      : []
  })
}
