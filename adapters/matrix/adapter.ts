import type { Adapter, AdapterContext, Channels, Found, Limits, NetworkStatus, Sink } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import type { Act, Attachment, Draft, MessageId, NetworkId, Place, Reaction, UserId } from '../../core/event.ts'
import { isLoopbackHost } from '../../core/loopback.ts'
import type { MatrixConfig } from './config.ts'
import { parseMxc } from './files.ts'
import { faultOf } from './link/faults.ts'
import { textBytes } from './outbound.ts'
import { Session } from './session.ts'

const lacks = [
  'no encryption: encrypted rooms can not be read, use rooms without it',
  'no answer that one person alone sees in a room: it goes to a direct conversation',
  'one account speaks for all bots and relayed people: older clients show the name in the text alone',
]

const away = (network: string): ChanopError =>
  new ChanopError('send-later', `${network} is not connected; it is tried again by itself`)

export const createMatrixAdapter = (config: MatrixConfig, context: AdapterContext): MatrixAdapter =>
  new MatrixAdapter(config, context)

/** One account on a homeserver. */
export class MatrixAdapter implements Adapter {
  readonly network: NetworkId
  readonly channels: Channels
  readonly #config: MatrixConfig
  readonly #context: AdapterContext
  #session: Session | null = null
  #status: NetworkStatus = { state: 'connecting', sinceMs: Date.now(), lacks }

  constructor(config: MatrixConfig, context: AdapterContext) {
    this.network = context.network
    this.#config = config
    this.#context = context
    this.channels = {
      join: place => this.#open().join(place.channel),
      part: (place, reason) => this.#open().part(place.channel, reason),
      kick: (place, user, reason) => this.#open().kick(place.channel, user, reason),
    }
  }

  get limits(): Limits {
    const fileBytes = this.#session?.fileBytes ?? 50_000_000
    return { textBytes, marks: true, threads: true, growEveryMs: 5000, fileBytes }
  }

  status(): NetworkStatus {
    const troubles = this.#session?.troubles.all ?? []
    return troubles.length === 0 ? this.#status : { ...this.#status, troubles }
  }

  /** The session while it is up: what is asked of us else is for later. */
  #open(): Session {
    if (!this.#session || this.#status.state !== 'up') throw away(this.network)
    return this.#session
  }

  // ---- in ---------------------------------------------------------------------------------------------------------

  async run(sink: Sink, signal: AbortSignal): Promise<void> {
    const session = new Session(this.#config, this.#context, {
      sink,
      signal,
      stand: (state, reason) => this.#stand(state, reason),
    })
    this.#session = session
    try {
      await session.run()
    } finally {
      const reason = signal.aborted ? 'stopped' : (this.#status.reason ?? 'the homeserver refuses us')
      this.#stand('down', reason)
      session.close()
    }
  }

  #stand(state: NetworkStatus['state'], reason?: string): void {
    const { state: before, reason: why, sinceMs } = this.#status
    if (before === state && why === reason) return
    const server = this.#session?.server
    this.#status = {
      state,
      sinceMs: before === state ? sinceMs : Date.now(),
      ...(server ? { server } : {}),
      ...(reason === undefined ? {} : { reason }),
      lacks,
    }
    this.#context.changed()
  }

  // ---- out --------------------------------------------------------------------------------------------------------

  async send(place: Place, draft: Draft, deliveryId: string): Promise<readonly MessageId[]> {
    return this.#open().speech.send(place, draft, deliveryId)
  }

  async edit(
    place: Place,
    target: readonly MessageId[],
    draft: Draft,
    deliveryId: string,
  ): Promise<readonly MessageId[]> {
    return this.#open().speech.edit(place, target, draft, deliveryId)
  }

  async remove(
    place: Place,
    target: readonly MessageId[],
    reason: string | undefined,
    deliveryId: string,
  ): Promise<void> {
    await this.#open().speech.remove(place, target, reason, deliveryId)
  }

  async react(place: Place, target: MessageId, reaction: Reaction, deliveryId: string): Promise<void> {
    await this.#open().speech.react(place, target, reaction, deliveryId)
  }

  async find(place: Place, deliveryId: string, act: Act): Promise<Found> {
    return this.#open().speech.find(place, deliveryId, act)
  }

  typing(place: Place, _as: string, active: boolean): void {
    if (this.#status.state === 'up') this.#session?.typing(place.channel, active)
  }

  async open(attachment: Attachment, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const file = parseMxc(attachment.ref)
    if (!file) throw new ChanopError('not-found', `${attachment.name} is no file of this network`)
    return this.#open()
      .wire.download(file, signal)
      .catch((error: unknown) => Promise.reject(faultOf(error)))
  }

  async direct(user: UserId): Promise<Place> {
    return this.#open().direct(user)
  }

  /** Clients speak TLS with their homeserver; we do unless it is on this machine. */
  async secure(place: Place): Promise<boolean> {
    const { protocol, hostname } = new URL(this.#config.homeserver)
    const room = this.#session?.rooms.roomOf(place.channel)
    const alone = room != null && this.#session?.rooms.isDirect(room) === true
    return alone && (protocol === 'https:' || isLoopbackHost(hostname))
  }
}
