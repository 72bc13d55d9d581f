import type { Able, Adapter, AdapterContext, Channels, Limits, NetworkStatus, Sink } from '../../core/adapter.ts'
import { ChanopError } from '../../core/error.ts'
import type { Attachment, NetworkId, Place } from '../../core/event.ts'
import { isReadable } from '../../core/loopback.ts'
import { NetworkState } from '../../core/process/network-state.ts'
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

/** One account on a homeserver. */
export class MatrixAdapter implements Adapter {
  readonly network: NetworkId
  readonly channels: Channels
  readonly #config: MatrixConfig
  readonly #context: AdapterContext
  #session: Session | null = null
  readonly #state: NetworkState

  constructor(config: MatrixConfig, context: AdapterContext) {
    this.network = context.network
    this.#config = config
    this.#context = context
    this.#state = new NetworkState(() => context.changed())
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
    const { server, troubles } = this.#session ?? {}
    return {
      ...this.#state.now,
      lacks,
      ...(server === undefined ? {} : { server }),
      ...(troubles === undefined || troubles.all.length === 0 ? {} : { troubles: troubles.all }),
    }
  }

  /** The session while it is up: what is asked of us else is for later. */
  #open(): Session {
    if (!this.#session || !this.#state.isUp) throw away(this.network)
    return this.#session
  }

  async run(sink: Sink, signal: AbortSignal): Promise<void> {
    const session = new Session(this.#config, this.#context, {
      sink,
      signal,
      stand: (state, reason) => this.#state.set(state, reason),
    })
    this.#session = session
    try {
      await session.run()
    } finally {
      this.#state.set('down', signal.aborted ? 'stopped' : (this.#state.now.reason ?? 'the homeserver refuses us'))
      session.close()
    }
  }

  readonly send: Able['send'] = async (...asked) => this.#open().speech.send(...asked)
  readonly edit: Able['edit'] = async (...asked) => this.#open().speech.edit(...asked)
  readonly remove: Able['remove'] = async (...asked) => this.#open().speech.remove(...asked)
  readonly react: Able['react'] = async (...asked) => this.#open().speech.react(...asked)
  readonly find: Able['find'] = async (place, ...asked) => this.#open().speech.find(place, ...asked)
  readonly direct: Able['direct'] = async user => this.#open().direct(user)

  typing(place: Place, _as: string, active: boolean): void {
    if (this.#state.isUp) this.#session?.typing(place.channel, active)
  }

  async open(attachment: Attachment, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const file = parseMxc(attachment.ref)
    if (!file) throw new ChanopError('not-found', `${attachment.name} is no file of this network`)
    return this.#open()
      .wire.download(file, signal)
      .catch((error: unknown) => Promise.reject(faultOf(error)))
  }

  /** Clients speak TLS with their homeserver; we do unless it is on this machine. */
  async secure(place: Place): Promise<boolean> {
    const room = this.#session?.rooms.roomOf(place.channel)
    const alone = room != null && this.#session?.rooms.isDirect(room) === true
    return alone && !isReadable(this.#config.homeserver)
  }
}
