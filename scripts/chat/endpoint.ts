/** Where a person connects, and what a failed connection means and what to do about it, in one line. */
import type { Fault } from '../../adapters/irc/link/session.ts'
import type { Endpoint } from '../../adapters/irc/link/wire.ts'
import { ChanopError } from '../../core/error.ts'

export interface Target {
  readonly endpoint: Endpoint
  readonly account: string
  readonly password: string
  /** Joined after each login; grows and shrinks with `join` and `part`. */
  readonly channels: readonly string[]
  /** How many past lines a channel shows on joining; 0 asks for none and drops what comes unasked. */
  readonly historyLines: number
}

const advice: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; npm start brings the server up',
  ENOTFOUND: 'there is no host of that name',
  EHOSTUNREACH: 'the host can not be reached',
  ENETUNREACH: 'the network can not be reached',
  ETIMEDOUT: 'no answer',
  ECONNRESET: 'the server closed the connection: is that port its TLS port?',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed: pin it with --fingerprint',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is self-signed: pin it with --fingerprint',
  EPROTO: 'that port does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'that port does not speak TLS',
}

export function connectionFault(
  fault: Fault,
  { endpoint, account }: Pick<Target, 'endpoint' | 'account'>,
  wasReady: boolean,
): ChanopError {
  const { reason, permanent, byServer, error } = fault
  const where = `${endpoint.host}:${endpoint.port}`
  if (error?.message.includes('pinned')) {
    const message = `${where} shows another certificate than the pinned one; nothing was sent. After a new set-up npm start pins the new one`
    return new ChanopError('network-refused', message, { cause: error })
  }
  if (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    return new ChanopError('network-down', `${where}: ${advice[code] ?? error.message}`, { cause: error })
  }
  if (permanent) {
    const message = `the server refuses the login of ${account} (${reason}): name a working one with --account and --password-file`
    return new ChanopError('network-refused', message)
  }
  if (byServer && reason !== 'the server closed the connection')
    return new ChanopError('network-down', `the server ended it: ${reason}`)
  const message = wasReady ? reason : `${where}: ${reason} before the login was done; look at npm run doctor`
  return new ChanopError('network-down', message)
}
