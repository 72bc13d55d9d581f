import type { Socket } from 'node:net'
import { Server } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import type { Adapter, AdapterContext, Found, Limits, NetworkStatus, Sink } from '../../core/adapter.ts'
import { asChanopError, ChanopError } from '../../core/error.ts'
import type { Draft, MessageId, NetworkId, Place, UserId } from '../../core/event.ts'
import { abandonCompletionsOf, dropOldCompletions } from '../../core/ledger/oracle/completions.ts'
import { dropLetter, dropOldLetters, isKept, keepLetter, rewriteLetter } from '../../core/ledger/out/inbox.ts'
import { keyOfAccount } from '../../core/ledger/settings/api-keys.ts'
import type { Interior } from '../../core/process/interior.ts'
import { backoffMs, sleep } from '../../core/retry.ts'
import { Asks } from './asks.ts'
import { baseUrl, type HttpConfig, hostOf, portOf } from './config.ts'
import { Rights } from './door/rights.ts'
import { type Pair, Renewal, readPair } from './door/tls.ts'
import { Outgoing } from './hooks/out.ts'
import type { House, Routes } from './house.ts'
import { letterOf } from './letters.ts'
import { Metrics } from './metrics.ts'
import { noteRequest } from './notes.ts'
import { ownPlace } from './place.ts'
import { routes as allRoutes } from './routes.ts'
import { closeServer, makeServer, socketsOf } from './server.ts'
import { Hub } from './stream/hub.ts'
import { Waiting } from './waiting.ts'

const again = { firstMs: 1000, maxMs: 15_000 }
const sweepMs = 60_000
/** An answer can be had again for so long, what is secret in it for so long. */
const letterMs = 24 * 3_600_000
const secretMs = 10 * 60_000
/** An answer of a model is streamed, and can be asked for again, for so long; the record has it for ever. */
const completionMs = 3_600_000

export function createHttpAdapter(config: HttpConfig, context: AdapterContext): HttpAdapter {
  const { interior } = context
  if (!interior) throw new ChanopError('internal', 'the HTTP adapter runs in a process with a ledger alone')
  return new HttpAdapter(config, context, interior)
}

/**
 * A network whose users are keys. What they ask is a message in their direct conversation, what they are answered is a
 * delivery, which is kept in the ledger until it was read and its time is over.
 */
export class HttpAdapter implements Adapter {
  readonly network: NetworkId
  readonly limits: Limits = {
    textBytes: Number.POSITIVE_INFINITY,
    marks: true,
    previews: false,
    threads: false,
    growEveryMs: 0,
  }
  readonly pipelined = 64
  readonly #config: HttpConfig
  readonly #context: AdapterContext
  readonly #interior: Interior
  readonly #waiting = new Waiting()
  readonly #rights: Rights
  readonly #hub: Hub
  readonly #outgoing: Outgoing
  readonly #routes: readonly Routes[]
  #running = false
  /** Why nothing could be looked at the last time. */
  #fault = ''
  #status: NetworkStatus = { state: 'connecting', sinceMs: Date.now(), lacks: [] }
  /** The port it listens on, once it does. */
  port = 0

  constructor(config: HttpConfig, context: AdapterContext, interior: Interior, routes: readonly Routes[] = allRoutes) {
    this.#routes = routes
    this.network = context.network
    this.#config = config
    this.#context = context
    this.#interior = interior
    this.#rights = new Rights(interior)
    this.#hub = new Hub(interior, this.#rights, context.log)
    this.#outgoing = new Outgoing({ interior, network: context.network, log: context.log })
  }

  status(): NetworkStatus {
    return this.#status
  }

