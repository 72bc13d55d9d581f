import { addAbortListener } from 'node:events'
import { type SessionInfo, WebSocketManager, WebSocketShardEvents } from '@discordjs/ws'
import type { APIGatewayBotInfo, GatewayDispatchPayload } from 'discord.js'
import { asChanopError, ChanopError } from '../../../core/error.ts'
import type { Log } from '../../../core/log.ts'
import { backoffMs, sleep } from '../../../core/retry.ts'
import type { Api } from './api.ts'
import { disallowedIntents, fatalClose } from './faults.ts'
import { ReconnectPace } from './pace.ts'

/** Between questions where the gateway is. */
const asking = { firstMs: 250, maxMs: 10_000 }
const closeMs = 2_000

/** One event as it came: `mark` is the same whenever it is told again, `replayed` when it is told after the fact. */
export interface Told {
  readonly packet: GatewayDispatchPayload
  readonly mark: string
  readonly replayed: boolean
}

export interface GatewayHooks {
  told(told: Told): void
  /** The connection is gone; another is being made. `why`: in words. */
  down(why: string): void
}

export interface GatewayOptions {
  readonly api: Api
  readonly token: string
  readonly intents: number
  /** Instead of the address that the API names. */
  readonly url: string | null
  readonly log: Log
  readonly signal: AbortSignal
  readonly hooks: GatewayHooks
}

const never = (): Promise<never> => new Promise(() => undefined)

/** Thrown when the privileged intents are not switched on. */
export class DisallowedIntents extends Error {}

/** The library's manager, told by us where the gateway is. */
class Manager extends WebSocketManager {
  info: APIGatewayBotInfo | null = null

  override async fetchGatewayInformation(): Promise<APIGatewayBotInfo> {
    if (!this.info) throw new Error('asked before it is known')
    return this.info
  }
}

/**
 * The connection to the gateway: identify, heartbeat, resume and reconnecting are the library's; the pauses between attempts are
 * ours. A session lives in memory alone, with what it told: after a restart what was missed is fetched by id, and nothing is
 * resumed that the ledger may not have.
 */
export class Gateway {
  readonly #o: GatewayOptions
  readonly #manager: Manager
  readonly #sessions = new Map<number, SessionInfo>()
  readonly #resuming = new Set<number>()
  /** What came before the READY of a new session: the library hands it over sooner when both come in one piece. */
  readonly #early = new Map<number, GatewayDispatchPayload[]>()
  readonly #end = Promise.withResolvers<void>()
  readonly #pace = new ReconnectPace()
  #ended = false

  constructor(options: GatewayOptions) {
    this.#o = options
    const { api, token, intents } = options
    this.#manager = new Manager({
      rest: api.rest,
      token,
      intents,
      retrieveSessionInfo: id => this.#retrieve(id),
      updateSessionInfo: (id, session) => {
        if (session) this.#sessions.set(id, session)
        else this.#sessions.delete(id)
      },
    })
    this.#listen()
    // It may end before anybody waits for that.
    this.#end.promise.catch(() => undefined)
  }

  /** Resolves once the signal has aborted and the connection is closed; rejects when Discord will never take us as we are. */
  async run(): Promise<void> {
    const { signal } = this.#o
    using _stopping = addAbortListener(signal, () => this.#end.resolve())
    try {
      if (await this.#mayIdentify()) {
        // Also rejects for what the library goes on with by itself: the close codes say what is final.
        this.#manager.connect().catch((error: unknown) => this.#o.log.debug({ why: String(error) }, 'gateway'))
        await this.#end.promise
      }
    } finally {
      this.#ended = true
      const closing = this.#manager.destroy({ reason: 'stopped' })
      await Promise.race([closing, sleep(closeMs)])
    }
  }

  /** Ends the run: Discord will never take us as we are. */
  end(error: ChanopError): void {
    this.#end.reject(error)
  }

  /** Asks until Discord says where the gateway is, and that we may open a session there. */
  async #mayIdentify(): Promise<boolean> {
    const { api, url, signal, hooks } = this.#o
    for (let attempt = 0; !signal.aborted; attempt++) {
      let waitMs = backoffMs(asking, attempt)
      try {
        const info = await api.get<APIGatewayBotInfo>('/gateway/bot')
        this.#manager.info = url === null ? info : { ...info, url }
        const { remaining, total, reset_after: resetMs } = info.session_start_limit
        if (remaining >= info.shards) return true
        waitMs = resetMs
        hooks.down(`all ${total} sessions of today are used up; waiting ${Math.ceil(waitMs / 60_000)} min`)
      } catch (thrown) {
        const error = asChanopError(thrown)
        if (error.retry === 'never') throw error
        hooks.down(error.message)
        waitMs = Math.max(waitMs, error.afterMs ?? 0)
      }
      await sleep(waitMs, signal)
    }
    return false
  }

  /** Called before each connection, and for each event: only the first has to wait for its turn. */
  async #retrieve(id: number): Promise<SessionInfo | null> {
    const session = this.#sessions.get(id) ?? null
    const { signal } = this.#o
    // Nothing is opened any more: the library has no other way to be told once it waits for its next attempt.
    if (signal.aborted || this.#ended) return never()
    if (!(await this.#isIdle(id))) return session
    await sleep(this.#pace.pauseMs(session === null, performance.now()), signal)
    if (signal.aborted) return never()
    this.#early.delete(id)
    if (session) this.#resuming.add(id)
    else {
      this.#resuming.delete(id)
      this.#early.set(id, [])
    }
    return session && this.#o.url !== null ? { ...session, resumeURL: this.#o.url } : session
  }

  async #isIdle(id: number): Promise<boolean> {
    const status = await this.#manager.fetchStatus()
    return status.get(id) === 0
  }

  #listen(): void {
    const { hooks } = this.#o
    this.#manager.on(WebSocketShardEvents.Dispatch, ({ data, shardId }) => this.#dispatch(shardId, data))
    this.#manager.on(WebSocketShardEvents.Hello, ({ shardId }) => {
      if (!this.#resuming.has(shardId)) this.#pace.opens()
    })
    this.#manager.on(WebSocketShardEvents.Closed, ({ code }) => this.#closed(code))
    this.#manager.on(WebSocketShardEvents.Error, ({ error }) => hooks.down(`the gateway fails: ${error.message}`))
  }

  #dispatch(id: number, packet: GatewayDispatchPayload): void {
    const early = this.#early.get(id)
    if (early && packet.t !== 'READY') {
      early.push(packet)
      return
    }
    this.#early.delete(id)
    if (packet.t === 'READY' || (packet.t as string) === 'RESUMED') {
      this.#resuming.delete(id)
      this.#pace.works(performance.now())
    }
    this.#tell(id, packet)
    for (const each of early ?? []) this.#tell(id, each)
  }

  #tell(id: number, packet: GatewayDispatchPayload): void {
    const session = this.#sessions.get(id)?.sessionId ?? ''
    try {
      this.#o.hooks.told({ packet, mark: `${session}/${packet.s}`, replayed: this.#resuming.has(id) })
    } catch (error) {
      this.#o.log.error({ error, event: packet.t }, 'an event of Discord was not understood')
    }
  }

  #closed(code: number): void {
    const { hooks, signal } = this.#o
    if (signal.aborted) return
    if (code === disallowedIntents) return this.#end.reject(new DisallowedIntents())
    const fatal = fatalClose(code)
    if (fatal !== null) return this.#end.reject(new ChanopError('network-refused', `${fatal} (${code})`))
    hooks.down(`the connection was lost (${code}); making it again`)
  }
}
