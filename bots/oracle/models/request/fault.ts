import type { APIError } from 'openai'
import { retryAfterMs } from '../../../../core/retry.ts'
import { visible } from '../../../../core/text/text.ts'
import { Endless, LedOn } from './body.ts'
import { loadedSdk } from './client.ts'

/**
 * Why a try came to nothing. `rate`: asked to wait. `busy`: a fault of the service, another time may do. `setup`: key, name
 * or address are wrong. `request`: this request is refused, another model may take it. `parameter`: the same without it.
 */
export type FaultKind = 'rate' | 'busy' | 'setup' | 'request' | 'parameter'

export class TryFault extends Error {
  readonly kind: FaultKind
  /** Not before this many ms, as the service says. */
  readonly afterMs: number | null
  readonly parameter: string | null
  /** The service may have worked all the same, and be paid for it. */
  readonly paid: boolean

  /** `message` follows the model's name: one line, no secret. */
  constructor(
    kind: FaultKind,
    message: string,
    more: { afterMs?: number | null; parameter?: string; paid?: true } = {},
  ) {
    super(message)
    this.name = 'TryFault'
    this.kind = kind
    this.afterMs = more.afterMs ?? null
    this.parameter = more.parameter ?? null
    this.paid = more.paid ?? false
  }
}

/** The provider's filter refused the request: an answer, not a fault. */
export class Refused extends Error {}

const secretShape = /\b(?:sk|pk|key|gsk|xai|hf|r8|AIza|Bearer)[-_ ]?[A-Za-z0-9_*.-]{8,}/g

/** Of megabytes of words no more is looked at. */
const mostWords = 2000

/** A service's own words: one short line in which nothing looks like a key. */
export const tidy = (words: string): string =>
  visible(words.slice(0, mostWords))
    .replace(secretShape, '[key]')
    .replace(/\s+/g, ' ')
    .replace(/[.\s]+$/, '')
    .trim()
    .slice(0, 160)

const hourMs = 3_600_000

/** What the provider asks to wait: `retry-after-ms`, else `Retry-After`. At most an hour; null: nothing, or no time at all. */
function askedWaitMs(headers: Headers | undefined, nowMs: number): number | null {
  const precise = Number.parseFloat(headers?.get('retry-after-ms') ?? '')
  if (Number.isFinite(precise)) return Math.min(Math.max(precise, 0), hourMs) || null
  return retryAfterMs(headers?.get('retry-after'), nowMs) || null
}

const own = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined

const mostDepth = 6

/** Where a page has its title. */
const mostPage = 64 * 1024

/** What a page says of itself, where one came in place of an error. */
function pageTitle(text: string): string | null {
  if (!/^\s*<(!doctype|html|head|body|\?xml)/i.test(text)) return null
  return /<title[^>]{0,200}>([^<]{1,200})</i.exec(text.slice(0, mostPage))?.[1]?.trim() ?? 'a page'
}

/** The words in an error body, whatever its form: `{error: {message}}`, `{error}`, `{message}`, `{detail: [{msg}]}`. */
export function wordsOf(body: unknown, depth = 0): string {
  if (typeof body === 'string') return pageTitle(body) ?? body
  if (depth > mostDepth) return ''
  for (const key of ['error', 'message', 'detail', 'msg', 'errors']) {
    const inside = own(body, key)
    if (inside === undefined || inside === null) continue
    const words = Array.isArray(inside)
      ? inside
          .map(each => wordsOf(each, depth + 1))
          .filter(Boolean)
          .join('; ')
      : wordsOf(inside, depth + 1)
    if (words !== '') return words
  }
  return ''
}

