import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Config } from '../../../config/schema.ts'
import { asChanopError } from '../../../core/error.ts'
import type { Upload } from '../../../core/event.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { keepLink, linkedBy, type MediaLink } from '../../../core/ledger/record/media.ts'
import type { Log } from '../../../core/log.ts'
import type { MediaStore } from '../../../core/media/store.ts'
import { web } from '../../../core/node-web.ts'

export interface LinkServerOptions {
  readonly store: MediaStore
  readonly ledger: Ledger
  readonly log: Log
}

type Settings = Config['media']['links']

const tokenBytes = 18
const hourMs = 3_600_000
/** Shown by a browser as they are; all else is saved. None of them runs anything. */
const shown = /^(?:image\/(?:png|jpeg|gif|webp|avif)|video\/(?:mp4|webm)|audio\/[\w.+-]+|text\/plain|application\/pdf)$/

const tokenHash = (token: string): string => createHash('sha256').update(`media-link:${token}`).digest('hex')

/**
 * Gives files under addresses that nobody guesses and that end. It listens where the configuration says, and not at all
 * otherwise; it knows nothing but files of the media store that were linked to.
 */
export class LinkServer {
  readonly #o: LinkServerOptions
  #settings: Settings | null = null
  #server: Server | null = null
  #tail: Promise<void> = Promise.resolve()

  constructor(options: LinkServerOptions) {
    this.#o = options
  }

  /** Whether links are given out now. */
  get open(): boolean {
    return this.#server !== null
  }

  /** Listens as the settings say from now on. Never rejects: what goes wrong is logged, and there are no links then. */
  follow(settings: Settings): Promise<void> {
    this.#tail = this.#tail.then(() => this.#follow(settings))
    return this.#tail
  }

  /** An address under which anybody may open the file for a while. */
  async link({ hash, name, type }: Upload): Promise<string> {
    const { hours, url, listen } = this.#settings as Settings
    const token = randomBytes(tokenBytes).toString('base64url')
    const nowMs = Date.now()
    const kept: MediaLink = { hash, name, type: type ?? null }
    await this.#o.ledger.write(tx => keepLink(tx, tokenHash(token), kept, nowMs + hours * hourMs, nowMs))
    const base = url?.replace(/\/+$/, '') ?? `http://${this.#address(listen ?? '')}`
    return `${base}/${token}/${encodeURIComponent(name)}`
  }

  async #follow(settings: Settings): Promise<void> {
    const moved = this.#settings?.listen !== settings.listen
    this.#settings = settings
    if (!moved) return
    this.#server?.close()
    this.#server?.closeAllConnections()
    this.#server = null
    if (settings.listen === null) return
    try {
      this.#server = await this.#listen(settings.listen)
    } catch (error) {
      this.#o.log.error(
        { error },
        `no links to files: media.links.listen ${settings.listen} can't be had: ${String(error)}`,
      )
    }
  }

  async #listen(listen: string): Promise<Server> {
    const colon = listen.lastIndexOf(':')
    const server = web().createServer((request, response) => void this.#answer(request, response))
    server.requestTimeout = 10_000
    server.headersTimeout = 10_000
    server.timeout = 60_000
    server.maxConnections = 200
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject)
    server.listen(Number(listen.slice(colon + 1)), listen.slice(0, colon).replace(/^\[|\]$/g, ''), resolve)
    await promise
    server.on('error', error => this.#o.log.warn({ error }, 'the server of links had a fault'))
    return server
  }

  /** With the port that was had, where any was asked for. */
  #address(listen: string): string {
    const address = this.#server?.address()
    return typeof address === 'object' && address ? listen.replace(/:0$/, `:${address.port}`) : listen
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return void response.writeHead(405, { allow: 'GET, HEAD' }).end()
      const token = /^\/([\w-]{24})(?:\/|$)/.exec(request.url ?? '')?.[1]
      const link =
        token === undefined ? null : await this.#o.ledger.read(tx => linkedBy(tx, tokenHash(token), Date.now()))
      const file = link && (await this.#o.store.use(link.hash))
      if (!link || !file)
        return void response
          .writeHead(404, { 'cache-control': 'no-store' })
          .end('There is nothing here, or not any more.\n')
      const { sizeBytes } = file
      const range = rangeOf(request.headers.range, sizeBytes)
      if (range === 'none')
        return void response
          .writeHead(416, { 'content-range': `bytes */${sizeBytes}`, 'cache-control': 'no-store' })
          .end()
      const { start, end } = range ?? { start: 0, end: sizeBytes - 1 }
      response.writeHead(range ? 206 : 200, {
        ...headersOf(link),
        'content-length': end - start + 1,
        ...(range ? { 'content-range': `bytes ${start}-${end}/${sizeBytes}` } : {}),
      })
      if (request.method === 'HEAD' || sizeBytes === 0) return void response.end()
      await pipeline(Readable.fromWeb(this.#o.store.open(link.hash, { start, end }) as never), response)
    } catch (error) {
      this.#o.log.debug({ error }, `a file was not given whole: ${asChanopError(error).message}`)
      response.destroy()
    }
  }
}

/**
 * The part of a file that is asked for (RFC 9110, 14.1.2), both ends included: players of films want one. Null: all of it, as for several
 * parts; `none`: there is no such part.
 */
function rangeOf(written: string | undefined, sizeBytes: number): { start: number; end: number } | 'none' | null {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(written ?? '') ?? []
  const isBackwards = first !== '' && last !== '' && Number(last) < Number(first)
  if (isBackwards || (first === '' && last === '')) return null
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first)
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  return start <= end ? { start, end } : 'none'
}

function headersOf({ name, type }: MediaLink): Record<string, string> {
  const plain = type?.split(';')[0]?.trim().toLowerCase() ?? ''
  const inline = shown.test(plain)
  const charset = plain === 'text/plain' ? '; charset=utf-8' : ''
  return {
    'content-type': inline ? plain + charset : 'application/octet-stream',
    'content-disposition': `${inline ? 'inline' : 'attachment'}; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, char => `%${char.charCodeAt(0).toString(16)}`)}`,
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-robots-tag': 'noindex',
    'cache-control': 'private, max-age=3600',
    'accept-ranges': 'bytes',
  }
}