  async run(sink: Sink, signal: AbortSignal): Promise<void> {
    const { ledger, bus } = this.#interior
    const look = (): void => this.#look(signal)
    // Whether an answer is whole stands in marks: the bridge makes one when it was delivered here.
    const off = [ledger.onCommit(look), ledger.onMark(() => this.#waiting.look()), bus.onRing(look)]
    const sweeping = setInterval(() => this.#sweep(), sweepMs)
    const looking = setInterval(look, 1000)
    this.#running = true
    try {
      for (let attempt = 0; !signal.aborted; attempt++) {
        if (await this.#serve(sink, signal)) return
        await sleep(backoffMs(again, attempt), signal)
      }
    } finally {
      this.#running = false
      for (const stop of off) stop()
      clearInterval(sweeping)
      clearInterval(looking)
      await this.#outgoing.settled()
      this.#stand('down', 'stopped')
    }
  }

  /** There may be something new for somebody. Never throws: it hears of commits, whose writers wait for all that do. */
  #look(signal: AbortSignal): void {
    try {
      this.#waiting.look()
      this.#rights.look()
      this.#hub.look()
      this.#outgoing.look(signal)
      this.#fault = ''
    } catch (error) {
      const { message } = asChanopError(error)
      if (message !== this.#fault) this.#context.log.error({ error }, `programs wait: ${message}`)
      this.#fault = message
    }
  }

  /** Serves until `signal` aborts. False: it could not begin, and says why. */
  async #serve(sink: Sink, signal: AbortSignal): Promise<boolean> {
    const closing = new AbortController()
    const metrics = new Metrics(this.#interior, () => this.#hub.size)
    const served = await this.#listen(this.#house(sink, metrics, closing.signal))
    if (served) {
      if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
      closing.abort()
      this.#hub.endAll('the server closes: come back with Last-Event-ID')
      await closeServer(served.app, served.sockets)
    }
    metrics.close()
    return served !== null
  }

  async #listen(house: House): Promise<{ app: FastifyInstance; sockets: ReadonlySet<Socket> } | null> {
    const { tls, listen } = this.#config
    let app: FastifyInstance | null = null
    try {
      const pair = tls && readPair(tls)
      app = makeServer(house, this.#routes, pair)
      const sockets = socketsOf(app)
      await this.#interior.ledger.write(tx => abandonCompletionsOf(tx, this.network, Date.now()), { durable: false })
      await app.listen({ host: hostOf(listen), port: portOf(listen) })
      const bound = app.server.address()
      this.port = bound !== null && typeof bound === 'object' ? bound.port : 0
      this.#stand('up')
      if (tls && pair && app.server instanceof Server) this.#renewal(app.server, tls, pair).run(house.closing)
      return { app, sockets }
    } catch (error) {
      await app?.close()
      this.#stand('down', `${reasonOf(error as NodeJS.ErrnoException, listen, this.network)}; trying again`)
      return null
    }
  }

  /** Connections that are open stay as they are; new ones get the pair that is there. */
  #renewal(server: Server, tls: NonNullable<HttpConfig['tls']>, pair: Pair): Renewal {
    const { log } = this.#context
    return new Renewal(tls, pair, {
      renewed: ({ options, endsMs }) => {
        server.setSecureContext(options)
        log.info({ ends: new Date(endsMs).toISOString() }, 'the certificate was read again')
      },
      said: trouble => {
        if (trouble !== null) log.error(trouble)
        this.#stand('up', trouble ?? undefined)
      },
    })
  }

  #house(sink: Sink, metrics: Metrics, closing: AbortSignal): House {
    const { network, log } = this.#context
    const interior = this.#interior
    const waiting = this.#waiting
    const asks = new Asks(interior, waiting)
    const { signs } = this.#context
    const startedMs = Date.now()
    const place = { interior, log, network }
    const refused: House['refused'] = (request, result) => noteRequest(place, request, { result })
    const more = signs === undefined ? {} : { signs }
    const own = {
      config: this.#config,
      asks,
      waiting,
      rights: this.#rights,
      hub: this.#hub,
      metrics,
      described: [],
      startedMs,
    }
    return { ...place, ...own, sink, closing, refused, ...more }
  }

  #sweep(): void {
    const nowMs = Date.now()
    this.#interior.ledger
      .write(
        tx => {
          dropOldLetters(tx, nowMs - secretMs, nowMs - letterMs)
          dropOldCompletions(tx, nowMs - completionMs)
        },
        { durable: false },
      )
      .catch((error: unknown) => this.#context.log.warn({ error }, 'old answers stay for now'))
  }

  // ---- out --------------------------------------------------------------------------------------------------------

  /** What is said in a room stands in the record, where programs read it; what is said to one of them is kept for it. */
  async send(place: Place, draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    this.#mustRun()
    if (!place.private) return [idOf(deliveryId)]
    const about = { network: this.network, delivery: deliveryId, channel: place.channel }
    const letter = letterOf(about, draft, this.#interior.vault)
    this.#interior.ledger.mark(tx => keepLetter(tx, letter, Date.now()))
    return [idOf(deliveryId)]
  }

  /** What was said in a room is changed in the record. A letter that was read reads anew the next time. */
  async edit(place: Place, target: readonly MessageId[], draft: Draft): Promise<readonly MessageId[]> {
    this.#mustRun()
    const [delivery] = target.map(deliveryOf)
    if (!place.private || delivery === undefined) return target
    const about = { network: this.network, delivery, channel: place.channel }
    const { body } = letterOf(about, draft, this.#interior.vault)
    this.#interior.ledger.mark(tx => rewriteLetter(tx, this.network, delivery, body))
    return target
  }

  async remove(place: Place, target: readonly MessageId[]): Promise<void> {
    this.#mustRun()
    if (!place.private) return
    this.#interior.ledger.mark(tx => {
      for (const id of target) dropLetter(tx, this.network, deliveryOf(id))
    })
  }

  async find(place: Place, deliveryId: string): Promise<Found> {
    const kept = place.private && this.#interior.ledger.readNow(tx => isKept(tx, this.network, deliveryId))
    return kept ? [idOf(deliveryId)] : 'not-sent'
  }

  async direct(user: UserId): Promise<Place> {
    const known = this.#interior.ledger.readNow(tx => keyOfAccount(tx, this.network, user))
    if (!known) throw new ChanopError('not-found', `there is no key ${user} here`)
    return ownPlace(this.network, user)
  }

  /** Beyond this machine it is reached with TLS alone, by itself or by the proxy that is named. */
  async secure(place: Place): Promise<boolean> {
    return place.private === true
  }

  #mustRun(): void {
    if (!this.#running) throw new ChanopError('send-later', `${this.network} does not run`)
  }

  #stand(state: NetworkStatus['state'], reason?: string): void {
    if (this.#status.state === state && this.#status.reason === reason) return
    const about = reason === undefined ? {} : { reason }
    const sinceMs = this.#status.state === state ? this.#status.sinceMs : Date.now()
    this.#status = { state, sinceMs, server: 'HTTP', address: this.#address(), lacks: [], ...about }
    this.#context.changed()
  }

  #address(): string {
    const isFree = portOf(this.#config.listen) === 0 && this.#config.url === null
    return isFree ? `http://${hostOf(this.#config.listen)}:${this.port}` : baseUrl(this.#config)
  }
}

const idOf = (deliveryId: string): MessageId => `d:${deliveryId}` as MessageId
const deliveryOf = (id: MessageId): string => id.replace(/^d:/, '')

function reasonOf({ code, message }: NodeJS.ErrnoException, listen: string, network: string): string {
  const change = `change networks.${network}.listen`
  if (code === 'EADDRINUSE') return `${listen} is taken by another program: end that, or ${change}`
  if (code === 'EACCES') return `${listen} may not be used by this user: ${change}`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${listen} is no address of this machine: ${change}`
  return message
}
