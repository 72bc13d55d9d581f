import type { Able, Cursors } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import type { Draft, MessageId, Place, Upload } from '../../core/event.ts'
import type { Log } from '../../core/log.ts'
import { Hopeless } from '../../core/process/hopeless.ts'
import type { Troubles } from '../../core/process/network-state.ts'
import { Recent } from '../../core/recent.ts'
import { type Edited, editsOf } from './edits.ts'
import { findParts } from './find.ts'
import { Forgetting } from './forget.ts'
import { faultOf, refusalOf } from './link/faults.ts'
import { path, type Wire } from './link/wire.ts'
import { type Json, object, string } from './native.ts'
import { digestOf, type Part, partsOf } from './outbound.ts'
import type { Doors } from './rooms/doors.ts'
import type { Rooms } from './rooms/rooms.ts'
import { head } from './text/words.ts'

const mostUploads = 200
/** For so long a homeserver surely knows what it was sent under which id. */
const rememberedMs = 20 * 3_600_000

export interface SpeechOptions {
  readonly wire: Wire
  readonly rooms: Rooms
  readonly doors: Doors
  readonly troubles: Troubles
  readonly instance: string
  readonly me: string
  readonly cursors: Cursors
  readonly signal: AbortSignal
  readonly log: Log
  /** For how long we were away before this start. */
  awayMs(): number
}

/** One request on its way, by its transaction id. */
interface Saying {
  readonly room: string
  readonly place: Place
  readonly txn: string
  /** It concerns what stands in this very room, also where that was replaced. */
  readonly stays?: true
}

export class Speech {
  readonly #o: SpeechOptions
  /** Files that the homeserver has, by their hash: a message that is said again brings none twice. */
  readonly #uploaded = new Recent<string, string>(mostUploads)
  /** Parts of a delivery that are out although the rest is not: `send` leaves them out. */
  readonly #begun = new Recent<string, ReadonlyMap<number, MessageId>>(mostUploads)
  readonly #hopeless = new Hopeless()
  readonly forgetting: Forgetting

  constructor(options: SpeechOptions) {
    this.#o = options
    const { cursors, log, signal, instance } = options
    const forget = (room: string, id: MessageId): Promise<void> =>
      this.#redact(room, id, undefined, `${instance}.${id}.f`)
    this.forgetting = new Forgetting({ cursors, log, signal, forget })
  }

