import type { webApi } from '@slack/bolt'
import type { Log } from '../../../core/log.ts'
import { isRecord } from '../../../core/loose.ts'
import { backoffMs, longestLimitMs, retryAfterMs, sleep } from '../../../core/retry.ts'
import { isUnreached } from '../../../core/unreached.ts'
import { type Native, part, str, strings } from '../native.ts'
import { Fault } from './fault.ts'
import type { Sdk } from './sdk.ts'

const answerMs = 15_000
const backoff = { firstMs: 250, maxMs: 30_000 }
/** Waits for a limit that does not say how long it lasts: that of messages of a whole workspace may last long. */
const growing = { firstMs: 1000, maxMs: 60_000 }

/** Slack could not say whether it did it; of what only reads it is asked again. */
const unsure = new Set(['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout', 'team_added_to_org'])
const limited = new Set(['ratelimited', 'rate_limited', 'message_limit_exceeded', 'accesslimited'])

/** Calls that wait for the same limit. */
interface Gate {
  /** Not before then, Unix ms. */
  readonly untilMs: number
  /** How often in a row it did not say how long it lasts. */
  readonly times: number
}

export interface ApiOptions {
  readonly sdk: Sdk
  readonly url: string
  readonly token: string
  readonly log: Log
  /** Ends every call that is under way. */
  readonly signal: AbortSignal
}

/** The SDK logs what it does loudly, and tokens of others among it: only that something failed is kept. */
export function quietLogger(sdk: Sdk, log: Log) {
  const ignore = (): void => undefined
  const note = (...words: unknown[]): void => log.debug({ sdk: words.map(String).join(' ').slice(0, 300) }, 'slack sdk')
  return {
    debug: ignore,
    info: ignore,
    warn: note,
    error: note,
    setLevel: ignore,
    setName: ignore,
    getLevel: () => sdk.LogLevel.WARN,
  }
}

/** What of calls waits for the same limit: a storm on one channel delays no other. */
const gateOf = (method: string, { channel }: Native): string =>
  /^(chat|reactions)\./.test(method) && typeof channel === 'string' ? `${method} ${channel}` : method

/** Calls of Slack's Web API, each tried once, with what it asks to wait kept for each method and channel. */
export class Api {
  readonly #o: ApiOptions
  readonly #client: webApi.WebClient
  #aheadMs = 0
  readonly #gates = new Map<string, Gate>()

