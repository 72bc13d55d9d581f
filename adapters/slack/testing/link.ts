import type { WebSocket } from 'ws'
import { app, type Json, team } from './workspace.ts'

interface Pending {
  readonly envelope: Json
  tries: number
  socket: WebSocket | null
  timer: NodeJS.Timeout | null
}

export interface LinkOptions {
  readonly ackMs: number
  id(letter: string): string
  isDown(): boolean
  changed(): void
}

/** Socket mode: hello, envelopes until they are acknowledged, and their redelivery. */
export class Link {
  /** Everything that went over the sockets to the app. */
  readonly told: Json[] = []
  readonly sockets = new Set<WebSocket>()
  readonly pending = new Map<string, Pending>()
  readonly #o: LinkOptions

  constructor(options: LinkOptions) {
    this.#o = options
  }

  stop(): void {
    for (const { timer } of this.pending.values()) if (timer) clearTimeout(timer)
    for (const socket of this.sockets) socket.terminate()
  }

  /** Says something that is no envelope. */
  write(message: Json): void {
    for (const socket of this.sockets) this.#write(socket, message)
  }

  greet(socket: WebSocket): void {
    if (this.#o.isDown()) return socket.terminate()
    this.sockets.add(socket)
    socket.on('close', () => {
      this.sockets.delete(socket)
      for (const pending of this.pending.values()) if (pending.socket === socket) pending.socket = null
      this.#o.changed()
    })
    socket.on('error', () => socket.terminate())
    socket.on('message', data => this.#heard((data as Buffer).toString('utf8')))
    this.#write(socket, {
      type: 'hello',
      num_connections: this.sockets.size,
      debug_info: { host: 'fake', build_number: 1, approximate_connection_time: 18_060 },
      connection_info: { app_id: app.id },
    })
    for (const pending of this.pending.values()) if (!pending.socket) this.#deliver(pending, 'timeout')
    this.#o.changed()
  }

  #write(socket: WebSocket, message: Json): void {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
  }

  #heard(data: string): void {
    const { envelope_id: id } = JSON.parse(data) as { envelope_id?: string }
    const pending = this.pending.get(id ?? '')
    if (!pending) return
    if (pending.timer) clearTimeout(pending.timer)
    this.pending.delete(id as string)
    this.#o.changed()
  }

  envelopeOf(event: Json, shared = false): Json {
    return {
      envelope_id: this.#o.id('e'),
      type: 'events_api',
      accepts_response_payload: false,
      payload: {
        token: 'fake',
        team_id: team,
        api_app_id: app.id,
        event,
        type: 'event_callback',
        event_id: this.#o.id('Ev'),
        event_time: Math.floor(Date.now() / 1000),
        authorizations: [
          { enterprise_id: null, team_id: team, user_id: app.user, is_bot: true, is_enterprise_install: false },
        ],
        is_ext_shared_channel: shared,
      },
    }
  }

  queue(envelope: Json): void {
    const pending: Pending = { envelope, tries: 0, socket: null, timer: null }
    this.pending.set(String(envelope['envelope_id']), pending)
    this.#deliver(pending, '')
  }

  #deliver(pending: Pending, reason: string): void {
    const [socket] = [...this.sockets].toReversed()
    if (!socket) return
    const attempt = pending.tries++
    pending.socket = socket
    const envelope = { ...pending.envelope, retry_attempt: attempt, retry_reason: attempt === 0 ? '' : reason }
    this.told.push(envelope)
    this.#write(socket, envelope)
    this.#o.changed()
    if (pending.timer) clearTimeout(pending.timer)
    pending.timer = setTimeout(() => {
      if (pending.tries < 4) this.#deliver(pending, 'timeout')
      else this.pending.delete(String(pending.envelope['envelope_id']))
    }, this.#o.ackMs)
    pending.timer.unref()
  }
}
