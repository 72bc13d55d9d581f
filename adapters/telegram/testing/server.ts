import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { FakeServer } from '../../../core/contract/fake-server.ts'
import { SpeedLimits, type Speeds } from './limits.ts'
import { type Asked, methods } from './methods.ts'
import { Refused } from './text.ts'
import { type Fields, World } from './world.ts'

export interface ServerOptions {
  readonly privacy?: boolean
  readonly keepMs?: number
  readonly speeds?: Speeds | null
  readonly username?: string
  readonly token?: string
  readonly ephemeral?: '10.2' | '10.3' | null
  readonly drafts?: 'all' | 'topics' | 'none'
}

/** What was asked and answered. */
export interface Exchange {
  readonly method: string
  readonly params: Fields
  readonly answer: Fields
}

/** What happens to the next request of some methods: its answer is lost, it never arrives, or it is refused. */
export interface Fault {
  readonly method: RegExp
  readonly chat?: number
  readonly does: 'lose-answer' | 'lose-request' | Refused | { readonly raw: string; readonly status: number }
  times: number
}

interface Poll {
  readonly response: ServerResponse
  readonly params: Fields
  readonly timer: NodeJS.Timeout
}

const speaks = /^(send(?!ChatAction)|edit|delete|setMessageReaction)/
const dayMs = 86_400_000

/** A Bot API server over real sockets, for one bot. */
export class TelegramServer extends FakeServer {
  readonly world: World
  readonly token: string
  readonly limits: SpeedLimits
  readonly journal: Exchange[] = []
  readonly faults: Fault[] = []
  /** Decides for each request whether something happens to it. */
  chaos: (method: string) => Fault['does'] | null = () => null
  /** Another program asks with the same token now and then: Telegram ends whoever asked first. */
  webhook = false
  #poll: Poll | null = null

  private constructor(options: ServerOptions) {
    super()
    const { privacy = false, keepMs = dayMs, username = 'chanop_bot', ephemeral = null, drafts = 'all' } = options
    this.world = new World({ privacy, keepMs, username, ephemeral, drafts })
    this.token = options.token ?? '7000000001:AAtestTokenOfNobody_123456789-abcdef'
    this.limits = new SpeedLimits(options.speeds ?? null)
    this.world.onUpdate = () => this.#deliver()
    this.server.keepAliveTimeout = 60_000
  }

  static start(options: ServerOptions = {}): Promise<TelegramServer> {
    return new TelegramServer(options).start()
  }

  // ---- seen from outside ------------------------------------------------------------------------------------------

  override cut(): void {
    if (this.#poll) clearTimeout(this.#poll.timer)
    this.#poll = null
    super.cut()
  }

  /** The next request of these methods. */
  fault(does: Fault['does'], method = /^send(?!ChatAction)/, times = 1, chat?: number): void {
    this.faults.push({ method, does, times, ...(chat === undefined ? {} : { chat }) })
  }

  /** Resolves when somebody waits for updates and has confirmed all there were. */
  async listening(): Promise<void> {
    await this.until(() => this.#poll !== null && this.world.waiting === 0, 'somebody to ask for updates')
  }

  asked(method: string): readonly Exchange[] {
    return this.journal.filter(exchange => exchange.method === method)
  }

  // ---- requests ---------------------------------------------------------------------------------------------------

  protected async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const [, kind, token, rest] = /^\/(bot|file\/bot)([^/]*)\/(.+)$/.exec(decodeURI(request.url ?? '')) ?? []
      if (kind === undefined || !/^\d+:[\w-]{10,}$/.test(token ?? ''))
        return refuse(response, new Refused(404, 'Not Found'))
      if (token !== this.token) return refuse(response, new Refused(401, 'Unauthorized'))
      if (kind === 'file/bot') return this.#file(response, rest ?? '')
      await this.#call(request, response, rest ?? '')
    } catch (thrown) {
      if (thrown instanceof Refused) refuse(response, thrown)
      else response.destroy(thrown as Error)
    }
  }

