import { DiscordAPIError, HTTPError, RateLimitError, type RawFile, REST } from 'discord.js'
import { ChanopError } from '../../../core/error.ts'
import { deadline, longestLimitMs, retryAfterMs } from '../../../core/retry.ts'
import { causeCode, isUnreached } from '../../../core/unreached.ts'
import { Broken, flatten, Refused } from './faults.ts'
import { InvalidRequests } from './invalid.ts'

export interface Ask {
  readonly query?: Readonly<Record<string, string | number | boolean>>
  readonly body?: unknown
  readonly files?: readonly RawFile[]
  /** False: the address holds a token of its own (webhooks, interactions). */
  readonly auth?: false
  readonly signal?: AbortSignal
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
type Route = `/${string}`

export interface ApiOptions {
  readonly api: string
  readonly signal: AbortSignal
  /** How long a request waits here for its bucket; what has to wait longer is given back, so that it waits in the ledger. */
  readonly patienceMs?: number
  /** How long an answer may take. */
  readonly answerMs?: number
}

const usualMs = 15_000
/** For files: what is sent takes its time. */
const uploadMs = 300_000

/**
 * Discord's REST API. Buckets, their queues and global limits are the library's; nothing is repeated here: whoever asked knows
 * whether that is safe. Rejects with `send-later` (not sent), `network-down` (nobody knows) or `Refused` (final).
 */
export class Api {
  readonly rest: REST
  readonly #signal: AbortSignal
  readonly #invalid = new InvalidRequests()
  #token: string | null = null
  #doubting = false
  /** Told when Discord takes the token no more. */
  refused: (error: ChanopError) => void = () => undefined

  constructor({ api, signal, patienceMs = 3_000, answerMs = usualMs }: ApiOptions) {
    this.#signal = signal
    this.rest = new REST({
      api,
      version: '10',
      retries: 0,
      timeout: answerMs,
      // Requests go through Node's own fetch: another library's dispatcher does not know the multipart bodies of this one's.
      makeRequest: (url, init) => this.#fetch(url, init as unknown as RequestInit) as never,
      rejectOnRateLimit: ({ retryAfter, timeToReset }) => Math.max(retryAfter, timeToReset) > patienceMs,
    })
  }

  /** The library's timers would outlive us. */
  close(): void {
    this.rest.clearHashSweeper()
    this.rest.clearHandlerSweeper()
  }

