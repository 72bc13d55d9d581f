import { ChanopError } from '../../../core/error.ts'

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

/** Rejects `account-failed` when it does not answer. */
export async function callErgo({ url, token }: ErgoApi, path: string, body: object): Promise<ErgoAnswer> {
  const response = await fetch(`${url}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5000),
  }).catch((cause: unknown) => {
    throw new ChanopError('account-failed', "Ergo's API does not answer", { cause })
  })
  if (!response.ok) throw new ChanopError('account-failed', `Ergo's API answers ${response.status} to ${path}`)
  return (await response.json()) as ErgoAnswer
}
