import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { FakeServer } from '../../../core/contract/fake-server.ts'
import type { Asked, Interaction } from './checks.ts'
import { ApiError, badToken } from './errors.ts'
import { FakeGateway } from './gateway.ts'
import { channelObject, memberObject, snowflake, type User, userObject } from './objects.ts'
import { Routes } from './routes.ts'
import { Description10, descriptionPath, type Exchange } from './validate.ts'
import { World } from './world.ts'

export const token = 'MTA0NzU4Mjk0ODQ3NTAxOTI2NA.fake00.token-of-the-bot'

/** Counts of a bucket: the same route and major parameter share one (docs.discord.com/developers/topics/rate-limits). */
interface Bucket {
  remaining: number
  resetMs: number
}
export interface Limit {
  readonly limit: number
  readonly perMs: number
}
interface Storm {
  readonly retryAfter: number
  readonly scope: 'user' | 'global' | 'shared'
}

interface OddAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

let description: Description10 | null | undefined
function described(): Description10 | null {
  const path = descriptionPath()
  if (description === undefined) description = path === null ? null : new Description10(path)
  return description
}

/**
 * Discord over real sockets: REST API, gateway and file store, written from its documentation. What is asked and what is answered
 * is held against Discord's own description where that is at hand.
 */
export class DiscordFake extends FakeServer {
  readonly world = new World()
  readonly gateway: FakeGateway
  readonly routes: Routes
  readonly interactions = new Map<string, Interaction>()
  readonly closed = new Set<string>()
  readonly typed: string[] = []
  /** Requests as they came, `POST /channels/1/messages`. */
  readonly requests: string[] = []
  /** What does not agree with the description. */
  readonly faults: string[] = []
  /** Channels whose every request is answered with 429. */
  readonly storms = new Map<string, Storm>()
  readonly limits = new Map<string, Limit>()
  /** The next requests for which it is true are done, and their answer is lost. */
  loses: ((method: string, path: string) => boolean) | null = null
  /** The next requests for which it is a status are answered with it, and not done. */
  fails: ((method: string, path: string) => number | null) | null = null
  /** The next requests for which it is one get this instead of an answer, as from what stands before Discord. */
  odd: ((method: string, path: string) => OddAnswer | null) | null = null
  flags = (1 << 19) | (1 << 15)
  readonly #buckets = new Map<string, Bucket>()

  private constructor() {
    super()
    const { world, interactions, closed, typed } = this
    this.gateway = new FakeGateway({ world, token, url: () => this.gatewayUrl })
    this.routes = new Routes({
      world,
      interactions,
      closed,
      typed,
      flags: () => this.flags,
      gateway: () => ({
        url: this.gatewayUrl,
        shards: 1,
        session_start_limit: {
          total: 1000,
          remaining: this.gateway.remaining,
          reset_after: 14_400_000,
          max_concurrency: 1,
        },
      }),
    })
    this.gateway.attach(this.server, () => this.down)
  }

  static async start(): Promise<DiscordFake> {
    const fake = await new DiscordFake().start()
    fake.world.cdn = fake.cdn
    return fake
  }

  get api(): string {
    return `${this.url}/api`
  }
  get cdn(): string {
    return `${this.url}/cdn`
  }
  get gatewayUrl(): string {
    return `${this.url.replace('http', 'ws')}/gateway`
  }

  override cut(): void {
    this.gateway.cut()
    super.cut()
  }

  // ---- HTTP -----------------------------------------------------------------------------------------------------------

