import type { webApi } from '@slack/bolt'
import type { Log } from '../../../core/log.ts'
import { backoffMs, sleep } from '../../../core/retry.ts'
import { isNative, type Native, part, str, strings } from '../native.ts'
import { Fault } from './fault.ts'
import type { Sdk } from './sdk.ts'

const answerMs = 15_000
const backoff = { firstMs: 250, maxMs: 30_000 }

/** Slack could not say whether it did it; of what only reads it is asked again. */
const unsure = new Set(['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout', 'team_added_to_org'])
const limited = new Set(['ratelimited', 'rate_limited', 'message_limit_exceeded', 'accesslimited'])
/** Node's and undici's words for a connection that was never there. */
const unreached = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

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
  /** Not before then, Unix ms. */
  readonly #gates = new Map<string, number>()

  constructor(options: ApiOptions) {
    this.#o = options
    const { sdk, url, token, log, signal } = options
    this.#client = new sdk.webApi.WebClient(token, {
      slackApiUrl: url,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      logger: quietLogger(sdk, log),
      fetch: (address, init) =>
        fetch(address, { ...init, signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]) }),
    })
  }

  /** Rejects with a `Fault`, at once while Slack's wait for such calls is not over. */
  async call(method: string, args: Native = {}): Promise<Native> {
    const gate = gateOf(method, args)
    const waitMs = (this.#gates.get(gate) ?? 0) - Date.now()
    if (waitMs > 0) throw new Fault('limited', method, { afterMs: waitMs })
    if (this.#o.signal.aborted) throw new Fault('unsent', method)
    try {
      const answer: unknown = await this.#client.apiCall(method, args)
      return isNative(answer) ? answer : {}
    } catch (thrown) {
      const fault = this.#fault(method, thrown)
      if (fault.afterMs !== undefined) this.#close(gate, fault.afterMs)
      throw fault
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

  /** Until when calls of that kind wait, Unix ms; 0 when they don't. */
  waitsUntil(method: string, channel: string): number {
    return this.#gates.get(gateOf(method, { channel })) ?? 0
  }

  #close(gate: string, afterMs: number): void {
    const nowMs = Date.now()
    for (const [known, untilMs] of this.#gates) if (untilMs <= nowMs) this.#gates.delete(known)
    this.#gates.set(gate, nowMs + afterMs)
  }

  #fault(method: string, thrown: unknown): Fault {
    const { WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } = this.#o.sdk.webApi
    if (thrown instanceof WebAPIRateLimitedError) {
      return new Fault('limited', method, { afterMs: Math.max(1, thrown.retryAfter) * 1000 })
    }
    if (thrown instanceof WebAPIPlatformError) return platformFault(method, { ...thrown.data })
    if (thrown instanceof WebAPIRequestError && isUnreached(thrown.original)) return new Fault('unsent', method)
    return new Fault('unknown', method)
  }
}

function platformFault(method: string, answer: Native): Fault {
  const code = str(answer, 'error') || 'unknown_error'
  const meta = part(answer, 'response_metadata')
  if (limited.has(code)) return new Fault('limited', method, { code, afterMs: 1000 })
  // A proxy's page instead of an answer.
  if (unsure.has(code) || /[\s<]/.test(code)) return new Fault('unknown', method, { code: code.slice(0, 60) })
  const needed = str(answer, 'needed') || strings(meta, 'acceptedScopes').join(' or ')
  return new Fault('refused', method, { code, needed })
}

function isUnreached(error: unknown): boolean {
  for (let each: unknown = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    if ('code' in each && unreached.has(String(each.code))) return true
    if (each instanceof AggregateError && each.errors.length > 0 && each.errors.every(isUnreached)) return true
  }
  return false
}