  /** The room of a place, if we are in it and may speak there. */
  async #room(place: Place): Promise<string> {
    const { doors, rooms, troubles } = this.#o
    const id = await doors.roomOf(place.channel)
    if (id === null)
      throw new ChanopError(
        'send-refused',
        troubles.of(place.channel) ?? `we are not in ${place.channel}: invite us there`,
      )
    if (rooms.get(id)?.encrypted)
      throw new ChanopError(
        'send-refused',
        `${place.channel} is encrypted, which Chanop can't do: use a room without encryption`,
      )
    return id
  }

  /** The room in which a message of a place stands: what was said before the room was replaced stays in the old one. */
  async #roomWith(place: Place, message: MessageId | undefined): Promise<string> {
    const room = await this.#room(place)
    const before = message === undefined ? [] : this.#o.rooms.before(place.channel)
    if (before.length === 0) return room
    for (const id of [room, ...before]) if (await this.#eventIn(id, message as MessageId)) return id
    return room
  }

  /** Null: there is none such in this room. */
  async #eventIn(room: string, id: MessageId): Promise<Json | null> {
    return this.#o.wire.ask('GET', path`/rooms/${room}/event/${id}`).catch((error: unknown) => {
      if (refusalOf(error)?.status === 404) return null
      throw faultOf(error)
    })
  }

  async send(place: Place, draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    if (draft.secret && !place.private)
      throw new ChanopError('send-refused', 'a secret is never said in a room: write to me privately')
    const room = await this.#room(place)
    const { instance } = this.#o
    const parts = partsOf(draft, { instance, deliveryId, thread: place.thread })
    const done = this.#begun.get(deliveryId)
    // What the homeserver does not take it refuses before anything is said.
    for (const [at, part] of parts.entries()) if ('file' in part && !done?.has(at)) await this.#upload(part.file)
    const said = `${instance}.${deliveryId}.${digestOf(draft)}`
    const ids: MessageId[] = []
    for (const [at, part] of parts.entries())
      ids.push(done?.get(at) ?? (await this.#say({ room, place, txn: `${said}.${at}` }, part)))
    this.#begun.delete(deliveryId)
    if (draft.secret) await this.forgetting.later(room, ids)
    return ids
  }

  async #say(at: Saying, part: Part): Promise<MessageId> {
    const { room, place, txn } = at
    const content = 'file' in part ? part.content(await this.#upload(part.file)) : part.content
    const id = await this.#put(room, content, txn).catch(async (error: unknown) => {
      // The homeserver refuses a thread whose first message it does not know, or that stands in a thread itself.
      const unrelated = refusalOf(error)?.status === 400 ? withoutThread(content) : null
      if (!unrelated) throw await this.#refused(at, error)
      return this.#put(room, unrelated, `${txn}.r`)
    })
    this.#o.troubles.end(place.channel)
    return id
  }

  async #put(room: string, content: Json, txn: string, type = 'm.room.message'): Promise<MessageId> {
    const answer = await this.#o.wire.ask('PUT', path`/rooms/${room}/send/${type}/${txn}`, { body: content })
    const id = string(answer['event_id'])
    if (id === undefined) throw new ChanopError('network-down', 'the homeserver says not which message it made')
    return id as MessageId
  }

  async #refused({ room, place, txn, stays }: Saying, error: unknown): Promise<ChanopError> {
    const { doors, rooms, troubles } = this.#o
    const refusal = refusalOf(error)
    const replaced = refusal?.status === 403 && !stays ? await doors.replaced(room) : null
    if (replaced === 'moves')
      return new ChanopError('send-later', 'the room was replaced by another one: it is said there', { cause: error })
    if (refusal?.status === 403 && replaced === null && room === rooms.roomOf(place.channel))
      troubles.begin(place.channel, `we may not speak here: ${refusal.says}`)
    return this.#given(faultOf(error), txn)
  }

  /** The fault, or that nobody will ever do it: where it fails again and again while everything else is done. */
  async #given(fault: ChanopError, txn: string): Promise<ChanopError> {
    const refusal = refusalOf(fault.cause)
    if (refusal === null || fault.code !== 'network-down') return fault
    if (!(await this.#hopeless.isSo(txn, () => this.#takesElse()))) return fault
    const why = `the homeserver, or what stands before it, fails at this each time (${refusal.says})`
    return new ChanopError('send-refused', why, { cause: fault.cause })
  }

  /** Whether the homeserver writes something else down for us just now. */
  #takesElse(): Promise<boolean> {
    const { wire, me } = this.#o
    return wire.ask('PUT', path`/user/${me}/account_data/chanop.alive`, { body: {} }).then(
      () => true,
      () => false,
    )
  }

  async #upload(file: Upload): Promise<string> {
    const known = this.#uploaded.get(file.hash)
    if (known !== undefined) return known
    const uri = await this.#o.wire.upload(file).catch((error: unknown) => {
      const fault = faultOf(error)
      // Nothing was said yet: it may be tried again whatever became of the bytes.
      throw fault.code === 'network-down' ? new ChanopError('send-later', fault.message, { cause: error }) : fault
    })
    this.#uploaded.set(file.hash, uri)
    return uri
  }

  // ---- what was said ----------------------------------------------------------------------------------------------

  readonly edit: Able['edit'] = async (place, target, draft, deliveryId) => {
    const room = await this.#roomWith(place, target[0])
    // Of an edit that was broken off what it said anew is there already.
    const there = [...new Set([...target, ...(this.#begun.get(deliveryId)?.values() ?? [])])]
    const files = there.length === 1 ? [] : await this.#filesAmong(room, there)
    const { instance } = this.#o
    const edits = editsOf(draft, there, files, { instance, deliveryId, thread: place.thread })
    const txn = `${instance}.${deliveryId}.${digestOf(draft)}`
    const ids: MessageId[] = []
    for (const [at, one] of edits.entries()) {
      const id = await this.#change({ room, place, txn: `${txn}.${at}`, stays: true }, one)
      if (id !== null) ids.push(id)
    }
    this.#begun.delete(deliveryId)
    return ids
  }

  async #change(at: Saying, edit: Edited): Promise<MessageId | null> {
    if (edit.do === 'keep') return edit.id
    if (edit.do === 'remove') return this.#redact(at.room, edit.id, undefined, `${at.txn}.d`).then(() => null)
    if (edit.do === 'say') return this.#say({ ...at, txn: `${at.txn}.s` }, edit.part)
    await this.#put(at.room, edit.content, `${at.txn}.e`).catch(async (error: unknown) => {
      throw await this.#refused({ ...at, txn: `${at.txn}.e` }, error)
    })
    return edit.id
  }

  /** Which of several messages are files: their words are another's. */
  async #filesAmong(room: string, target: readonly MessageId[]): Promise<MessageId[]> {
    const found: MessageId[] = []
    for (const id of target) {
      const event = await this.#eventIn(room, id)
      if (string(object(event?.['content'])['url']) !== undefined) found.push(id)
    }
    return found
  }

  readonly remove: Able['remove'] = async (place, target, reason, deliveryId) => {
    const room = await this.#roomWith(place, target[0])
    const txn = `${this.#o.instance}.${deliveryId}`
    for (const [at, id] of target.entries()) await this.#redact(room, id, reason, `${txn}.${at}.d`)
  }

  async #redact(room: string, event: string, reason: string | undefined, txn: string): Promise<void> {
    const body = reason === undefined ? {} : { reason: head(reason, 500) }
    await this.#o.wire
      .ask('PUT', path`/rooms/${room}/redact/${event}/${txn}`, { body })
      .catch(async (error: unknown) => {
        if (faultOf(error).code !== 'not-found') throw await this.#given(faultOf(error), txn)
      })
  }

  readonly react: Able['react'] = async (place, target, { emoji, removed }, deliveryId) => {
    const room = await this.#roomWith(place, target)
    const key = head(emoji, 200)
    if (removed) return this.#unreact(room, target, key, deliveryId)
    const content = { 'm.relates_to': { rel_type: 'm.annotation', event_id: target, key } }
    const txn = `${this.#o.instance}.${deliveryId}.a`
    await this.#put(room, content, txn, 'm.reaction').catch(async (error: unknown) => {
      // It shows already.
      if (refusalOf(error)?.code !== 'M_DUPLICATE_ANNOTATION') throw await this.#given(faultOf(error), txn)
    })
  }

  async #unreact(room: string, target: MessageId, key: string, deliveryId: string): Promise<void> {
    const at = path`/rooms/${room}/relations/${target}/m.annotation/m.reaction`
    for (let from: string | undefined; ; ) {
      const query = { limit: 100, ...(from === undefined ? {} : { from }) }
      const page = await this.#o.wire
        .ask('GET', at, { query, prefix: '/_matrix/client/v1' })
        .catch((error: unknown) => Promise.reject(faultOf(error)))
      const chunk = Array.isArray(page['chunk']) ? page['chunk'].map(object) : []
      for (const event of chunk) {
        const given = object(object(event['content'])['m.relates_to'])['key']
        const id = string(event['event_id'])
        if (event['sender'] === this.#o.me && given === key && id !== undefined)
          await this.#redact(room, id, undefined, `${this.#o.instance}.${deliveryId}.u`)
      }
      from = string(page['next_batch'])
      if (from === undefined || chunk.length === 0) return
    }
  }

  // ---- after a crash, and afterwards ------------------------------------------------------------------------------

  readonly find: Able['find'] = async (place, deliveryId, act) => {
    if (act.do === 'remove' || act.do === 'react') return 'not-sent'
    const { wire, instance, me, rooms } = this.#o
    // What was said before the room was replaced stands in the old one.
    const inRooms = [await this.#room(place), ...rooms.before(place.channel)]
    const found = await findParts(wire, { rooms: inRooms, me, instance, deliveryId }).catch((error: unknown) =>
      Promise.reject(faultOf(error)),
    )
    if (found.whole && act.do === 'send') {
      if (act.secret) await this.forgetting.later(found.room, found.ids)
      return found.ids
    }
    if (found.parts.size > 0) this.#begun.set(deliveryId, found.parts)
    // Beyond that, what was said lately is known to the homeserver by its id: saying it again does not double it.
    // An edit that is there may have left over what it is to take away: done again it changes nothing else.
    return found.whole || found.ended || this.#o.awayMs() < rememberedMs ? 'not-sent' : 'cannot-tell'
  }
}

/** The same as an answer, where a thread is not to be had. */
function withoutThread(content: Json): Json | null {
  const { 'm.relates_to': relation, ...rest } = content
  const { rel_type: kind, event_id: root } = object(relation)
  if (kind !== 'm.thread') return null
  const { 'm.in_reply_to': answered } = object(relation)
  return { ...rest, 'm.relates_to': { 'm.in_reply_to': answered ?? { event_id: root } } }
}
