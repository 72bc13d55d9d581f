import { ChanopError } from '../../../core/error.ts'
import type { Log } from '../../../core/log.ts'
import type { Troubles } from '../../../core/process/network-state.ts'
import { backoffMs, sleep } from '../../../core/retry.ts'
import { faultOf, refusalOf } from '../link/faults.ts'
import { path } from '../link/wire.ts'
import { type Json, object, type StrippedEvent, string } from '../native.ts'
import { hostOf } from '../text/words.ts'
import { Invitations, type InvitationsOptions } from './invitations.ts'

const joinMs = 90_000
/** A room that does not let us in is asked again after this, or when somebody there invites us. */
const againMs = 600_000
/** Invitations of strangers are not named without end. */
const mostTroubles = 50
const backoff = { firstMs: 1000, maxMs: 60_000 }

export interface DoorsOptions extends InvitationsOptions {
  readonly troubles: Troubles
  readonly log: Log
  readonly signal: AbortSignal
}

/** How we get into rooms, and what becomes of the places when we are put out or a room is replaced. */
export class Doors {
  readonly #o: DoorsOptions
  readonly #entering = new Map<string, Promise<string>>()
  /** Rooms that put us out: nobody goes back where they are not wanted. */
  readonly #putOut = new Set<string>()
  /** Replacements that are being entered, by their ids. */
  readonly #moving = new Map<string, Promise<void>>()
  /** Replacements that did not let us in, or are none: not tried again until somebody invites us there. */
  readonly #closed = new Set<string>()
  readonly #invitations: Invitations

  constructor(options: DoorsOptions) {
    this.#o = options
    this.#invitations = new Invitations(options)
  }

  /** Finds out which rooms the wanted aliases name now. One that can't be told is what it was before. */
  async resolve(): Promise<void> {
    const aliases = [...this.#o.rooms.wanted].filter(channel => channel.startsWith('#'))
    await Promise.all(aliases.map(alias => this.#resolved(alias)))
  }

  async #resolved(alias: string): Promise<void> {
    const { wire, rooms, signal } = this.#o
    try {
      const found = string((await wire.ask('GET', path`/directory/room/${alias}`, { signal }))['room_id'])
      if (found !== undefined) rooms.bind(alias, found)
    } catch (error) {
      this.#o.log.info({ alias, reason: faultOf(error).message }, 'it is not known which room this names')
    }
  }

  /** Enters what is wanted and we are not in; goes on trying until told to stop. */
  async keep(): Promise<void> {
    while (!this.#o.signal.aborted) {
      for (const channel of this.#o.rooms.wanted) {
        const id = this.#o.rooms.roomOf(channel)
        if (id !== null && (this.#o.rooms.get(id) || this.#putOut.has(id))) continue
        await this.enter(channel).catch(() => undefined)
      }
      await sleep(againMs, this.#o.signal)
    }
  }

  /** Enters a channel, named by its alias or id. Rejects `send-refused` with the server's reason, which is a trouble then. */
  enter(channel: string): Promise<string> {
    const running = this.#entering.get(channel)
    if (running) return running
    const entering = this.#enter(channel).finally(() => this.#entering.delete(channel))
    this.#entering.set(channel, entering)
    return entering
  }

  /** The room that a channel is; waits while it is being entered. Null: we are not in it. */
  async roomOf(channel: string): Promise<string | null> {
    await this.#entering.get(channel)?.catch(() => undefined)
    const id = this.#o.rooms.roomOf(channel)
    return id !== null && this.#o.rooms.get(id) ? id : null
  }

  async #enter(channel: string): Promise<string> {
    const { rooms, troubles, log } = this.#o
    try {
      const id = await this.#joinAtLast(channel, viaOf(channel))
      if (channel.startsWith('#')) rooms.bind(channel, id)
      rooms.enter(rooms.roomOf(channel) ?? id)
      this.#putOut.delete(id)
      troubles.end(channel)
      return id
    } catch (error) {
      const fault = faultOf(error)
      const reason = notIn(channel, fault)
      troubles.begin(channel, reason)
      log.warn({ channel, reason: fault.message }, 'a room can not be entered')
      throw new ChanopError('send-refused', reason, { cause: error })
    }
  }

  /** Tries again while the fault is one that passes; rejects with the last one. */
  async #joinAtLast(room: string, via: readonly string[]): Promise<string> {
    const { signal } = this.#o
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#join(room, via)
      } catch (error) {
        const { retry, afterMs } = faultOf(error)
        if (retry === 'never' || signal.aborted || attempt > 5) throw error
        await sleep(afterMs ?? backoffMs(backoff, attempt), signal)
      }
    }
  }

  async #join(room: string, via: readonly string[]): Promise<string> {
    const { wire, signal } = this.#o
    const query = via.length === 0 ? '' : `?${via.map(server => `via=${encodeURIComponent(server)}`).join('&')}`
    const joined = await wire.ask('POST', `${path`/join/${room}`}${query}`, { body: {}, deadlineMs: joinMs, signal })
    return string(joined['room_id']) ?? room
  }

