import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { WebSocketServer } from 'ws'
import { FakeServer } from '../../../core/contract/fake-server.ts'
import { Link } from './link.ts'
import { allScopes, historyScope, Refusal } from './method.ts'
import { fileObject, methods } from './web.ts'
import { app, type Channel, type Json, shown, Workspace } from './workspace.ts'

export interface Call {
  readonly method: string
  readonly args: Json
  readonly atMs: number
  readonly status: number
  readonly body: Json
}

interface Limit {
  readonly method: string
  readonly channel: string | undefined
  readonly untilMs: number
  readonly seconds: number
}

export interface FakeOptions {
  readonly scopes?: readonly string[]
  /** How long an envelope may go without acknowledgement before it is sent again. */
  readonly ackMs?: number
  /** Messages that a page of history holds at most: 15 for apps that are distributed. */
  readonly pageMost?: number
}

/**
 * Slack as an app sees it, over real sockets: Web API (`/api/…`), socket mode, uploads and files that want a token. Written from
 * docs.slack.dev, with its errors, limits and redelivery; faults on demand.
 */
export class FakeSlack extends FakeServer {
  readonly workspace = new Workspace()
  readonly botToken = 'xoxb-fake-1'
  readonly appToken = 'xapp-fake-1'
  readonly calls: Call[] = []
  scopes: Set<string>
  /** Methods that answer an error: `auth.test` → `invalid_auth`. */
  readonly refusals = new Map<string, string>()
  readonly #wss = new WebSocketServer({ server: this.server, path: '/link/' })
  readonly #link: Link
  readonly #limits: Limit[] = []
  readonly #perChannel = new Map<string, { atMs: number; tokens: number }>()
  readonly #lost = new Set<string>()
  readonly #options: FakeOptions
  /** Sends in a channel: `perSecond` after a burst. null: no limit. */
  rate: { readonly perSecond: number; readonly burst: number } | null = null
  /** Answers instead of the method's own, once each. */
  readonly odd = new Map<
    string,
    { readonly status: number; readonly body: string; readonly headers?: Record<string, string> }
  >()
  /** Takes no blocks, whatever is in them. */
  refuseBlocks = false
  /** Ends each connection once it has said hello. */
  hangUpAfterHello = false
  /** Requests that are being answered. */
  #underWay = 0
  /** Holds the files of messages back from `files.info`, so that the event alone tells. */
  hideShares = false

