import { asChanopError, ChanopError } from '../../../core/error.ts'
import { longestLimitMs, retryAfterMs } from '../../../core/retry.ts'
import { causeCode, isUnreached } from '../../../core/unreached.ts'
import { type Json, object, string } from '../native.ts'
import { oneLine } from '../text/words.ts'

/** Why a request came to nothing, as the server said it. */
export interface Refusal {
  readonly status: number
  /** `M_FORBIDDEN`, …; absent where no Matrix server answered. */
  readonly code?: string
  readonly says: string
  readonly afterMs?: number
}

/** Who asks to wait for nothing is not asked without a pause. */
const leastMs = 100

const waits = (data: Json, headers: Headers | undefined): number | undefined => {
  const body = data['retry_after_ms']
  const saidMs =
    typeof body === 'number' && body >= 0
      ? Math.min(body, longestLimitMs)
      : retryAfterMs(headers?.get('retry-after'), Date.now(), longestLimitMs)
  return saidMs === null ? undefined : Math.max(saidMs, leastMs)
}

/** What the server said, or null when none did. `error` is what the SDK rejected with. */
export function refusalOf(error: unknown): Refusal | null {
  if (!(error instanceof Error)) return null
  const { httpStatus, errcode, data, httpHeaders } = error as Error & {
    httpStatus?: number
    errcode?: string
    data?: unknown
    httpHeaders?: Headers
  }
  if (typeof httpStatus !== 'number') return null
  const afterMs = waits(object(data), httpHeaders)
  return {
    status: httpStatus,
    ...(errcode === undefined ? {} : { code: errcode }),
    says: oneLine(string(object(data)['error']) ?? `HTTP ${httpStatus}`).slice(0, 300),
    ...(afterMs === undefined ? {} : { afterMs }),
  }
}

/** Ends of an account that waiting does not cure. */
const endsLogin = new Set(['M_UNKNOWN_TOKEN', 'M_MISSING_TOKEN', 'M_USER_DEACTIVATED', 'M_USER_LOCKED'])

export const isLoggedOut = (error: unknown): boolean => endsLogin.has(refusalOf(error)?.code ?? '')

/** A fault that says nothing about what was asked: of the way, of something before the server, or of our login. */
export function isPassing(error: unknown): boolean {
  const refusal = refusalOf(error)
  if (refusal === null) return faultOf(error).retry === 'later'
  return refusal.code === undefined || endsLogin.has(refusal.code)
}

/** Anything that a request rejects with, as the contract of adapters has it. */
export function faultOf(error: unknown): ChanopError {
  if (error instanceof ChanopError) return error
  const refusal = refusalOf(error)
  if (!refusal) {
    const code = causeCode(error)
    // A fault of ours is none of the network's: it would be repeated for ever.
    if (error instanceof URIError || code?.startsWith('ERR_INVALID') || code === 'ERR_UNESCAPED_CHARACTERS')
      return asChanopError(error)
    const why = code === 'ABORT_ERR' ? 'in time' : `(${code ?? oneLine((error as Error)?.message ?? '')})`
    const message = `the homeserver does not answer ${why}`
    return new ChanopError(isUnreached(error) ? 'send-later' : 'network-down', message, { cause: error })
  }
  const { status, code, says, afterMs } = refusal
  const options = { cause: error, ...(afterMs === undefined ? {} : { afterMs }) }
  if (status === 429) return new ChanopError('send-later', `the homeserver asks us to wait: ${says}`, options)
  if (endsLogin.has(code ?? '')) return new ChanopError('network-refused', loggedOut(code ?? ''), options)
  if (status === 413)
    return new ChanopError('send-refused', 'it is larger than the homeserver, or what stands before it, takes', options)
  // Something before the server, or the server in trouble: what became of the request nobody can know.
  if (status >= 500 || status === 408 || code === undefined)
    return new ChanopError('network-down', `the homeserver is in trouble (${status} ${says})`, options)
  if (status === 404) return new ChanopError('not-found', `the homeserver knows no such thing (${says})`, options)
  return new ChanopError('send-refused', `the homeserver refuses it: ${says} (${code})`, options)
}

function loggedOut(code: string): string {
  if (code === 'M_USER_DEACTIVATED' || code === 'M_USER_LOCKED')
    return 'our account is closed by its homeserver; use another one'
  return 'the access token is not valid any more: make a new one, set it, and switch the network on again'
}