  // ---- invitations ------------------------------------------------------------------------------------------------

  /** Somebody wants us in a room. We go where the configuration has it, and where those ask who may. */
  async invited(id: string, state: readonly StrippedEvent[]): Promise<void> {
    const asked = await this.#invitations.judge(id, state)
    if (!asked.accept) {
      if (this.#o.troubles.all.length < mostTroubles) this.#o.troubles.begin(id, asked.reason)
      return
    }
    const { rooms, troubles, log } = this.#o
    const replaced = this.#invitations.replaces(id)
    if (replaced !== undefined) {
      // What was tried before we were invited may be refused yet.
      await this.settled(id)
      this.#closed.delete(id)
      return this.upgraded(replaced, id, asked.by)
    }
    // Its first words come with the first batch, which may be there before the answer.
    if (asked.direct && rooms.noteDirect(id, asked.by)) await this.saveDirect()
    try {
      await this.#joinAtLast(id, [])
    } catch (error) {
      troubles.begin(id, `invited by ${asked.by}, but we can not enter: ${faultOf(error).message}`)
      return
    }
    log.info({ room: id, by: asked.by }, 'an invitation was followed')
    this.#putOut.delete(id)
    troubles.end(id)
    troubles.end(rooms.channelOf(id))
    rooms.enter(id)
  }

  /** Which conversations are direct ones is kept with the account. */
  async saveDirect(): Promise<void> {
    const { wire, me, rooms, log } = this.#o
    await wire.ask('PUT', path`/user/${me}/account_data/m.direct`, { body: rooms.direct }).catch((error: unknown) => {
      log.warn({ reason: faultOf(error).message }, 'a direct conversation could not be marked as one')
    })
  }

  // ---- out, and moved ---------------------------------------------------------------------------------------------

  left(id: string, by: string, reason: string): void {
    const { rooms, troubles } = this.#o
    const channel = rooms.channelOf(id)
    const wanted = rooms.isWanted(id) && rooms.roomOf(channel) === id
    rooms.leave(id)
    troubles.end(id)
    if (!wanted) return
    this.#putOut.add(id)
    troubles.begin(channel, `${by} put us out${reason === '' ? '' : ` (${reason})`}: invite us again, or unlink it`)
  }

  /** A room was replaced by another (its tombstone says so): what was this place goes on there. */
  upgraded(id: string, successor: string, by: string): Promise<void> {
    const { rooms } = this.#o
    // One that is being entered counts as closed until it is seen to be one: that is waited for.
    const running = this.#moving.get(successor)
    if (running) return running
    if (this.#closed.has(successor)) return Promise.resolve()
    if (rooms.get(successor) && rooms.roomOf(rooms.channelOf(id)) === successor) return Promise.resolve()
    const moving = this.#upgrade(id, successor, by).finally(() => this.#moving.delete(successor))
    this.#moving.set(successor, moving)
    return moving
  }

  /**
   * Whether a room was replaced: a homeserver refuses what is said there before it tells us. `moves`: what is said again is said
   * in the other room; `closed`: we are not let in there. Rejects `send-later` where that can't be told now.
   */
  async replaced(id: string): Promise<'moves' | 'closed' | null> {
    const { wire, me, signal } = this.#o
    const tombstone: Json = await wire
      .ask('GET', path`/rooms/${id}/state/m.room.tombstone`, { signal })
      .catch((error: unknown) => {
        const { retry, message } = faultOf(error)
        if (retry === 'later') throw new ChanopError('send-later', message, { cause: error })
        return {}
      })
    const successor = string(tombstone['replacement_room'])
    if (successor === undefined) return null
    await this.upgraded(id, successor, me)
    return this.#closed.has(successor) ? 'closed' : 'moves'
  }

  /** Resolves once it is known which place a room is that is new to us. */
  async settled(id: string): Promise<void> {
    await this.#moving.get(id)
  }

  async #upgrade(id: string, successor: string, by: string): Promise<void> {
    const { rooms, troubles, log } = this.#o
    const channel = rooms.channelOf(id)
    this.#invitations.expect(successor, id)
    // Until it is seen to be one: what comes in the meantime does not try again.
    this.#closed.add(successor)
    const known = rooms.get(successor) !== undefined
    try {
      // Our own homeserver may know nobody there yet: those of who was here are asked.
      await this.#join(successor, [...new Set([hostOf(by), ...(rooms.get(id)?.hosts ?? [])])])
      if (!(await this.#follows(successor, id))) {
        troubles.begin(
          channel,
          `the room was replaced by ${successor}, which does not say so itself: look at both, and link the right one`,
        )
        if (!known) await this.#leave(successor)
        return
      }
    } catch (error) {
      if (faultOf(error).retry === 'later') this.#closed.delete(successor)
      troubles.begin(channel, `the room was replaced by ${successor}: invite us there (${faultOf(error).message})`)
      return
    }
    this.#closed.delete(successor)
    log.info({ channel, successor }, 'a room was replaced; we followed')
    this.move(id, successor)
  }

  /** From now on what was said in one room is said in the other. */
  move(from: string, to: string): void {
    const { rooms, troubles } = this.#o
    const channel = rooms.channelOf(from)
    rooms.bind(channel, from)
    rooms.bind(channel, to)
    rooms.enter(to)
    troubles.end(channel)
    troubles.end(to)
  }

  async #leave(room: string): Promise<void> {
    const { wire, rooms, signal } = this.#o
    await wire.ask('POST', path`/rooms/${room}/leave`, { body: {}, signal })
    rooms.leave(room)
  }

  async #follows(successor: string, id: string): Promise<boolean> {
    const { wire, signal } = this.#o
    const created: Json = await wire
      .ask('GET', path`/rooms/${successor}/state/m.room.create`, { signal })
      .catch((error: unknown) => {
        if (refusalOf(error)?.status === 404) return {}
        throw error
      })
    return string(object(created['predecessor'])['room_id']) === id
  }
}

/** Which servers may know the room: an id with a server in it names one (room versions before 12). */
const viaOf = (channel: string): string[] => {
  const host = channel.startsWith('!') ? hostOf(channel) : ''
  return host === '' ? [] : [host]
}

function notIn(channel: string, fault: ChanopError): string {
  const refusal = refusalOf(fault.cause)
  if (refusal?.status === 403) return `we may not enter ${channel}: invite us there (${refusal.says})`
  if (refusal?.status === 404)
    return `there is no room ${channel} that our homeserver can find: check how it is written`
  return `${channel} can not be entered: ${fault.message}`
}
