import websocket from '@fastify/websocket'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { WebSocket } from 'ws'
import { namesOf } from '../../../core/rooms.ts'
import { holderOf } from '../command.ts'
import { roomMeant } from '../door/reach.ts'
import { closeWith, lastWordsMs } from '../door/unread.ts'
import type { House, Routes } from '../house.ts'
import { noteRequest } from '../notes.ts'
import { Problem } from '../problem.ts'
import { problems } from '../schemas.ts'
import type { Reader } from '../stream/hub.ts'

/** What may wait in a connection before a reader counts as full. */
const mostWaitingBytes = 256_000

interface Query {
  readonly rooms?: string
  readonly after?: string
}

const querystring = {
  type: 'object',
  additionalProperties: false,
  properties: {
    rooms: {
      type: 'string',
      maxLength: 2000,
      description: 'names of rooms with commas between; all that the key may read without',
    },
    after: { type: 'string', pattern: '^[0-9]{1,15}$', description: 'a number: what came since comes first' },
  },
} as const

/** Which rooms a stream is about, by all names that their facts may carry. */
function roomsIn(house: House, request: FastifyRequest, { rooms }: Query): ReadonlySet<string> | null {
  const wanted = (rooms ?? '').split(',').filter(Boolean)
  if (wanted.length === 0) return null
  const { ledger, rooms: all } = house.interior
  const holder = holderOf(request)
  return ledger.readNow(tx => new Set(wanted.flatMap(name => namesOf(roomMeant(tx, holder, all, name, Date.now())))))
}

/** The number after which a stream goes on: that of the header, of the query, or the newest that is told. */
function cursorIn(house: House, request: FastifyRequest, { after }: Query): number {
  const { ledger } = house.interior
  // An empty one is none: who has heard nothing yet.
  const given = request.headers['last-event-id'] || after
  if (given === undefined) return ledger.keptSeq()
  if (typeof given === 'string' && /^\d{1,15}$/.test(given)) return Math.min(Number(given), ledger.newestSeq())
  throw new Problem(400, 'usage', 'Last-Event-ID: a number that a stream gave')
}

function mustHaveRoom({ hub, config }: House, request: FastifyRequest): void {
  const most = Math.max(1, Math.floor(config.connections / 2))
  if (hub.ofAccount(holderOf(request).account) >= most)
    throw new Problem(429, 'rate-limited', `this key has ${most} streams open already`)
}

/** Each event has the form that docs/http.md tells. */
const events = { content: { 'text/event-stream': { schema: {} } } } as const

const badHandshake = (reason: string): Problem =>
  /version/i.test(reason)
    ? new Problem(426, 'bad-request', 'this speaks version 13 of WebSocket', {
        headers: { upgrade: 'websocket', 'sec-websocket-version': '13' },
      })
    : new Problem(400, 'bad-request', reason.slice(0, 120))

/** Facts as they come in, by server-sent events or by WebSocket: each with its number in the record, to go on from. */
export const streamRoutes: Routes = (app, house) => {
  app.register(websocket, {
    options: {
      maxPayload: 1024,
      handleProtocols: (offered: Set<string>) => (offered.has('chanop.v1') ? 'chanop.v1' : false),
    },
  })
  app.register(async scope => {
    scope.websocketServer.on('wsClientError', ({ message }, socket) => closeWith(socket, badHandshake(message)))
    scope.route<{ Querystring: Query }>({
      method: 'GET',
      url: '/v1/stream',
      config: { scope: 'read' },
      schema: {
        summary: 'Facts as they come in: text/event-stream, or WebSocket by an upgrade; ids are numbers of the record',
        tags: ['stream'],
        querystring,
        response: { 200: events, ...problems },
      },
      handler: (request, reply) => {
        openEvents(house, request, reply)
      },
      wsHandler: (socket, request) => openSocket(house, socket, request as FastifyRequest<{ Querystring: Query }>),
    })
  })
}

function openEvents(house: House, request: FastifyRequest<{ Querystring: Query }>, reply: FastifyReply): void {
  const { hub } = house
  mustHaveRoom(house, request)
  const rooms = roomsIn(house, request, request.query)
  const cursor = cursorIn(house, request, request.query)
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  })
  raw.write(`retry: 2000\nid: ${cursor}\n: from here on\n\n`)
  const reader: Reader = {
    holder: holderOf(request),
    rooms,
    cursor,
    get full() {
      return raw.writableLength > mostWaitingBytes
    },
    give: ({ events }) => void raw.write(events),
    beat: () => void raw.write(`id: ${reader.cursor}\n: still here\n\n`),
    end: reason => {
      raw.end(`event: end\ndata: ${JSON.stringify({ reason })}\n\n`)
      raw.socket?.destroySoon()
      // Who takes nothing takes no last words either.
      const timer = setTimeout(() => raw.destroy(), lastWordsMs)
      raw.once('close', () => clearTimeout(timer))
    },
  }
  const off = hub.add(reader)
  raw.on('drain', () => hub.drained(reader))
  raw.once('close', off)
  noteRequest(house, request, { decision: 'allowed', result: `from ${cursor}`, reads: true })
}

function openSocket(house: House, socket: WebSocket, request: FastifyRequest<{ Querystring: Query }>): void {
  const { hub } = house
  const refuse = (error: unknown): void =>
    socket.close(1008, (error instanceof Problem ? error.message : 'this can not be read').slice(0, 120))
  try {
    mustHaveRoom(house, request)
    const reader = socketReader(
      socket,
      request,
      roomsIn(house, request, request.query),
      cursorIn(house, request, request.query),
    )
    socket.send(JSON.stringify({ kind: 'begin', id: reader.cursor }))
    const off = hub.add(reader)
    socket.on('error', () => socket.terminate())
    socket.once('close', off)
    noteRequest(house, request, { decision: 'allowed', result: `from ${reader.cursor}`, reads: true })
  } catch (error) {
    refuse(error)
  }
}

function socketReader(
  socket: WebSocket,
  request: FastifyRequest,
  rooms: ReadonlySet<string> | null,
  cursor: number,
): Reader {
  let heard = true
  socket.on('pong', () => (heard = true))
  return {
    holder: holderOf(request),
    rooms,
    cursor,
    get full() {
      return socket.bufferedAmount > mostWaitingBytes
    },
    give: ({ facts }) => {
      for (const { json } of facts) socket.send(json)
    },
    beat: () => {
      if (!heard) return socket.terminate()
      heard = false
      socket.ping()
    },
    end: reason => {
      socket.send(JSON.stringify({ kind: 'end', reason }))
      socket.close(1008, reason.slice(0, 120))
    },
  }
}
