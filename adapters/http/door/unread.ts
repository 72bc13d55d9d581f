import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../problem.ts'

/** What is said last has so long to arrive. */
export const lastWordsMs = 1000

/** The one address that WebSockets are opened at: whatever else asks for another protocol is answered as HTTP is. */
export const isUpgrade = ({ method, url = '', headers }: IncomingMessage): boolean =>
  method === 'GET' && url.split('?')[0] === '/v1/stream' && /^websocket$/i.test(headers.upgrade ?? '')

/** Answers on a bare connection, and closes it. */
export function closeWith(socket: Duplex, problem: Problem): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const body = JSON.stringify(problem.body())
  const headers = {
    'content-type': 'application/problem+json',
    'content-length': `${Buffer.byteLength(body)}`,
    connection: 'close',
    ...problem.headers,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${lines.join('')}\r\n`
  const timer = setTimeout(() => socket.destroy(), lastWordsMs)
  socket.once('close', () => clearTimeout(timer))
  socket.end(head + body, () => socket.destroy())
}

/** What the parser of HTTP stumbled over; null: there is nobody left who could be told, or no HTTP at all. */
function problemOf(code: string): Problem | null {
  if (code === 'HPE_HEADER_OVERFLOW') return new Problem(431, 'too-large', 'the head of this request is too large')
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return new Problem(413, 'too-large', 'chunks with less beside them')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Problem(408, 'timeout', 'this request took too long to arrive')
  return code.startsWith('HPE_') ? new Problem(400, 'bad-request', 'this is no request of HTTP/1.1') : null
}

/** Of these another program on the way may have read the other one. */
const single = new Set(['host', 'authorization'])

/** A header that came more than once where it must not; null: none did. */
function repeated({ rawHeaders }: IncomingMessage): string | null {
  const seen = new Set<string>()
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    if (seen.has(name)) return name
    if (single.has(name)) seen.add(name)
  }
  return null
}

/** What never becomes a request is answered with problem details too, and its connection is closed. */
export function answerUnread(app: FastifyInstance): void {
  const { server } = app
  const answering = new WeakSet<Duplex>()
  server.on('request', ({ socket }, response) => {
    answering.add(socket)
    response.once('close', () => answering.delete(socket))
  })
  server.removeAllListeners('clientError')
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const problem = problemOf(error.code ?? '')
    // In the middle of another answer this would be taken for a part of it.
    if (problem && !answering.has(socket)) closeWith(socket, problem)
    else socket.destroy()
  })
  server.on('connect', (_request, socket) => {
    closeWith(socket, new Problem(405, 'method', 'this is no proxy', { headers: { allow: 'GET, POST' } }))
  })
  server.on('checkExpectation', (_request, response) => {
    const body = new Problem(417, 'bad-request', 'Expect: 100-continue or nothing').body()
    response.writeHead(417, { 'content-type': 'application/problem+json', connection: 'close' })
    response.end(JSON.stringify(body))
  })
  app.addHook('onResponse', async ({ raw }) => {
    // What was refused before it became one is no connection of HTTP any more.
    if (isUpgrade(raw)) raw.socket.destroySoon()
  })
  app.addHook('onRequest', async ({ raw }) => {
    // RFC 9112, section 3.2.
    if (raw.httpVersion === '1.1' && raw.headers.host === undefined)
      throw new Problem(400, 'bad-request', 'send the header Host')
    const twice = repeated(raw)
    if (twice !== null) throw new Problem(400, 'bad-request', `send the header ${twice} once`)
    const coding = raw.headers['content-encoding'] ?? 'identity'
    if (!/^identity$/i.test(coding))
      throw new Problem(415, 'media-type', 'send the body as it is, without Content-Encoding', {
        headers: { 'accept-encoding': 'identity' },
      })
  })
}