  constructor(options: ApiOptions) {
    this.#o = options
    const { sdk, url, token, log, signal } = options
    this.#client = new sdk.webApi.WebClient(token, {
      slackApiUrl: url,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      logger: quietLogger(sdk, log),
      fetch: async (address, init) => {
        const response = await fetch(address, {
          ...init,
          signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
        })
        this.#heard(response.headers.get('date'))
        return withWait(response)
      },
    })
  }

  /** How far Slack's clock is ahead of ours, ms; 0 when they agree as far as can be told. */
  get aheadMs(): number {
    return this.#aheadMs
  }

  /** Slack tells the time with each answer, to the second: it was some time within that one. */
  #heard(date: string | null): void {
    const aheadMs = Date.parse(date ?? '') + 500 - Date.now()
    if (!Number.isNaN(aheadMs)) this.#aheadMs = Math.abs(aheadMs) < 3000 ? 0 : Math.round(aheadMs / 1000) * 1000
  }

  /** Rejects with a `Fault`, at once while Slack's wait for such calls is not over. */
  async call(method: string, args: Native = {}): Promise<Native> {
    const gate = gateOf(method, args)
    const waitMs = (this.#gates.get(gate)?.untilMs ?? 0) - Date.now()
    if (waitMs > 0) throw new Fault('limited', method, { afterMs: waitMs })
    if (this.#o.signal.aborted) throw new Fault('unsent', method)
    try {
      const answer: unknown = await this.#client.apiCall(method, args)
      // What was asked before a limit says nothing of it.
      if ((this.#gates.get(gate)?.untilMs ?? 0) <= Date.now()) this.#gates.delete(gate)
      return isRecord(answer) ? answer : {}
    } catch (thrown) {
      const fault = this.#fault(method, thrown)
      throw fault.kind === 'limited' ? this.#limited(gate, fault) : fault
    }
  }

  /** For what only reads: waits as Slack asks and tries again until it is refused for good or `signal` aborts. */
  async patient(method: string, args: Native, signal: AbortSignal, tries = Number.POSITIVE_INFINITY): Promise<Native> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.call(method, args)
      } catch (thrown) {
        const fault = thrown instanceof Fault ? thrown : new Fault('unknown', method)
        if (fault.kind === 'refused' || signal.aborted || attempt + 1 >= tries) throw fault
        await sleep(fault.afterMs ?? backoffMs(backoff, attempt), signal)
      }
    }
  }

  /** What is listed over several pages, as `patient` asks for each. */
  async *pages(method: string, args: Native, signal: AbortSignal, tries?: number): AsyncGenerator<Native> {
    for (let from: Native = {}; ; ) {
      const page = await this.patient(method, { ...args, ...from }, signal, tries)
      yield page
      const cursor = str(part(page, 'response_metadata'), 'next_cursor')
      if (cursor === '') return
      from = { cursor }
    }
  }

  /** With the time to wait. Of several calls under way the first one counts. */
  #limited(gate: string, { method, code, afterMs }: Fault): Fault {
    const nowMs = Date.now()
    for (const [known, { untilMs }] of this.#gates) if (untilMs + growing.maxMs <= nowMs) this.#gates.delete(known)
    const { untilMs, times } = this.#gates.get(gate) ?? { untilMs: 0, times: 0 }
    const waitMs = afterMs ?? (untilMs > nowMs ? untilMs - nowMs : backoffMs(growing, times, () => 1))
    this.#gates.set(gate, {
      untilMs: nowMs + waitMs,
      times: afterMs === undefined && untilMs <= nowMs ? times + 1 : times,
    })
    return new Fault('limited', method, { code, afterMs: waitMs })
  }

  #fault(method: string, thrown: unknown): Fault {
    const { WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } = this.#o.sdk.webApi
    if (thrown instanceof WebAPIRateLimitedError) return limitOf(method, thrown)
    if (thrown instanceof WebAPIPlatformError) return platformFault(method, { ...thrown.data })
    if (thrown instanceof WebAPIRequestError && isUnreached(thrown.original)) return new Fault('unsent', method)
    return new Fault('unknown', method)
  }
}

/** A limit with whole seconds, none where it does not say how long it lasts. The SDK takes all else for a broken answer. */
export function withWait(response: Response): Response {
  if (response.status !== 429) return response
  const waitMs = retryAfterMs(response.headers.get('retry-after'), Date.now(), longestLimitMs) ?? 0
  const headers = new Headers(response.headers)
  headers.set('retry-after', String(Math.ceil(waitMs / 1000)))
  return new Response(response.body, { status: 429, headers })
}

/** What the SDK made of an answer of `withWait`. */
export const limitOf = (method: string, { retryAfter }: { readonly retryAfter: number }): Fault =>
  new Fault('limited', method, retryAfter > 0 ? { afterMs: retryAfter * 1000 } : {})

function platformFault(method: string, answer: Native): Fault {
  const code = str(answer, 'error')
  const meta = part(answer, 'response_metadata')
  if (limited.has(code)) return new Fault('limited', method, { code })
  // A proxy's page instead of an answer.
  if (code === '' || unsure.has(code) || /[^\w-]/.test(code))
    return new Fault('unknown', method, { code: code.slice(0, 60) })
  const needed = str(answer, 'needed') || strings(meta, 'acceptedScopes').join(' or ')
  return new Fault('refused', method, { code, needed })
}