  token(token: string): void {
    this.#token = token
    this.rest.setToken(token)
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    // Here and not before the library: it asks again by itself.
    const waitMs = this.#invalid.waitMs()
    if (waitMs > 0)
      throw new ChanopError('send-later', 'too many requests were refused; waiting, so that Discord does not ban us', {
        afterMs: waitMs,
      })
    const { dispatcher: _other, ...plain } = init as RequestInit & { dispatcher?: unknown }
    // The library has one time for all requests.
    const until = plain.body instanceof FormData ? { signal: deadline(uploadMs, this.#signal) } : {}
    const response = await fetch(url, { ...plain, ...until })
    this.#invalid.note(response.status, response.headers.get('x-ratelimit-scope'))
    return response.status === 429 ? withWait(response) : response
  }

  get<T>(route: Route, ask: Ask = {}): Promise<T> {
    return this.#ask('GET', route, ask)
  }
  post<T = unknown>(route: Route, ask: Ask = {}): Promise<T> {
    return this.#ask('POST', route, ask)
  }
  put<T = unknown>(route: Route, ask: Ask = {}): Promise<T> {
    return this.#ask('PUT', route, ask)
  }
  patch<T = unknown>(route: Route, ask: Ask = {}): Promise<T> {
    return this.#ask('PATCH', route, ask)
  }
  delete(route: Route, ask: Ask = {}): Promise<unknown> {
    return this.#ask('DELETE', route, ask)
  }

  async #ask<T>(method: Method, route: Route, { query, body, files, auth, signal }: Ask): Promise<T> {
    const parts = new URLSearchParams()
    for (const [key, value] of Object.entries(query ?? {})) parts.set(key, String(value))
    try {
      const answer = await this.rest.request({
        method: method as never,
        fullRoute: route,
        query: parts,
        ...(body === undefined ? {} : { body }),
        ...(files ? { files: [...files] } : {}),
        ...(auth === false ? { auth } : {}),
        signal: signal ? AbortSignal.any([signal, this.#signal]) : this.#signal,
      })
      // The library gives what is no JSON as bytes.
      if (answer instanceof ArrayBuffer && answer.byteLength > 0)
        throw new ChanopError('network-down', 'what answers for Discord is not its API')
      return answer as T
    } catch (thrown) {
      const fault = faultOf(thrown, this.#signal)
      if (auth !== false && fault instanceof Refused && fault.refusal.status === 401) this.#doubt(fault)
      throw fault
    }
  }

  /** One request was refused as if we had no token: the library has forgotten it, and who we are is asked once more. */
  #doubt(fault: ChanopError): void {
    if (this.#token !== null) this.rest.setToken(this.#token)
    if (this.#doubting) return
    this.#doubting = true
    this.get('/users/@me')
      .catch((error: unknown) => {
        if (error instanceof Refused && error.refusal.status === 401) this.refused(fault)
      })
      .finally(() => {
        this.#doubting = false
      })
  }
}

/** A limit that does not say how long it lasts, as of what stands before Discord. */
const unsaidMs = 5_000
const leastMs = 250

/**
 * A refusal for its rate as the library reads it: with a number of seconds in its head. Without one, or with one that is none,
 * the library would ask again at once, and for ever.
 */
async function withWait(response: Response): Promise<Response> {
  const said = bodyOf(await response.text())
  const nowMs = Date.now()
  const toldMs = (of: unknown): number | null =>
    typeof of === 'string' || typeof of === 'number' ? retryAfterMs(String(of), nowMs, longestLimitMs) : null
  const waitMs = toldMs(response.headers.get('retry-after')) ?? toldMs(said['retry_after']) ?? unsaidMs
  const headers = new Headers(response.headers)
  headers.set('retry-after', String(Math.max(waitMs, leastMs) / 1000))
  const resetMs = toldMs(headers.get('x-ratelimit-reset-after'))
  if (resetMs === null) headers.delete('x-ratelimit-reset-after')
  else headers.set('x-ratelimit-reset-after', String(resetMs / 1000))
  if (said['global'] === true) headers.set('x-ratelimit-global', 'true')
  return new Response(null, { status: 429, headers })
}

function bodyOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? { ...body } : {}
  } catch (error) {
    // A page of what stands before Discord.
    if (error instanceof SyntaxError) return {}
    throw error
  }
}

/** What went wrong, without what was asked: neither addresses nor bodies belong into a log. */
function faultOf(thrown: unknown, stopped: AbortSignal): ChanopError {
  if (thrown instanceof ChanopError) return thrown
  if (thrown instanceof RateLimitError) {
    const afterMs = Math.ceil(Math.max(thrown.retryAfter, thrown.timeToReset, 0))
    const whose = thrown.global
      ? 'for everything'
      : thrown.scope === 'shared'
        ? 'for this channel, for everybody'
        : 'here'
    return new ChanopError('send-later', `Discord asks to wait ${Math.ceil(afterMs / 1000)} s ${whose}`, { afterMs })
  }
  if (thrown instanceof DiscordAPIError) {
    const { message, errors } = thrown.rawError as { message?: string; errors?: unknown }
    // What stands before Discord refused it, with a page: 413 alone means the request itself.
    if (message === undefined && thrown.status !== 413)
      return new Broken('send-later', `what stands before Discord refuses us (${thrown.status}); it is tried again`)
    const code = typeof thrown.code === 'number' && thrown.code !== 0 ? thrown.code : null
    return new Refused({ status: thrown.status, code, message: message ?? '', details: flatten(errors).slice(0, 5) })
  }
  if (thrown instanceof HTTPError)
    return new Broken('network-down', `Discord answered ${thrown.status}; it is asked what became of it`)
  if (stopped.aborted) return new ChanopError('network-down', 'the connection to Discord is being closed')
  const code = causeCode(thrown)
  if (isUnreached(thrown))
    return new ChanopError('send-later', `Discord can not be reached (${code}); it is tried again by itself`)
  const what = code ?? (thrown instanceof Error ? thrown.name : 'no answer')
  return new ChanopError('network-down', `the answer of Discord was lost (${what}); it is asked what became of it`)
}
