import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { ClientPrefix, MatrixHttpApi, type Method } from 'matrix-js-sdk/lib/http-api/index.js'
import { ChanopError } from '../../../core/error.ts'
import type { Upload } from '../../../core/event.ts'
import { deadline } from '../../../core/retry.ts'
import { isMediaType } from '../files.ts'
import { type Json, string } from '../native.ts'
import { Transport } from './transport.ts'

export interface Ask {
  readonly query?: Readonly<Record<string, string | number | boolean>>
  readonly body?: Json
  readonly prefix?: string
  readonly deadlineMs?: number
  readonly signal?: AbortSignal
}

const homeservers = /^(synapse|dendrite|conduit|conduwuit|tuwunel|continuwuity)$/i
const usualMs = 30_000
const mediaMs = 300_000

/** A path with its parts escaped: `path`/rooms/${room}/leave``. */
export const path = (fixed: TemplateStringsArray, ...parts: readonly string[]): string =>
  fixed.map((piece, at) => piece + (at < parts.length ? encodeURIComponent(parts[at] as string) : '')).join('')

/** Everything that goes to and comes from one homeserver: the only I/O of this folder. Rejects with what the SDK rejects with. */
export class Wire {
  readonly #http: MatrixHttpApi<{ baseUrl: string; prefix: string; onlyData: true; accessToken?: string }>
  readonly #transport = new Transport()
  readonly #homeserver: string
  readonly #stopped = new AbortController()
  #token: string | undefined

  constructor(homeserver: string) {
    this.#homeserver = homeserver.replace(/\/+$/, '')
    const options = {
      baseUrl: this.#homeserver,
      prefix: ClientPrefix.V3,
      onlyData: true as const,
      fetchFn: this.#transport.fetch,
    }
    this.#http = new MatrixHttpApi(new EventEmitter() as never, options)
  }

  /** What the homeserver calls itself: `Synapse 1.163.2`; `Matrix` where it does not say, or something before it speaks. */
  get server(): string {
    const [name = '', version = ''] = this.#transport.server?.split(/[/ ]/) ?? []
    return homeservers.test(name) ? `${name} ${version}`.trim() : 'Matrix'
  }

  /** From now on every request carries this access token. */
  set token(token: string) {
    this.#token = token
    this.#http.opts.accessToken = token
  }

  /** One request and its answer, within a time. */
  async ask<T = Json>(method: 'GET' | 'PUT' | 'POST', at: string, ask: Ask = {}): Promise<T> {
    const { query, body, prefix, deadlineMs = usualMs, signal } = ask
    const until = AbortSignal.any([this.#stopped.signal, deadline(deadlineMs), ...(signal ? [signal] : [])])
    // The SDK does not look at a signal that has aborted before it comes to listen.
    until.throwIfAborted()
    const asked = this.#http.authedRequest<T>(method as Method, at, query && { ...query }, body && { ...body }, {
      abortSignal: until,
      ...(prefix === undefined ? {} : { prefix }),
      inhibitLogoutEmit: true,
      // Its types are those of browsers, where this is optional.
      priority: undefined as never,
    })
    const { promise, reject } = Promise.withResolvers<never>()
    const abort = (): void => reject(until.reason)
    until.addEventListener('abort', abort, { once: true })
    return Promise.race([asked, promise]).finally(() => until.removeEventListener('abort', abort))
  }

  /** Takes a file to the homeserver; resolves with its `mxc:` address. */
  async upload(file: Upload): Promise<string> {
    const name = encodeURIComponent(file.name.toWellFormed())
    const answer = await this.#media('POST', `/_matrix/media/v3/upload?filename=${name}`, {
      headers: {
        'content-type': isMediaType(file.type) ? file.type : 'application/octet-stream',
        'content-length': String(file.sizeBytes),
      },
      body: file.open(),
      signal: deadline(mediaMs, this.#stopped.signal),
    })
    const said = await jsonOf(answer)
    const uri = string(said['content_uri'])
    if (answer.statusCode === 200 && uri) return uri
    throw refused(answer, said)
  }

  /** The bytes of a file of any homeserver, by ours. */
  async download({ server, id }: { server: string; id: string }, signal: AbortSignal): Promise<IncomingMessage> {
    const at = path`/_matrix/client/v1/media/download/${server}/${id}?timeout_ms=20000`
    const answer = await this.#media('GET', at, { headers: {}, signal: deadline(mediaMs, signal) })
    if (answer.statusCode === 200) return answer
    throw refused(answer, await jsonOf(answer))
  }

  #media(
    method: string,
    at: string,
    {
      headers,
      body,
      signal,
    }: { headers: Record<string, string>; body?: ReadableStream<Uint8Array>; signal: AbortSignal },
  ): Promise<IncomingMessage> {
    return this.#transport.exchange(new URL(this.#homeserver + at), {
      method,
      headers: { ...headers, authorization: `Bearer ${this.#token ?? ''}` },
      ...(body ? { body } : {}),
      signal: AbortSignal.any([this.#stopped.signal, signal]),
    })
  }

  /** Ends everything under way; nothing is asked any more. */
  close(): void {
    this.#stopped.abort(new ChanopError('network-down', 'Matrix is being left'))
    this.#transport.close()
  }
}

async function jsonOf(answer: IncomingMessage): Promise<Json> {
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > 1_000_000) break
  }
  try {
    return JSON.parse(text) as Json
  } catch {
    return {}
  }
}

/** As the SDK rejects, for requests that are not its own. */
function refused(answer: IncomingMessage, data: Json): Error {
  const error = new Error(string(data['error']) ?? `HTTP ${answer.statusCode}`)
  return Object.assign(error, { httpStatus: answer.statusCode ?? 502, errcode: string(data['errcode']), data })
}
