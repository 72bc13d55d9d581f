import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { ChanopError } from '../../../core/error.ts'
import { web } from '../../../core/node-web.ts'

/** What Ergo's HTTP API answers; success stands in the body, not in the status. */
export interface ErgoAnswer {
  readonly success: boolean
  readonly errorCode?: string
  readonly error?: string
  readonly account?: string
  readonly present?: boolean
  readonly session_count?: number
  readonly accounts?: readonly { readonly accountName: string }[]
}

export interface ErgoApi {
  readonly url: string
  readonly token: string
}

const answerMs = 5000

/** Rejects `account-failed` when it does not answer. */
export async function callErgo(api: ErgoApi, path: string, body: object): Promise<ErgoAnswer> {
  const { status, said } = await post(api, path, JSON.stringify(body)).catch((cause: unknown) => {
    throw new ChanopError('account-failed', "Ergo's API does not answer", { cause })
  })
  if (status !== 200) throw new ChanopError('account-failed', `Ergo's API answers ${status} to ${path}`)
  return JSON.parse(said) as ErgoAnswer
}

async function post({ url, token }: ErgoApi, path: string, body: string): Promise<{ status: number; said: string }> {
  const request = web().request(`${url}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    signal: AbortSignal.timeout(answerMs),
  })
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request.once('response', resolve).once('error', reject).end(body)
  const response = await promise
  return { status: response.statusCode ?? 0, said: await text(response) }
}
