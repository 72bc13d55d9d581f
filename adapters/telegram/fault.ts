import { ChanopError } from '../../core/error.ts'
import { longestLimitMs } from '../../core/retry.ts'

/** What the Bot API answers instead of a result. */
export interface Refusal {
  readonly error_code: number
  readonly description: string
  readonly parameters?: { readonly retry_after?: number; readonly migrate_to_chat_id?: number }
}

/** Whether an answer is the Bot API's own: what stands before it speaks otherwise. */
export const isRefusal = (answer: unknown): answer is Refusal => {
  const { error_code, description } = (answer ?? {}) as Partial<Record<keyof Refusal, unknown>>
  return typeof error_code === 'number' && typeof description === 'string'
}

/** How long to wait: as a field, else in words. */
function waitMs({ description, parameters }: Refusal): number {
  const told = parameters?.retry_after ?? /retry after (\d+)/.exec(description)?.[1]
  return Math.min(Math.max(1, Number(told) || 1) * 1000, longestLimitMs)
}

const codeOf = (status: number): ChanopError['code'] => {
  if (status === 429) return 'send-later'
  // The token is not valid (any more): whoever asks for updates ends the connection, what was to be said waits.
  if (status === 401 || status === 409) return 'send-later'
  // A gateway of theirs answered: what stood behind it may have done it.
  return status >= 500 ? 'network-down' : 'send-refused'
}

/** `Bad Request: message is not modified` → `message is not modified`. */
const reasonOf = (description: string): string =>
  description.replace(/^(Bad Request|Forbidden|Unauthorized|Conflict|Not Found|Too Many Requests): /, '')

/** The Bot API refused a request, with its status (`error_code`). */
export class ApiError extends ChanopError {
  readonly status: number
  readonly reason: string
  /** The group is a supergroup now, with this id. */
  readonly movedTo: number | undefined

  constructor(refusal: Refusal) {
    const { error_code, description, parameters } = refusal
    const reason = reasonOf(description)
    const afterMs = error_code === 429 ? waitMs(refusal) : undefined
    super(codeOf(error_code), `Telegram: ${reason}`, afterMs === undefined ? {} : { afterMs })
    this.status = error_code
    this.reason = reason
    this.movedTo = parameters?.migrate_to_chat_id
  }

  /** It was refused for a reason of this kind: descriptions are all that tells them apart. */
  is(reason: RegExp): boolean {
    return this.status === 400 && reason.test(this.reason)
  }
}

export const isApiError = (thrown: unknown, reason: RegExp): thrown is ApiError =>
  thrown instanceof ApiError && thrown.is(reason)

/** There is no bot with our token (any more). */
export const isUnknownToken = (thrown: unknown): boolean =>
  thrown instanceof ApiError && (thrown.status === 401 || thrown.status === 404)

/** A request that never reached the server: nobody listened there, or its name or certificate was not had. */
const neverSent =
  /reason: (connect|getaddrinfo|Client network socket disconnected before secure TLS|unable to verify|self-signed|certificate)/i

/** A page instead of an answer: what stands before the Bot API refused it, or answered for it. */
export class PageError extends ChanopError {}
const isPage = /^invalid json response body .* reason: Unexpected token '?</is

/** What a request that got no answer means: nobody knows whether it was done, unless it can't even have left. */
export function unanswered(thrown: unknown, secrets: readonly string[]): ChanopError {
  const told = thrown instanceof Error ? thrown.message : String(thrown)
  const message = secrets.reduce((text, secret) => text.replaceAll(secret, '…'), told).slice(0, 300)
  const short = /reason: (.*)$/s.exec(message)?.[1] ?? message
  if (isPage.test(message)) return new PageError('network-down', 'a page answers instead of Telegram')
  return new ChanopError(neverSent.test(message) ? 'send-later' : 'network-down', `Telegram does not answer: ${short}`)
}
