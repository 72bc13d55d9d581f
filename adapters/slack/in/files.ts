import { ChanopError } from '../../../core/error.ts'
import type { Attachment } from '../../../core/event.ts'
import { longestLimitMs, retryAfterMs } from '../../../core/retry.ts'
import type { Api } from '../link/api.ts'
import { advice, asSendError, isRefused } from '../link/fault.ts'
import { part, str } from '../native.ts'

export interface FilesOptions {
  readonly api: Api
  /** Where the Web API is. */
  readonly url: string
  readonly token: string
}

const gone = (cause?: unknown): ChanopError =>
  new ChanopError('not-found', 'Slack does not have this file any more.', { cause })

/** The token goes to Slack alone, and not over an open line. */
function mayHaveToken(address: URL, api: URL): boolean {
  if (address.origin === api.origin) return true
  return address.protocol === 'https:' && /(^|\.)(slack\.com|slack-files\.com|slack-edge\.com)$/.test(address.hostname)
}

/** The bytes of a file, by its id. */
export async function openFile(
  { api, url, token }: FilesOptions,
  { ref }: Attachment,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const address = await addressOf(api, ref, signal)
  if (!mayHaveToken(address, new URL(url))) {
    throw new ChanopError('send-refused', 'this file lies outside of Slack and is not fetched')
  }
  const response = await fetch(address, {
    headers: { authorization: `Bearer ${token}` },
    redirect: 'manual',
    signal,
  }).catch((error: unknown) => {
    throw new ChanopError('network-down', 'Slack did not give the file; it is tried again.', { cause: error })
  })
  return bytesOf(response)
}

async function addressOf(api: Api, file: string, signal: AbortSignal): Promise<URL> {
  try {
    const info = part(await api.patient('files.info', { file }, signal, 3), 'file')
    const address = str(info, 'url_private_download') || str(info, 'url_private')
    if (!URL.canParse(address)) throw gone()
    return new URL(address)
  } catch (error) {
    if (isRefused(error, 'file_not_found', 'file_deleted')) throw gone(error)
    if (isRefused(error)) throw new ChanopError('send-refused', advice(error), { cause: error })
    throw asSendError(error)
  }
}

async function bytesOf(response: Response): Promise<AsyncIterable<Uint8Array>> {
  const { status, body, headers } = response
  if (status === 200 && body && !isLoginPage(headers)) return body
  await body?.cancel()
  if (status === 404 || status === 410) throw gone()
  if (status === 429 || status >= 500) {
    const afterMs = retryAfterMs(headers.get('retry-after'), Date.now(), longestLimitMs)
    throw new ChanopError('send-later', 'Slack asks to wait for the file.', afterMs ? { afterMs } : {})
  }
  throw new ChanopError('send-refused', 'Slack does not let the bot read files: add the scope files:read and reinstall')
}

/** Who may not read a file is led to a page to log in, with status 200 or 302. */
const isLoginPage = (headers: Headers): boolean =>
  headers.get('content-type')?.startsWith('text/html') === true && !headers.has('content-disposition')