/** A parameter that we sent and that the refusal names, quoted, as `param`, or as the last part of a `loc` (pydantic). */
export function namedParameter(body: unknown, sent: readonly string[]): string | null {
  const text = JSON.stringify(body ?? '')
  const first = own(body, 'param') ?? own(own(body, 'error'), 'param')
  const direct = sent.find(name => first === name || (typeof first === 'string' && first.split('.')[0] === name))
  if (direct) return direct
  const places = sent.map(name => ({ name, at: text.search(new RegExp(`\\b${name}\\b`)) })).filter(({ at }) => at >= 0)
  return places.sort((a, b) => a.at - b.at)[0]?.name ?? null
}

const limits = ['max_completion_tokens', 'max_tokens']
/** How we tell a service what we need. What a program brought besides is left out only where the service knows no such thing. */
const manners = [...limits, 'stream_options']
const unknown =
  /unsupported|not support|extra|unknown|unrecogni[sz]ed|not permitted|not allowed|unexpected|deprecated|not available/i

function refusedParameter(body: unknown, sent: readonly string[]): string | null {
  const own = namedParameter(
    body,
    sent.filter(name => manners.includes(name)),
  )
  const text = JSON.stringify(body)
  if (own !== null || !unknown.test(text)) return own
  const quoted = sent.filter(name => text.match(new RegExp(`["'\`]${name}["'\`]`)) !== null)
  return namedParameter(body, quoted)
}

/** The size of a limit is refused, and not that there is one. */
const tooLarge = /too (large|big|high|many)|at most|less than|maximum|exceed|range|<=|≤|> ?\d/i
const tooSmall = /too (small|low|few)|at least|greater than|minimum|higher|was reached/i

/** Which parameter has to be left out; `limit`: each by which an answer's length is said, where it would be as long. */
function parameterIn(body: unknown, sent: readonly string[], words: string): string | null {
  const parameter = refusedParameter(body, sent)
  if (parameter === null || !limits.includes(parameter) || unknown.test(JSON.stringify(body))) return parameter
  if (tooLarge.test(words)) return 'limit'
  return tooSmall.test(words) ? null : parameter
}

const refusals = new Set(['content_filter', 'content_policy_violation', 'content_moderation', 'moderation_blocked'])
/** The conversation is more than the model can read: another, or a shorter one, may do. */
export const isTooLong = (words: string): boolean => tooLong.test(words)

const tooLong =
  /context.{0,20}(length|window|size)|maximum context|too many tokens|prompt is too long|input is too long/i

type Hide = (words: string) => string

/** Takes a key out of words: services say back what they do not know. */
export const hiding =
  (apiKey: string | null): Hide =>
  words =>
    apiKey === null || apiKey === '' ? words : words.replaceAll(apiKey, '[key]')

/** What a refusal says; '' when it has no words: what the package makes of that is none for people. */
const wordsIn = ({ error, status, message }: APIError, hide: Hide): string =>
  tidy(hide(wordsOf(error) || (status === undefined ? message : '')))

const behind = (words: string): string => (words === '' ? '' : `: ${words}`)

function requestFault(error: APIError, sent: readonly string[], words: string): Error {
  const code = error.code ?? own(error.error, 'code')
  if (refusals.has(String(code))) return new Refused(words)
  const parameter = isTooLong(words) ? null : parameterIn(error.error ?? error.message, sent, words)
  if (parameter)
    return new TryFault(
      'parameter',
      `refuses ${parameter === 'limit' ? 'so long an answer' : parameter}${behind(words)}`,
      { parameter },
    )
  return new TryFault('request', `refuses the request (${error.status})${behind(words)}`)
}

const isEndless = (thrown: unknown): boolean =>
  thrown instanceof Endless || (thrown instanceof Error && thrown.cause instanceof Endless)

