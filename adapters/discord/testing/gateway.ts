import type { Server } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { userObject } from './objects.ts'
import { bits, type Happening } from './server.ts'
import type { World } from './world.ts'

const messageContent = 1 << 15
const heartbeatMs = 41_250

interface Session {
  readonly id: string
  readonly intents: number
  readonly log: { s: number; t: string; d: unknown }[]
  s: number
  socket: WebSocket | null
}

export interface GatewayOptions {
  readonly world: World
  readonly token: string
  readonly url: () => string
}

/** The gateway (docs.discord.com/developers/events/gateway): hello, identify, resume with replay, heartbeats, close codes. */
export class FakeGateway {
  readonly #o: GatewayOptions
  readonly #server = new WebSocketServer({ noServer: true })
  readonly #sessions = new Map<string, Session>()
  readonly sockets = new Set<WebSocket>()
  /** Intents that are switched off in the developer portal. */
  disallowed = 0
  identifies = 0
  resumes = 0
  /** Sessions end when their connection does: nothing can be resumed. */
  forgets = false
  /** Heartbeats are not answered. */
  silent = false
  /** Servers are promised, and do not come by themselves. */
  withholds = false
  heartbeatMs = heartbeatMs
  remaining = 1000
  /** Told whenever a connection is made or ends. */
  onConnection: () => void = () => undefined
  /** Upgrades are answered with this status instead. */
  refuses: number | null = null
  #serial = 0

  constructor(options: GatewayOptions) {
    this.#o = options
    options.world.told = happening => this.#dispatch(happening)
  }

  attach(server: Server, isDown: () => boolean): void {
    server.on('upgrade', (request, socket, head) => {
      if (isDown()) return socket.destroy()
      if (this.refuses !== null) return socket.end(`HTTP/1.1 ${this.refuses} No\r\nConnection: close\r\n\r\n`)
      this.#server.handleUpgrade(request, socket, head, ws => this.#connected(ws))
    })
  }

  #connected(socket: WebSocket): void {
    this.sockets.add(socket)
    this.onConnection()
    let session: Session | null = null
    socket.on('close', code => {
      this.sockets.delete(socket)
      this.onConnection()
      if (session?.socket !== socket) return
      session.socket = null
      if (this.forgets || code === 1000 || code === 1001) this.#sessions.delete(session.id)
    })
    socket.on('error', () => socket.terminate())
    socket.on('message', data => {
      const { op, d } = JSON.parse((data as Buffer).toString('utf8')) as { op: number; d: Record<string, never> }
      if (op === 1) {
        if (!this.silent) this.#send(socket, { op: 11 })
      } else if (op === 2) {
        if (session) socket.close(4005, 'Already authenticated.')
        else session = this.#identify(socket, d)
      } else if (op === 6) session = this.#resume(socket, d)
      else if (op !== 3 && op !== 4 && op !== 8) socket.close(4001, 'Unknown opcode.')
      else if (!session) socket.close(4003, 'Not authenticated.')
    })
    this.#send(socket, { op: 10, d: { heartbeat_interval: this.heartbeatMs, _trace: [] } })
  }

  #send(socket: WebSocket, payload: { op: number; d?: unknown; s?: number | null; t?: string | null }): void {
    socket.send(JSON.stringify({ s: null, t: null, d: null, ...payload }))
  }

  #identify(socket: WebSocket, d: { token?: string; intents?: number }): Session | null {
    this.identifies++
    this.remaining--
    if (d.token !== this.#o.token) {
      socket.close(4004, 'Authentication failed.')
      return null
    }
    const intents = Number(d.intents)
    if (!Number.isInteger(intents) || intents < 0 || intents >= 1 << 26) {
      socket.close(4013, 'Invalid intent(s).')
      return null
    }
    if ((intents & this.disallowed) !== 0) {
      socket.close(4014, 'Disallowed intent(s).')
      return null
    }
    const session: Session = { id: `session-${++this.#serial}`, intents, log: [], s: 0, socket }
    this.#sessions.set(session.id, session)
    this.#ready(session)
    return session
  }

  #ready(session: Session): void {
    const { world, url } = this.#o
    const member = world.guild.members.has(world.self.id)
    const guilds = member ? [{ id: world.guild.id, unavailable: true }] : []
    this.#tell(session, 'READY', {
      v: 10,
      user: { ...userObject(world.self), verified: true, mfa_enabled: false, email: null },
      guilds,
      private_channels: [],
      session_id: session.id,
      resume_gateway_url: url(),
      session_type: 'normal',
      shard: [0, 1],
      application: { id: world.self.id, flags: 0 },
    })
    if (member && !this.withholds) this.#tell(session, 'GUILD_CREATE', world.guildCreate())
  }

  #resume(socket: WebSocket, d: { token?: string; session_id?: string; seq?: number }): Session | null {
    this.resumes++
    const session = this.#sessions.get(d.session_id ?? '')
    if (d.token !== this.#o.token) socket.close(4004, 'Authentication failed.')
    else if (!session) this.#send(socket, { op: 9, d: false })
    else if (Number(d.seq) > session.s) socket.close(4007, 'Invalid seq.')
    else {
      session.socket = socket
      for (const { s, t, d: data } of session.log.filter(each => each.s > Number(d.seq)))
        this.#send(socket, { op: 0, s, t, d: data })
      this.#tell(session, 'RESUMED', { _trace: [] })
      return session
    }
    return null
  }

  #tell(session: Session, t: string, d: unknown): void {
    session.s++
    session.log.push({ s: session.s, t, d })
    if (session.socket) this.#send(session.socket, { op: 0, s: session.s, t, d })
  }

  #dispatch({ t, d, intent, channel }: Happening): void {
    const { world } = this.#o
    const where = channel === undefined ? undefined : world.channels.get(channel)
    if (where && (world.may(world.self.id, where) & bits.view) === 0n) return
    for (const session of this.#sessions.values()) {
      if (intent !== 0 && (session.intents & intent) === 0) continue
      this.#tell(session, t, this.#seen(session, t, d))
    }
  }

  /** Without the intent words are empty, except in direct conversations, of ourselves, and where we are mentioned. */
  #seen({ intents }: Session, t: string, d: Record<string, unknown>): Record<string, unknown> {
    if (!t.startsWith('MESSAGE_CREATE') && !t.startsWith('MESSAGE_UPDATE')) return d
    const { self } = this.#o.world
    const {
      author,
      guild_id: guild,
      mentions,
    } = d as { author?: { id: string }; guild_id?: string; mentions?: { id: string }[] }
    const known = author === undefined || mentions === undefined
    const open = known || guild === undefined || author.id === self.id || mentions.some(({ id }) => id === self.id)
    if (open || (intents & messageContent) !== 0) return d
    return { ...d, content: '', embeds: [], attachments: [], components: [] }
  }

  /** A slash command, a button: told to the session whatever it asked for. */
  interact(data: Record<string, unknown>): void {
    for (const session of this.#sessions.values()) this.#tell(session, 'INTERACTION_CREATE', data)
  }

  /** Sends an opcode to all: 7 (reconnect) or 9 (invalid session). */
  opcode(op: 7 | 9, d: unknown = null): void {
    for (const socket of this.sockets) this.#send(socket, { op, d })
    if (op === 9 && d === false) this.#sessions.clear()
  }

  close(code: number): void {
    for (const socket of this.sockets) socket.close(code)
  }

  cut(): void {
    for (const socket of this.sockets) socket.terminate()
    this.sockets.clear()
  }
}
