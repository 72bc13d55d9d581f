/** What a failed connection means and what to do about it, in one line. */
import type { Endpoint } from '../../adapters/irc/link/wire.ts'
import { ChanopError } from '../../core/error.ts'

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

/** `error`: what the socket ended with; false for an orderly end. */
export function connectionFault(error: Error | false, endpoint: Endpoint, wasReady: boolean): ChanopError {
  const where = `${endpoint.host}:${endpoint.port}`
  if (error === false) {
    const message = wasReady
      ? 'the server closed the connection'
      : `${where} closed the connection before the login was done`
    return new ChanopError('network-down', message)
  }
  if (error.message.includes('pinned')) {
    const message = `${where} shows another certificate than the pinned one; nothing was sent. After a new set-up npm start pins the new one`
    return new ChanopError('network-refused', message, { cause: error })
  }
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return new ChanopError('network-down', `${where}: ${advice[code] ?? error.message}`, { cause: error })
}