/** What was thrown while a request was made or its answer read. `sent`: parameters that could be left out. */
export function faultOf(thrown: unknown, sent: readonly string[], nowMs: number, hide: Hide): Error {
  if (thrown instanceof TryFault || thrown instanceof Refused) return thrown
  const sdk = loadedSdk()
  if (sdk && thrown instanceof sdk.APIConnectionTimeoutError)
    return new TryFault('busy', 'did not answer in time', { paid: true })
  if (sdk && thrown instanceof sdk.APIConnectionError)
    return thrown.cause instanceof LedOn ? ledOn(thrown.cause, hide) : unreachable(thrown)
  if (sdk && thrown instanceof sdk.APIError) return apiFault(thrown, sent, nowMs, hide)
  if (isEndless(thrown)) return new TryFault('busy', 'sent something without an end', { paid: true })
  if (thrown instanceof SyntaxError)
    return new TryFault('busy', 'sent something that is no chunk of an answer', { paid: true })
  const words = thrown instanceof Error ? thrown.message : String(thrown)
  return new TryFault('busy', words === 'terminated' ? 'was cut off' : `was cut off: ${tidy(words)}`, { paid: true })
}

const ledOn = ({ host }: LedOn, hide: Hide): TryFault =>
  new TryFault(
    'setup',
    `leads on to ${tidy(hide(host ?? '')) || 'nowhere'}, where nothing is sent: correct its baseUrl`,
  )

const setupWords: Readonly<Record<number, string>> = {
  401: 'refuses the key',
  402: 'wants to be paid first',
  403: 'refuses us',
  404: 'knows no such model or address',
}

function apiFault(error: APIError, sent: readonly string[], nowMs: number, hide: Hide): Error {
  const { status } = error
  const words = wordsIn(error, hide)
  const afterMs = askedWaitMs(error.headers as Headers | undefined, nowMs)
  if (status === 429) return new TryFault('rate', `asks to wait (429)${behind(words)}`, { afterMs })
  if (status === 400 || status === 422) return requestFault(error, sent, words)
  const setup = status === undefined ? undefined : setupWords[status]
  if (setup !== undefined) return new TryFault('setup', `${setup} (${status})${behind(words)}`)
  if (status === 413) return new TryFault('request', `refuses the request (413)${behind(words)}`)
  // An error in the middle of a stream has no status of its own; 503 and the like may say when to come back.
  return new TryFault('busy', `has a fault${status ? ` (${status})` : ''}${behind(words)}`, { afterMs })
}

const untrusted = 'nobody vouches for its certificate: name the file of who does in NODE_EXTRA_CA_CERTS'

/** Before anything was sent, and after it. */
const unsent: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at its address',
  ENOTFOUND: 'its address is not known',
  EAI_AGAIN: 'its address can not be looked up',
  EHOSTUNREACH: 'there is no way to its address',
  ENETUNREACH: 'there is no way to its address',
  ETIMEDOUT: 'its address does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'its address does not answer',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it speaks http there, not https',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it speaks http there, not https',
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}
const sentAndLost: Readonly<Record<string, string>> = {
  ECONNRESET: 'was cut off',
  UND_ERR_SOCKET: 'was cut off',
  UND_ERR_HEADERS_TIMEOUT: 'did not answer in time',
  UND_ERR_BODY_TIMEOUT: 'did not answer in time',
}

/** The reason at the bottom of a failed connection. */
function unreachable(error: Error): TryFault {
  let cause: unknown = error
  for (let depth = 0; depth < 6 && cause instanceof Error; depth++) {
    const written = own(cause, 'code')
    const code = typeof written === 'string' ? written : ''
    if (unsent[code] !== undefined) return new TryFault('busy', `can not be reached: ${unsent[code]}`)
    if (cause.name === 'HTTPParserError')
      return new TryFault('busy', 'can not be reached: what answers there speaks no HTTP')
    if (sentAndLost[code] !== undefined) return new TryFault('busy', sentAndLost[code], { paid: true })
    const below: unknown = cause.cause ?? (cause instanceof AggregateError ? cause.errors[0] : undefined)
    if (below === undefined && code !== '') return new TryFault('busy', `can not be reached (${code})`)
    cause = below
  }
  return new TryFault('busy', 'can not be reached')
}
