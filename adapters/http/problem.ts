import { STATUS_CODES } from 'node:http'
import { asChanopError, type ErrorCode } from '../../core/error.ts'

/** Our own errors as problem details (RFC 9457). `type` is a page of ours, or about:blank where the status says it all. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>
  readonly more: Readonly<Record<string, unknown>>

  constructor(
    status: number,
    code: string,
    detail: string,
    { headers = {}, ...more }: Readonly<Record<string, unknown>> & { headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(detail)
    this.status = status
    this.code = code
    this.headers = headers
    this.more = more
  }

  body(): Record<string, unknown> {
    return {
      type: 'about:blank',
      title: STATUS_CODES[this.status] ?? 'Error',
      status: this.status,
      code: this.code,
      detail: this.message,
      ...this.more,
    }
  }
}

const statuses: Readonly<Partial<Record<ErrorCode, number>>> = {
  usage: 400,
  denied: 403,
  'not-found': 404,
  conflict: 409,
  'account-exists': 409,
  'account-unknown': 404,
  'rate-limited': 429,
  'budget-reached': 429,
  'bus-down': 503,
  'ledger-busy': 503,
  'ledger-full': 503,
  'ledger-readonly': 503,
  'network-down': 503,
  'model-missing': 503,
  'model-failed': 502,
  'account-failed': 502,
  internal: 500,
}

/** The status of an error of the catalogue (`core/error.ts`). */
export const statusOf = (code: string): number => statuses[code as ErrorCode] ?? 422

/** Any thrown value as a problem; what went wrong inside is not told. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown
  const { statusCode, code, message } = thrown as { statusCode?: unknown; code?: unknown; message?: string }
  const isTheirs = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
  if (isTheirs) {
    const words = (message ?? 'this request can not be read').replace(/must match pattern ".*$/s, unformed)
    return new Problem(statusCode, wordOf(statusCode, code), words.slice(0, 200))
  }
  const error = asChanopError(thrown)
  if (error.code === 'internal')
    return new Problem(500, 'internal', 'this went wrong inside; the log of bridge says why')
  const wait = error.afterMs === undefined ? 2 : Math.ceil(error.afterMs / 1000)
  const headers: Record<string, string> = error.retry === 'later' ? { 'retry-after': `${wait}` } : {}
  return new Problem(statusOf(error.code), error.code, error.message, { headers })
}

/** Of what does not fit a pattern: the pattern itself helps nobody who reads it in a hurry. */
const unformed = 'does not have the form that /openapi.json tells'

const wordOf = (status: number, code: unknown): string =>
  status === 413 ? 'too-large' : status === 415 ? 'media-type' : code === 'FST_ERR_VALIDATION' ? 'usage' : 'bad-request'
