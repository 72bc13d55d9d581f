/** An HTTP server whose every byte a test decides: for what services do when they break. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Readonly<Record<string, unknown>>
  /** Resolves when the client hangs up before the answer is whole. */
  readonly hungUp: Promise<void>
}

export type Handler = (response: ServerResponse, request: Received, count: number) => void | Promise<void>

interface Closing {
  after(done: () => void | Promise<void>): void
}

export class ModelServer {
  readonly requests: Received[] = []
  readonly url: string

  private constructor(url: string) {
    this.url = url
  }

  static async listen(t: Closing, handler: Handler): Promise<ModelServer> {
    const http = createServer()
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const server = new ModelServer(`http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`)
    http.on('request', (request, response) => {
      let text = ''
      const { promise, resolve } = Promise.withResolvers<void>()
      response.on('close', () => !response.writableFinished && resolve())
      request.on('data', chunk => (text += String(chunk)))
      request.on('end', () => {
        const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
        const received = { path: request.url ?? '', headers: request.headers, body, hungUp: promise }
        server.requests.push(received)
        void handler(response, received, server.requests.length)
      })
    })
    t.after(() => {
      http.closeAllConnections()
      http.close()
    })
    return server
  }
}

/** The same, byte by byte: what no HTTP server would send. */
export class RawServer {
  /** What was asked, as it came; its body may be still to come. */
  readonly requests: { readonly head: string; readonly socket: Socket; readonly hungUp: Promise<void> }[] = []
  readonly url: string

  private constructor(url: string) {
    this.url = url
  }

  /** `handler` is called once for each request, when its head is there. */
  static async listen(t: Closing, handler: (socket: Socket) => void | Promise<void>): Promise<RawServer> {
    const sockets = new Set<Socket>()
    const tcp = createTcpServer().listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const server = new RawServer(`http://127.0.0.1:${(tcp.address() as AddressInfo).port}/v1`)
    tcp.on('connection', socket => {
      sockets.add(socket)
      const { promise, resolve } = Promise.withResolvers<void>()
      socket.on('close', () => resolve()).on('error', () => resolve())
      let text = ''
      socket.on('data', piece => {
        const begun = text.includes('\r\n\r\n')
        text += String(piece)
        if (begun || !text.includes('\r\n\r\n')) return
        server.requests.push({ head: text, socket, hungUp: promise })
        void handler(socket)
      })
    })
    t.after(() => {
      for (const socket of sockets) socket.destroy()
      tcp.close()
    })
    return server
  }
}

/** Sends it again and again, as fast as it is taken. */
export async function pour(socket: Socket, piece: string): Promise<void> {
  const block = piece.repeat(Math.ceil((256 * 1024) / piece.length))
  while (!socket.destroyed) {
    const woken = Promise.withResolvers<void>()
    if (socket.write(block)) setImmediate(woken.resolve)
    else socket.once('drain', woken.resolve)
    await woken.promise
  }
}

export const begin = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream' })

export const send = (response: ServerResponse, data: unknown): void =>
  void response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`)

export const delta = (content: string, more: object = {}): object => ({
  id: 'c',
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta: { content }, finish_reason: null, ...more }],
})

export const finished = (reason = 'stop'): object => ({ choices: [{ index: 0, delta: {}, finish_reason: reason }] })

export const usage = (input: number, output: number, cached = 0): object => ({
  choices: [],
  usage: { prompt_tokens: input, completion_tokens: output, prompt_tokens_details: { cached_tokens: cached } },
})

/** A whole answer, as it should be. */
export function answer(response: ServerResponse, words: readonly string[], used = usage(10, words.length)): void {
  begin(response)
  for (const word of words) send(response, delta(word))
  send(response, finished())
  send(response, used)
  send(response, '[DONE]')
  response.end()
}

export const refuse = (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void =>
  void response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(typeof body === 'string' ? body : JSON.stringify(body))

/** An address at which nothing listens. */
export async function nobody(): Promise<string> {
  const http = createServer().listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  http.close()
  await once(http, 'close')
  return `http://127.0.0.1:${port}/v1`
}