  async #call(request: IncomingMessage, response: ServerResponse, method: string): Promise<void> {
    const asked = await read(request)
    const fault = this.#fault(method, asked)
    if (fault?.does === 'lose-request') {
      request.socket.destroy()
      return
    }
    if (fault && typeof fault.does === 'object' && 'raw' in fault.does) {
      response.writeHead(fault.does.status, { 'content-type': 'text/html' }).end(fault.does.raw)
      return
    }
    if (method === 'getUpdates' && !fault) return this.#ask(response, asked.params)
    const answer = this.#answer(method, asked, fault)
    this.journal.push({ method, params: asked.params, answer })
    this.changed()
    if (fault?.does === 'lose-answer') request.socket.destroy()
    else reply(response, answer)
  }

  #answer(method: string, asked: Asked, fault: Fault | undefined): Fields {
    try {
      if (fault?.does instanceof Refused) throw fault.does
      const does = Object.hasOwn(methods, method) ? methods[method] : undefined
      if (!does) throw new Refused(404, 'Not Found: method not found')
      if (speaks.test(method)) this.limits.count(Number(asked.params['chat_id']))
      return { ok: true, result: does(this.world, asked) }
    } catch (thrown) {
      if (thrown instanceof Refused) return refusalOf(thrown)
      throw thrown
    }
  }

  #fault(method: string, { params }: Asked): Fault | undefined {
    const found = this.faults.find(
      fault =>
        fault.times > 0 &&
        fault.method.test(method) &&
        (fault.chat === undefined || fault.chat === Number(params['chat_id'])),
    )
    if (found) found.times--
    const does = found ? null : this.chaos(method)
    return does === null ? found : { method: /./, does, times: 0 }
  }

  #file(response: ServerResponse, path: string): void {
    const file = [...this.world.files.values()].find(each => each.path === path)
    if (!file) return refuse(response, new Refused(404, 'Not Found'))
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': file.bytes.length })
    response.end(file.bytes)
  }

  // ---- updates ----------------------------------------------------------------------------------------------------

  #ask(response: ServerResponse, params: Fields): void {
    if (this.webhook) {
      const reason =
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
      return refuse(response, new Refused(409, reason))
    }
    if (this.#poll) {
      const reason = 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running'
      this.#end(this.#poll, refusalOf(new Refused(409, reason)))
    }
    if (Array.isArray(params['allowed_updates'])) this.world.allowed = params['allowed_updates'] as string[]
    const timer = setTimeout(
      () => this.#poll === poll && this.#end(poll, { ok: true, result: [] }),
      Number(params['timeout'] ?? 0) * 1000,
    )
    const poll: Poll = { response, params, timer }
    this.#poll = poll
    response.on('close', () => {
      clearTimeout(timer)
      if (this.#poll === poll) this.#poll = null
    })
    this.#deliver()
    if (this.#poll === poll && !params['timeout']) this.#end(poll, { ok: true, result: [] })
    this.changed()
  }

  #deliver(): void {
    const poll = this.#poll
    if (!poll) return
    const { offset, limit } = poll.params
    const result = this.world.updates(Number(offset ?? 0), Math.min(100, Number(limit ?? 100)))
    if (result.length > 0) this.#end(poll, { ok: true, result })
  }

  #end(poll: Poll, answer: Fields): void {
    clearTimeout(poll.timer)
    if (this.#poll === poll) this.#poll = null
    this.journal.push({ method: 'getUpdates', params: poll.params, answer })
    reply(poll.response, answer)
  }
}

const refusalOf = ({ code, message, parameters }: Refused): Fields => ({
  ok: false,
  error_code: code,
  description: message,
  ...(parameters ? { parameters } : {}),
})

function reply(response: ServerResponse, answer: Fields): void {
  const status = answer['ok'] === true ? 200 : Number(answer['error_code'])
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
}

const refuse = (response: ServerResponse, refused: Refused): void => reply(response, refusalOf(refused))

/** Parameters that are no JSON in a form: everything else is, also numbers. */
const words = new Set(['text', 'caption', 'parse_mode', 'method', 'file_id', 'action', 'emoji', 'language_code'])

async function read(request: IncomingMessage): Promise<Asked> {
  const body = await buffer(request)
  const type = request.headers['content-type'] ?? ''
  if (!type.startsWith('multipart/')) {
    return { params: body.length === 0 ? {} : (JSON.parse(body.toString()) as Fields), files: new Map() }
  }
  const form = await new Response(body, { headers: { 'content-type': type } }).formData()
  const params: Fields = {}
  const files = new Map<string, { name: string; bytes: Uint8Array; type: string }>()
  for (const [name, value] of form) {
    if (typeof value === 'string') params[name] = words.has(name) ? value : parsed(value)
    else files.set(name, { name: value.name, bytes: new Uint8Array(await value.arrayBuffer()), type: value.type })
  }
  return { params, files }
}

function parsed(value: string): unknown {
  return /^(-?\d+|true|false|[[{].*)$/s.test(value) ? JSON.parse(value) : value
}
