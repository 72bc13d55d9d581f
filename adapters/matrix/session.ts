import type { AdapterContext, NetworkStatus, Sink } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import type { ChannelId, Origin, Place, UserId } from '../../core/event.ts'
import { Troubles } from '../../core/process/network-state.ts'
import { type Backoff, backoffMs, persist, sleep } from '../../core/retry.ts'
import type { MatrixConfig } from './config.ts'
import { faultOf, isLoggedOut, refusalOf } from './link/faults.ts'
import { type Account, logIn } from './link/login.ts'
import { path, Wire } from './link/wire.ts'
import { Memory } from './memory.ts'
import { count, type SyncBatch, string } from './native.ts'
import { DirectTalks } from './rooms/direct.ts'
import { Doors } from './rooms/doors.ts'
import type { Room } from './rooms/room.ts'
import { Rooms } from './rooms/rooms.ts'
import { Signs } from './signs.ts'
import { Speech } from './speech.ts'
import { Intake } from './sync.ts'

const pollMs = 30_000
const typingMs = 20_000
const backoff: Backoff = { firstMs: 250, maxMs: 30_000 }

/** Without an answer for so long a poll is lost: the server answers it after `pollMs` at the latest. */
const silenceMs = pollMs + 15_000

const filterOf = (limit: number): string =>
  JSON.stringify({
    presence: { types: [] },
    account_data: { types: ['m.direct'] },
    room: {
      timeline: { limit, lazy_load_members: true },
      state: { lazy_load_members: true },
      ephemeral: { types: ['m.typing'] },
      account_data: { types: [] },
    },
  })

/** Nothing but who invites us. */
const invitesAlone = JSON.stringify({
  presence: { types: [] },
  account_data: { types: [] },
  room: { timeline: { types: [] }, state: { types: [] }, ephemeral: { types: [] }, account_data: { types: [] } },
})

/** A point that the homeserver does not know: what the ledger lacks is then fetched by its newest messages. */
const isUnknownPoint = (error: unknown): boolean => refusalOf(error)?.status === 400

export interface SessionHooks {
  readonly sink: Sink
  readonly signal: AbortSignal
  readonly stand: (state: NetworkStatus['state'], reason?: string) => void
}

/** Which batch of /sync is next. */
interface Course {
  readonly since: string | null
  /** Rooms are shown in it as they are, whatever happened there. */
  readonly first: boolean
  /** What it holds: `backfill` until we have caught up. */
  readonly origin: Origin
}

/** What there is once we know who we are. */
interface Parts {
  readonly account: Account
  readonly doors: Doors
  readonly speech: Speech
  readonly talks: DirectTalks
  readonly intake: Intake
}

/** One run on the homeserver: from the login to the end, over as many broken connections as there are. */
export class Session {
  readonly wire: Wire
  readonly rooms: Rooms
  readonly troubles: Troubles
  readonly #config: MatrixConfig
  readonly #context: AdapterContext
  readonly #hooks: SessionHooks
  readonly #memory: Memory
  #parts: Parts | null = null
  fileBytes: number | null = null

