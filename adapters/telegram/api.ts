import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { Telegram, TelegramError } from 'telegraf'
import { ChanopError } from '../../core/error.ts'
import { deadline } from '../../core/retry.ts'
import { ApiError, isRefusal, unanswered } from './fault.ts'

export interface CallOptions {
  readonly signal?: AbortSignal
  readonly deadlineMs?: number
}

/** The types of the library end at Bot API 7.1. */
interface Caller {
  readonly options: { agent?: HttpAgent | HttpsAgent }
  callApi(method: string, payload: object, options: { signal: AbortSignal }): Promise<unknown>
}

const answerMs = 30_000
/** An idle connection is closed before Telegram closes it: what is sent at that very moment would be in doubt. */
const idleMs = 15_000

/** What it did with the request, nobody knows. */
const noApi = (): ChanopError => new ChanopError('network-down', 'what answers for Telegram is no Bot API')

/** The Bot API: the only I/O of this adapter. Nothing that leaves it holds the token. */
export class Api {
  readonly #client: Caller
  readonly #agent: HttpAgent
  readonly #files: string
  readonly #secrets: readonly string[]
  readonly #closed = new AbortController()

  /** `token` as @BotFather gives it, `root` an http(s) address. */
  constructor(token: string, root: string) {
    const base = root.endsWith('/') ? root : `${root}/`
    const options = { keepAlive: true, timeout: idleMs }
    this.#agent = base.startsWith('https:') ? new HttpsAgent(options) : new HttpAgent(options)
    this.#client = new Telegram(token, { apiRoot: base, webhookReply: false }) as unknown as Caller
    // The library takes no agent for http addresses, and then shares one with everybody.
    this.#client.options.agent = this.#agent
    this.#files = new URL(`./file/bot${token}/`, base).href
    this.#secrets = [token, encodeURIComponent(token)]
  }

  /** Asks for one method. Rejects `ApiError` when it was refused, another `ChanopError` when no answer came. */
  async call<T>(method: string, payload: object = {}, { signal, deadlineMs = answerMs }: CallOptions = {}): Promise<T> {
    const until = AbortSignal.any([this.#closed.signal, deadline(deadlineMs, signal)])
    if (this.#closed.signal.aborted) throw new ChanopError('send-later', 'Telegram is not connected any more.')
    try {
      const result = await this.#client.callApi(method, payload, { signal: until })
      if (result === undefined) throw noApi()
      return result as T
    } catch (thrown) {
      if (thrown instanceof ChanopError) throw thrown
      if (thrown instanceof TelegramError) throw isRefusal(thrown.response) ? new ApiError(thrown.response) : noApi()
      throw unanswered(until.aborted ? new Error('it took too long') : thrown, this.#secrets)
    }
  }

  /** The bytes of a file that `getFile` named. */
  async download(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const address = new URL(path.split('/').map(encodeURIComponent).join('/'), this.#files)
    if (!address.href.startsWith(this.#files)) throw new ChanopError('not-found', 'Telegram names no file of ours.')
    let response: Response
    try {
      response = await fetch(address, { signal: AbortSignal.any([signal, this.#closed.signal]), redirect: 'error' })
    } catch (thrown) {
      throw unanswered(thrown, this.#secrets)
    }
    if (response.ok && response.body) return response.body
    await response.body?.cancel()
    if (response.status === 404) throw new ChanopError('not-found', 'Telegram does not hold this file any more.')
    throw new ChanopError('network-down', `Telegram gives no file now (${response.status}); it is tried again.`)
  }

  /** Ends what is under way, and closes every connection. */
  close(): void {
    this.#closed.abort()
    this.#agent.destroy()
  }
}