  protected async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url)
    const method = request.method ?? 'GET'
    try {
      if (url.pathname.startsWith('/cdn/')) this.#file(url, response)
      else if (url.pathname.startsWith('/api/v10/')) await this.#api(request, response, { method, url })
      else reply(response, 404, { message: '404: Not Found', code: 0 })
    } catch (error) {
      this.faults.push(
        `the fake failed at ${method} ${url.pathname}: ${error instanceof Error ? error.stack : String(error)}`,
      )
      reply(response, 500, { message: 'Internal Server Error', code: 0 })
    }
  }

  #file({ pathname }: URL, response: ServerResponse): void {
    const [, , , channel, id] = pathname.split('/')
    const messages = this.world.messages.get(channel ?? '') ?? []
    const found = messages.flatMap(({ files }) => files).find(file => file.id === id)
    if (!found) return reply(response, 404, 'This content is no longer available.')
    response
      .writeHead(200, { 'content-type': found.content_type, 'content-length': found.bytes.length })
      .end(found.bytes)
  }

  async #api(
    request: IncomingMessage,
    response: ServerResponse,
    { method, url }: { method: string; url: URL },
  ): Promise<void> {
    const path = url.pathname.slice('/api/v10'.length)
    this.requests.push(`${method} ${path}`)
    const { body, files } = await bodyOf(request)
    const failed = this.fails?.(method, path) ?? null
    if (failed !== null) return reply(response, failed, { message: `${failed}: broken`, code: 0 })
    const odd = this.odd?.(method, path) ?? null
    if (odd) return void response.writeHead(odd.status, odd.headers).end(odd.body)
    const lose = this.loses?.(method, path) === true
    const limited = this.#limited(method, path)
    if (limited) return reply(response, 429, limited.body, limited.headers)
    const asked = { method, path, query: url.searchParams, body }
    const answer = this.#answer(request, { ...asked, files })
    this.#check({ ...asked, hasFiles: files.length > 0, status: answer.status, answer: answer.body })
    if (lose) {
      this.loses = null
      request.socket.destroy()
      this.gateway.cut()
      return
    }
    reply(response, answer.status, answer.body, this.#headers(method, path))
  }

  #answer(
    request: IncomingMessage,
    asked: Omit<Asked, 'path' | 'body'> & { path: string; body: unknown },
  ): { status: number; body?: unknown } {
    const [, family] = asked.path.split('/')
    try {
      const open = family === 'webhooks' || family === 'interactions'
      if (!open && request.headers.authorization !== `Bot ${token}`) throw badToken()
      const parts = asked.path.split('/').slice(1).map(decodeURIComponent)
      return this.routes.answer({ ...asked, path: parts, body: (asked.body ?? {}) as Record<string, unknown> })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      return { status: error.status, body: error.body }
    }
  }

  #check(exchange: Exchange): void {
    const known = described()
    if (known) this.faults.push(...known.faults(exchange))
  }

  // ---- rate limits ----------------------------------------------------------------------------------------------------

  #route(method: string, path: string): { route: string; key: string } {
    const parts = path.split('/').slice(1)
    const major = `${parts[0]}/${parts[1] ?? ''}`
    const route = `${method} /${parts.map((part, at) => (at > 0 && /^\d{15,}$/.test(part) ? ':id' : part)).join('/')}`
    return { route, key: `${route} ${major}` }
  }

  #bucket(method: string, path: string): Bucket & Limit & { readonly route: string } {
    const { route, key } = this.#route(method, path)
    const limit = this.limits.get(route) ?? { limit: 10_000, perMs: 1_000 }
    let bucket = this.#buckets.get(key)
    if (!bucket || bucket.resetMs <= Date.now()) {
      bucket = { remaining: limit.limit, resetMs: Date.now() + limit.perMs }
      this.#buckets.set(key, bucket)
    }
    return Object.assign(bucket, limit, { route })
  }

  #headers(method: string, path: string): Record<string, string> {
    const { limit, remaining, resetMs, route } = this.#bucket(method, path)
    return {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(Math.max(0, remaining)),
      'x-ratelimit-reset': String(resetMs / 1000),
      'x-ratelimit-reset-after': String(Math.max(0, resetMs - Date.now()) / 1000),
      'x-ratelimit-bucket': Buffer.from(route).toString('hex').slice(0, 32),
    }
  }

  #limited(method: string, path: string): { body: object; headers: Record<string, string> } | null {
    const bucket = this.#bucket(method, path)
    const storm = [...this.storms].find(([where]) => path.includes(where))?.[1]
    bucket.remaining--
    if (!storm && bucket.remaining >= 0) return null
    const retryAfter = storm?.retryAfter ?? Math.max(0, bucket.resetMs - Date.now()) / 1000
    const scope = storm?.scope ?? 'user'
    return {
      body: { message: 'You are being rate limited.', retry_after: retryAfter, global: scope === 'global' },
      headers: {
        ...this.#headers(method, path),
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset-after': String(retryAfter),
        'x-ratelimit-scope': scope,
        'retry-after': String(Math.ceil(retryAfter)),
        ...(scope === 'global' ? { 'x-ratelimit-global': 'true' } : {}),
      },
    }
  }

  // ---- what people do -------------------------------------------------------------------------------------------------

  command(user: User, channel: string, data: Record<string, unknown>, type = 2): Interaction {
    const { world } = this
    const id = snowflake()
    const where = world.channels.get(channel)
    const made: Interaction = {
      id,
      token: `interaction-${id}`,
      channel,
      user: user.id,
      acknowledged: false,
      deferred: null,
      original: null,
    }
    this.interactions.set(made.token, made)
    const member = world.guild.members.get(user.id)
    this.gateway.interact({
      id,
      application_id: world.self.id,
      type,
      data: { id: snowflake(), type: 1, ...data },
      channel_id: channel,
      channel: where ? channelObject(where) : { id: channel },
      ...(where?.guild_id && member
        ? { guild_id: where.guild_id, member: { ...memberObject(member), permissions: '0' } }
        : { user: userObject(user) }),
      token: made.token,
      version: 1,
      locale: 'en-US',
      entitlements: [],
      authorizing_integration_owners: {},
      attachment_size_limit: 10_485_760,
    })
    return made
  }
}

function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  if (body === undefined) return void response.writeHead(status, headers).end()
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const type = typeof body === 'string' ? 'text/plain' : 'application/json'
  response.writeHead(status, { ...headers, 'content-type': type }).end(text)
}

async function bodyOf(request: IncomingMessage): Promise<{ body: unknown; files: Asked['files'] }> {
  const bytes = await buffer(request)
  const type = request.headers['content-type'] ?? ''
  if (bytes.length === 0) return { body: undefined, files: [] }
  if (!type.startsWith('multipart/form-data')) return { body: JSON.parse(bytes.toString('utf8')) as unknown, files: [] }
  const form = await new Response(bytes, { headers: { 'content-type': type } }).formData()
  const files: { name: string; type: string; bytes: Uint8Array }[] = []
  for (const [key, value] of form) {
    if (typeof value === 'string') continue
    if (!/^files\[\d\]$/.test(key)) throw new Error(`a file is called ${key}`)
    files.push({ name: value.name, type: value.type, bytes: new Uint8Array(await value.arrayBuffer()) })
  }
  const json = form.get('payload_json')
  return { body: typeof json === 'string' ? (JSON.parse(json) as unknown) : {}, files }
}