  constructor(config: MatrixConfig, context: AdapterContext, hooks: SessionHooks) {
    this.#config = config
    this.#context = context
    this.#hooks = hooks
    this.wire = new Wire(config.homeserver)
    this.rooms = new Rooms(context.network)
    this.troubles = new Troubles(() => context.changed())
    this.#memory = new Memory(context.cursors, this.rooms)
    const places = context.places.filter(({ network }) => network === context.network).map(({ channel }) => channel)
    for (const channel of [...config.channels, ...places]) if (/^[!#]/.test(channel)) this.rooms.want(channel)
  }

  get speech(): Speech {
    return this.#open.speech
  }

  get server(): string | undefined {
    return this.#parts === null ? undefined : `${this.wire.server} (${this.#parts.account.user})`
  }

  get #open(): Parts {
    if (!this.#parts) throw new ChanopError('send-later', `${this.#context.network} is not connected yet`)
    return this.#parts
  }

  // ---- life -------------------------------------------------------------------------------------------------------

  /** Resolves when told to stop; rejects when the homeserver refuses us for good. */
  async run(): Promise<void> {
    const { signal } = this.#hooks
    await this.#memory.load()
    const account = await this.#logIn()
    if (!account) return
    this.#parts = this.#assemble(account)
    await this.#lasting(() => this.#prepare(account))
    if (signal.aborted) return
    // Begun with the first batch: who is where is known then.
    await this.#poll()
  }

  #logIn(): Promise<Account | null> {
    const device = `CHANOP_${this.#context.instance.toUpperCase()}`
    return this.#lasting(() => logIn(this.wire, this.#config, { ...this.#context, device }))
  }

  #assemble(account: Account): Parts {
    const { wire, rooms, troubles } = this
    const context = this.#context
    const { signal, sink } = this.#hooks
    const me = account.user
    const { log, instance, cursors } = context
    const doors = new Doors({ wire, rooms, config: this.#config, me, troubles, log, signal })
    const speech = new Speech({
      wire,
      rooms,
      doors,
      troubles,
      instance,
      me,
      cursors,
      log,
      signal,
      awayMs: () => this.#memory.awayMs,
    })
    const signs = new Signs(context.signs, rooms, me)
    const unreadable = (room: Room): void => this.#unreadable(room)
    const read = this.#config.receipts ? (room: string, event: string): void => this.#read(room, event) : null
    const intake = new Intake({
      read,
      context,
      wire,
      me,
      rooms,
      doors,
      memory: this.#memory,
      signs,
      sink,
      signal,
      unreadable,
    })
    return { account, doors, speech, intake, talks: new DirectTalks({ wire, rooms, doors, me }) }
  }

  /** What has to be known before the first batch. */
  async #prepare({ user }: Account): Promise<void> {
    const { signal } = this.#hooks
    const forgiving = (error: unknown): Record<string, unknown> => {
      const status = refusalOf(error)?.status
      if (status === 404 || status === 400) return {}
      throw error
    }
    const [direct, media] = await Promise.all([
      this.wire.ask('GET', path`/user/${user}/account_data/m.direct`, { signal }).catch(forgiving),
      this.wire.ask('GET', '/media/config', { prefix: '/_matrix/client/v1', signal }).catch(forgiving),
      this.#open.doors.resolve(),
    ])
    await this.#open.speech.forgetting.load()
    this.rooms.direct = direct
    this.fileBytes = count(media['m.upload.size']) ?? null
  }

  /** Does it until it is done, or refused for good. Null: we were told to stop. */
  #lasting<T>(work: () => Promise<T>): Promise<T | null> {
    const { signal, stand } = this.#hooks
    const failed = (error: unknown): number | undefined => {
      const fault = faultOf(error)
      const final = fault.code === 'network-refused' || fault.code === 'secret-missing'
      stand('down', final ? fault.message : `${fault.message}; trying again`)
      if (final) throw fault
      return fault.afterMs
    }
    return persist(work, { signal, backoff, failed })
  }

