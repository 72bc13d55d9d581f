import { Agent, type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'

/** Answers in JSON are read whole, and are never larger. */
const largestBytes = 64 * 1024 * 1024
/** Shorter than servers and what stands before them keep an idle connection. */
const idleMs = 15_000

export interface Exchange {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | ReadableStream<Uint8Array>
  readonly signal: AbortSignal
}

/**
 * Requests over connections of our own: they end when we stop, redirections are not followed, and no library of another
 * platform that takes over the process' `fetch` stands between.
 */
export class Transport {
  readonly #agents = {
    plain: new Agent({ keepAlive: true, timeout: idleMs }),
    tls: new TlsAgent({ keepAlive: true, timeout: idleMs }),
  }
  /** What the server calls itself: `Synapse/1.163.2`. */
  server: string | null = null

  /** Resolves with the answer once its head is there. Its body ends with an error when `signal` aborts. */
  async exchange(url: URL, { method, headers, body, signal }: Exchange): Promise<IncomingMessage> {
    const tls = url.protocol === 'https:'
    const options = { method, headers, signal, agent: tls ? this.#agents.tls : this.#agents.plain }
    const sent: ClientRequest = tls ? tlsRequest(url, options) : plainRequest(url, options)
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    sent.once('response', resolve).once('error', reject)
    if (body instanceof ReadableStream) pipeline(body, sent).catch(reject)
    else sent.end(body)
    const answer = await promise
    this.server = answer.headersDistinct['server']?.[0] ?? this.server
    return answer
  }

  /** As `fetch`, for a library that takes one; the answer's body is there already. */
  readonly fetch: typeof globalThis.fetch = async (resource, init = {}) => {
    const url = new URL(resource instanceof Request ? resource.url : resource)
    const { method = 'GET', body, signal } = init
    const length = typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {}
    const answer = await this.exchange(url, {
      method,
      headers: { ...Object.fromEntries(new Headers(init.headers)), ...length },
      ...(typeof body === 'string' ? { body } : {}),
      signal: signal ?? AbortSignal.timeout(idleMs),
    })
    const headers = Object.entries(answer.headersDistinct).flatMap(([name, values]) =>
      (values ?? []).map((value): [string, string] => [name, value]),
    )
    const status = answer.statusCode ?? 502
    const bytes = await whole(answer)
    return new Response([101, 204, 205, 304].includes(status) ? null : new Uint8Array(bytes), { status, headers })
  }

  /** Ends every connection, those in use too. */
  close(): void {
    this.#agents.plain.destroy()
    this.#agents.tls.destroy()
  }
}

async function whole(answer: IncomingMessage): Promise<Buffer> {
  let sizeBytes = 0
  answer.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length
    if (sizeBytes > largestBytes) answer.destroy(new Error('the answer is far too large'))
  })
  return buffer(answer)
}