  constructor(options: FakeOptions = {}) {
    super()
    this.#options = options
    this.scopes = new Set(options.scopes ?? allScopes)
    this.#link = new Link({
      ackMs: options.ackMs ?? 3000,
      id: letter => this.workspace.id(letter),
      isDown: () => this.down,
      changed: () => this.changed(),
    })
    this.workspace.onEvent((event, channel) => this.#tell(event, channel))
    this.#wss.on('connection', socket => {
      this.#link.greet(socket)
      if (this.hangUpAfterHello) socket.close(1000)
    })
  }

  get api(): string {
    return `${this.url}/api/`
  }

  override async stop(): Promise<void> {
    this.#link.stop()
    this.#wss.close()
    await super.stop()
  }

  /** Sockets, and requests that are being answered. */
  get underWay(): number {
    return this.#link.sockets.size + this.#underWay
  }

  get told(): readonly Json[] {
    return this.#link.told
  }

  get sockets(): number {
    return this.#link.sockets.size
  }

  /** Envelopes that wait for their acknowledgement. */
  get unacknowledged(): number {
    return this.#link.pending.size
  }

  callsOf(method: string): readonly Call[] {
    return this.calls.filter(call => call.method === method)
  }

  // ---- faults -------------------------------------------------------------------------------------------------------

  /** Answers 429 to such calls for a while. */
  limit(method: string, { channel, seconds = 1 }: { channel?: string; seconds?: number } = {}): void {
    this.#limits.push({ method, channel, seconds, untilMs: Date.now() + seconds * 1000 })
  }

  /** The next call of that method is carried out, and its connection ends without an answer. */
  loseAnswer(method: string): void {
    this.#lost.add(method)
  }

  /** Asks the app to come by another connection, as Slack does every few hours, and ends this one. */
  refresh(
    reason: 'warning' | 'refresh_requested' | 'link_disabled' = 'refresh_requested',
    { close = false } = {},
  ): void {
    this.#link.write({ type: 'disconnect', reason, debug_info: { host: 'fake' } })
    for (const socket of this.#link.sockets) if (close) socket.close(1000)
  }

  /** Sends an envelope of one's own, whatever is in it. */
  envelope(type: string, payload: unknown): string {
    const id = this.workspace.id('e')
    this.#link.queue({ envelope_id: id, type, payload, accepts_response_payload: type === 'slash_commands' })
    return id
  }

  raw(text: string): void {
    for (const socket of this.#link.sockets) socket.send(text)
  }

  /** Sends an event again although it was acknowledged. */
  again(event: Json): void {
    this.#link.queue(this.#link.envelopeOf(event))
  }

  // ---- what the app is told of -------------------------------------------------------------------------------------

  /** What the app hears of: its own channels, with the scopes that it has. */
  #tell(event: Json, channel: Channel | null): void {
    this.changed()
    if (channel && !channel.members.has(app.user)) return
    const isMessage = event['type'] === 'message' && channel !== null
    const isReaction = String(event['type']).startsWith('reaction_')
    const scope = isMessage ? historyScope(channel) : isReaction ? 'reactions:read' : null
    if (scope && !this.scopes.has(scope)) return
    // What happens while nobody is connected is not kept for them.
    if (this.#link.sockets.size === 0) return
    this.#link.queue(this.#link.envelopeOf(this.#withFiles(event), channel?.shared))
    const text = JSON.stringify(event['text'] ?? '')
    const blocks = JSON.stringify(event['blocks'] ?? '')
    const mentions = text.includes(`<@${app.user}>`) || blocks.includes(`"${app.user}"`)
    if (event['type'] === 'message' && event['subtype'] === undefined && mentions && channel?.kind !== 'im') {
      const { channel_type: _type, ...mention } = event
      this.#link.queue(this.#link.envelopeOf({ ...mention, type: 'app_mention' }))
    }
  }

  /** Files of a message as they are now. */
  #withFiles(event: Json): Json {
    const full = (message: Json): Json =>
      Array.isArray(message['files'])
        ? {
            ...message,
            files: (message['files'] as Json[]).map(({ id, ...rest }) => ({
              ...fileObject(this.workspace, String(id), this.url),
              ...rest,
            })),
          }
        : message
    const copy = structuredClone(event)
    for (const name of ['message', 'previous_message']) if (copy[name]) copy[name] = full(copy[name] as Json)
    return full(copy)
  }

  // ---- http ---------------------------------------------------------------------------------------------------------

  protected async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#underWay++
    response.on('close', () => {
      this.#underWay--
      this.changed()
    })
    // Whoever breaks off what they send is answered by nobody.
    const body = await buffer(request).catch(() => null)
    if (!body) return
    const path = (request.url ?? '').split('?')[0] ?? ''
    if (this.down) return void request.socket.destroy()
    if (path.startsWith('/api/')) return this.#method(path.slice(5), request, response, body)
    if (path.startsWith('/upload/v1/')) return this.#upload(path.slice(11), response, body)
    if (path.startsWith('/files-pri/')) return this.#download(path.split('/')[2] ?? '', request, response)
    response.writeHead(404).end()
  }

  #upload(id: string, response: ServerResponse, body: Buffer): void {
    const file = this.workspace.files.get(id)
    if (!file || body.length !== file.length) return void response.writeHead(400).end('bad upload')
    file.bytes = body
    response.writeHead(200, { 'content-type': 'text/plain' }).end(`OK - ${body.length}`)
  }

  #download(id: string, request: IncomingMessage, response: ServerResponse): void {
    const file = this.workspace.files.get(id)
    if (!file?.bytes || file.gone) return void response.writeHead(404).end()
    if (request.headers.authorization !== `Bearer ${this.botToken}` || !this.scopes.has('files:read')) {
      return void response.writeHead(302, { location: `${this.url}/login`, 'content-type': 'text/html' }).end('<html>')
    }
    response
      .writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': file.bytes.length })
      .end(file.bytes)
  }

  #method(method: string, request: IncomingMessage, response: ServerResponse, raw: Buffer): void {
    const args: Json = Object.fromEntries(new URLSearchParams(raw.toString('utf8')))
    const odd = this.odd.get(method)
    if (odd) {
      this.odd.delete(method)
      return void response.writeHead(odd.status, { 'content-type': 'text/html', ...odd.headers }).end(odd.body)
    }
    const waitS = this.#tooFast(method, args)
    if (waitS > 0) {
      this.#answer(response, { method, args, status: 429, body: { ok: false, error: 'ratelimited' } }, waitS)
      return
    }
    const body = this.#do(method, args, request.headers.authorization ?? '')
    if (this.#lost.delete(method)) {
      this.calls.push({ method, args, atMs: Date.now(), status: 0, body })
      this.changed()
      this.cut()
      return
    }
    this.#answer(response, { method, args, status: 200, body })
  }

  #answer(response: ServerResponse, { method, args, status, body }: Omit<Call, 'atMs'>, retryAfterS?: number): void {
    this.calls.push({ method, args, atMs: Date.now(), status, body })
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      ...(method === 'apps.connections.open' ? {} : { 'x-oauth-scopes': [...this.scopes].join(',') }),
      ...(retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }),
    })
    response.end(JSON.stringify(body))
    this.changed()
  }

  #do(method: string, args: Json, authorization: string): Json {
    if (this.refuseBlocks && args['blocks'] !== undefined) return { ok: false, error: 'invalid_blocks' }
    const refusal = this.refusals.get(method)
    if (refusal) return { ok: false, error: refusal }
    if (method === 'apps.connections.open') return this.#open(authorization)
    if (authorization !== `Bearer ${this.botToken}`)
      return { ok: false, error: authorization ? 'invalid_auth' : 'not_authed' }
    const run = methods(() => this.#options.pageMost ?? 1000)[method]
    if (!run) return { ok: false, error: 'unknown_method', req_method: method }
    try {
      const body = run(this.workspace, args, { scopes: this.scopes, base: this.url })
      return { ok: true, ...this.#withHidden(method, body) }
    } catch (error) {
      if (error instanceof Refusal) return error.body
      throw error
    }
  }

  #withHidden(method: string, body: Json): Json {
    if (method === 'files.info' && this.hideShares) return { ...body, file: { ...(body['file'] as Json), shares: {} } }
    if (!Array.isArray(body['messages'])) return body
    return { ...body, messages: (body['messages'] as Json[]).map(message => this.#withFiles(message)) }
  }

  #open(authorization: string): Json {
    if (authorization !== `Bearer ${this.appToken}`) {
      return { ok: false, error: authorization.startsWith('Bearer xoxb') ? 'not_allowed_token_type' : 'invalid_auth' }
    }
    return {
      ok: true,
      url: `${this.url.replace('http', 'ws')}/link/?ticket=${this.workspace.id('t')}&app_id=${app.id}`,
    }
  }

  /** Seconds to wait, or 0. */
  #tooFast(method: string, args: Json): number {
    const nowMs = Date.now()
    const limit = this.#limits.find(
      each =>
        each.method === method &&
        each.untilMs > nowMs &&
        (each.channel === undefined || each.channel === args['channel']),
    )
    if (limit) return Math.max(1, Math.ceil((limit.untilMs - nowMs) / 1000))
    if (!/^chat\.post(Message|Ephemeral)$/.test(method) || !this.rate) return 0
    const channel = String(args['channel'])
    const bucket = this.#perChannel.get(channel) ?? { atMs: nowMs, tokens: this.rate.burst }
    bucket.tokens = Math.min(this.rate.burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * this.rate.perSecond)
    bucket.atMs = nowMs
    this.#perChannel.set(channel, bucket)
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / this.rate.perSecond))
    bucket.tokens--
    return 0
  }

  /** What our app said in a channel, as somebody else sees it. */
  said(channel: Channel): string[] {
    return channel.messages.filter(({ bot_id: bot }) => bot === app.bot).map(shown)
  }
}