  /** Asks for batch after batch. The next one is asked for while the ledger takes the last. */
  async #poll(): Promise<void> {
    const { signal } = this.#hooks
    const keeping = this.#keepDoors()
    let course = this.#fromSaved()
    let taking: Promise<boolean> = Promise.resolve(true)
    for (let attempt = 0; !signal.aborted; ) {
      try {
        const batch = await this.#sync(course)
        if (!(await taking)) break
        taking = this.#open.intake.take(batch, course.origin, course.first)
        // Whether it failed is looked at when the next batch is there.
        taking.catch(() => undefined)
        // Until the first is taken it is not known which rooms there are, nor until we have caught up that we are there.
        if (course.origin === 'backfill') {
          if (!(await taking)) break
          keeping.begin()
          this.#hooks.stand('up')
        }
        course = { since: batch.next_batch, first: false, origin: 'live' }
        attempt = 0
      } catch (error) {
        if (signal.aborted) break
        await this.#failed(error, attempt++)
        const taken = await taking.catch(() => null)
        const isLost = taken !== null && course.since !== null && isUnknownPoint(error)
        if (isLost) this.#memory.since = null
        course = isLost || taken === null ? this.#fromSaved() : { ...course, origin: 'backfill' }
        taking = Promise.resolve(true)
      }
    }
    await taking.catch(() => undefined)
    await keeping.ended()
  }

  /** Goes on as after a start. */
  #fromSaved(): Course {
    this.rooms.forgetSeen()
    return { since: this.#memory.since, first: true, origin: 'backfill' }
  }

  /** Says why it failed and waits, or logs in anew. Rejects where neither helps. */
  async #failed(error: unknown, attempt: number): Promise<void> {
    const { signal } = this.#hooks
    const fault = faultOf(error)
    this.#hooks.stand(attempt === 0 ? 'connecting' : 'down', `${fault.message}; trying again`)
    const again = isLoggedOut(error) && this.#config.password !== undefined
    if (fault.code === 'network-refused' && !again) throw fault
    await sleep(fault.afterMs ?? backoffMs(backoff, attempt), signal)
    if (again && !signal.aborted) await this.#logIn()
  }

  async #sync({ since, first, origin }: Course): Promise<SyncBatch> {
    const quick = origin === 'backfill'
    // Equal requests are answered from a cache: a first one that differs each time is not.
    const timeout = quick ? Math.floor(Math.random() * 50) : pollMs
    const query = {
      filter: filterOf(since === null ? 30 : 100),
      timeout,
      ...(since === null ? {} : { since }),
      ...(first && since !== null ? { full_state: true } : {}),
    }
    const { signal } = this.#hooks
    const batch = await this.wire.ask<SyncBatch>('GET', '/sync', {
      query,
      signal,
      deadlineMs: quick ? 120_000 : silenceMs,
    })
    if (string(batch.next_batch) === undefined)
      throw new ChanopError(
        'network-down',
        'what answers is no homeserver: look at `homeserver` in the configuration, and at what stands before it',
      )
    return batch
  }

  #keepDoors(): { begin: () => void; ended: () => Promise<void> } {
    let keeping: Promise<unknown> | null = null
    return {
      begin: () => {
        keeping ??= Promise.all([this.#open.doors.keep(), this.#leftInvitations()])
      },
      ended: async () => {
        await keeping
      },
    }
  }

  /** Batches tell of new invitations alone: those that a crash left, or another configuration, are asked for. */
  async #leftInvitations(): Promise<void> {
    const { signal } = this.#hooks
    try {
      // Answered at once, and not from a cache.
      const query = { filter: invitesAlone, timeout: Math.floor(Math.random() * pollMs) }
      const ask = { query, signal, deadlineMs: 120_000 }
      this.#open.intake.invited(await this.wire.ask<SyncBatch>('GET', '/sync', ask))
    } catch (error) {
      this.#context.log.info({ reason: faultOf(error).message }, 'who invited us before is not known')
    }
  }

  close(): void {
    this.wire.close()
  }

  // ---- acts -------------------------------------------------------------------------------------------------------

  /** Nobody waits for an answer where we can't read the question. */
  #unreadable(room: Room): void {
    const channel = this.rooms.channelOf(room.id)
    this.troubles.begin(
      channel,
      'it is encrypted, which Chanop can not read: make a room without encryption and use that',
    )
    if (!this.rooms.isDirect(room.id)) return
    const body =
      'This conversation is encrypted, which I can not read. Please start one with me without encryption, or write to me in a room.'
    this.wire
      .ask('PUT', path`/rooms/${room.id}/send/m.room.message/chanop.encrypted`, {
        body: { msgtype: 'm.notice', body, 'm.mentions': {} },
      })
      .catch((error: unknown) =>
        this.#context.log.info({ room: room.id, reason: faultOf(error).message }, 'an encrypted conversation'),
      )
  }

  async join(channel: string): Promise<void> {
    this.rooms.want(channel)
    const id = this.rooms.roomOf(channel)
    if (id === null || !this.rooms.get(id)) await this.#open.doors.enter(channel)
  }

  async part(channel: string, reason: string): Promise<void> {
    this.rooms.unwant(channel)
    const id = this.rooms.roomOf(channel)
    this.troubles.end(channel)
    if (id === null || !this.rooms.get(id)) return
    await this.#act(path`/rooms/${id}/leave`, { reason })
    this.rooms.leave(id)
  }

  async kick(channel: string, user: UserId, reason: string): Promise<void> {
    const id = this.rooms.roomOf(channel)
    const room = id === null ? undefined : this.rooms.get(id)
    if (!room || (room.complete && !room.members.has(user))) return
    await this.#act(path`/rooms/${room.id}/kick`, { user_id: user, reason }).catch(async (error: unknown) => {
      const state = await this.wire
        .ask('GET', path`/rooms/${room.id}/state/m.room.member/${user}`)
        .catch((unknown: unknown) => ({ membership: refusalOf(unknown)?.status === 404 ? 'leave' : 'join' }))
      // Who is out already is out.
      if (state['membership'] === 'join') throw error
    })
  }

  async #act(at: string, body: Record<string, string>): Promise<void> {
    await this.wire.ask('POST', at, { body }).catch((error: unknown) => Promise.reject(faultOf(error)))
  }

  #read(room: string, event: string): void {
    this.wire
      .ask('POST', path`/rooms/${room}/receipt/m.read/${event}`, { body: {}, deadlineMs: 10_000 })
      .catch((error: unknown) => this.#context.log.debug({ reason: faultOf(error).message }, 'a receipt was not taken'))
  }

  typing(channel: string, active: boolean): void {
    const [id, parts] = [this.rooms.roomOf(channel), this.#parts]
    if (id === null || !parts || !this.rooms.get(id)) return
    const body = active ? { typing: true, timeout: typingMs } : { typing: false }
    this.wire
      .ask('PUT', path`/rooms/${id}/typing/${parts.account.user}`, { body, deadlineMs: 5000 })
      .catch((error: unknown) =>
        this.#context.log.debug({ reason: faultOf(error).message }, 'typing could not be shown'),
      )
  }

  async direct(user: UserId): Promise<Place> {
    const id = await this.#open.talks.with(user)
    return { network: this.#context.network, channel: id as ChannelId, private: true }
  }
}
