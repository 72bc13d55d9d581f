/** One signed POST to an address that an operator named. */
import { createHmac } from 'node:crypto'
import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { isPublic } from '../../../core/media/fetch.ts'
import { web, webTls } from '../../../core/node-web.ts'
import { retryAfterMs } from '../../../core/retry.ts'

export interface Message {
  readonly id: string
  readonly body: string
  /** `whsec_` and base64. */
  readonly secret: string
}

export interface Target {
  readonly url: string
  /** It may be an address of this machine or of a private network. */
  readonly internal: boolean
}

/** How it went: `final` when the same will be refused again. */
export interface Outcome {
  readonly fault: string | null
  readonly final?: true
  /** The receiver says when it may be tried again. */
  readonly afterMs?: number
}

const answerMs = 15_000

/** Standard Webhooks, https://www.standardwebhooks.com. */
export function headersOf({ id, body, secret }: Message, nowMs: number): Record<string, string> {
  const seconds = `${Math.floor(nowMs / 1000)}`
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${signature}` }
}

class NotPublic extends Error {}

/** Connects to no address that is not public, whatever a name leads to at this moment. */
const publicOnly: LookupFunction = (host, options, done) => {
  lookup(host, { ...options, all: true }, (error, found) => {
    const addresses = found as unknown as readonly { address: string; family: number }[]
    if (error) done(error, '', 4)
    else if (!addresses.every(({ address }) => isPublic(address))) done(new NotPublic(host), '', 4)
    else if (options.all) done(null, [...addresses])
    else done(null, addresses[0]?.address ?? '', addresses[0]?.family)
  })
}

/** Never rejects. Redirects are not followed: the address that was named is the one that is told. */
export function post({ url, internal }: Target, message: Message, signal: AbortSignal): Promise<Outcome> {
  const { protocol, hostname } = new URL(url)
  const literal = hostname.replace(/^\[|\]$/g, '')
  if (!internal && isIP(literal) !== 0 && !isPublic(literal))
    return Promise.resolve({ fault: 'its address is not public', final: true })
  const body = Buffer.from(message.body)
  const headers = {
    ...headersOf(message, Date.now()),
    'content-type': 'application/json',
    'content-length': body.length,
    'user-agent': 'Chanop',
  }
  const until = AbortSignal.any([signal, AbortSignal.timeout(answerMs)])
  const options = {
    method: 'POST',
    headers,
    signal: until,
    agent: false as const,
    ...(internal ? {} : { lookup: publicOnly }),
  }
  return new Promise(resolve => {
    const request = (protocol === 'https:' ? webTls() : web()).request(url, options, answer => {
      answer.resume()
      const { statusCode = 0 } = answer
      if (statusCode >= 200 && statusCode < 300) return resolve({ fault: null })
      const final = statusCode >= 400 && statusCode < 500 && ![408, 425, 429].includes(statusCode)
      const afterMs = retryAfterMs(answer.headers['retry-after'], Date.now())
      resolve({
        fault: `it says ${statusCode}`,
        ...(final ? { final: true as const } : {}),
        ...(afterMs === null ? {} : { afterMs }),
      })
    })
    request.on('error', error => resolve(faultOf(error, signal)))
    request.end(body)
  })
}

function faultOf(error: Error, signal: AbortSignal): Outcome {
  if (error instanceof NotPublic) return { fault: 'its address is not public', final: true }
  if (error.name === 'TimeoutError' || (error.name === 'AbortError' && !signal.aborted))
    return { fault: `no answer in ${answerMs / 1000} s` }
  return { fault: `it can not be reached (${(error as NodeJS.ErrnoException).code ?? error.message})` }
}
