import type { FastifyReply, FastifyRequest } from 'fastify'
import { Catalogue, type Published } from '../../core/command/help/published.ts'
import { isSecret } from '../../core/command/parse/fields.ts'
import { type Asked, type MessageEvent, text } from '../../core/event.ts'
import { deadline } from '../../core/retry.ts'
import { type Became, requestId } from './asks.ts'
import type { Holder } from './door/access.ts'
import type { House } from './house.ts'
import { type Said, saidIn } from './letters.ts'
import { asMessageId, factKey, ownPlace, senderOf } from './place.ts'
import { Problem, statusOf } from './problem.ts'

export type Args = Asked['args']

const usualWaitSeconds = 30
const mostWaitSeconds = 120

/** How long the asker waits for the end: `Prefer: wait=5` (RFC 7240). */
export function waitMsOf(prefer: string | string[] | undefined, usualSeconds = usualWaitSeconds): number {
  const found = /(?:^|[\s,;])wait=(\d{1,4})(?:$|[\s,;])/.exec(String(prefer ?? ''))
  return Math.min(found ? Number(found[1]) : usualSeconds, mostWaitSeconds) * 1000
}

/** The value of the header, once and of a length that makes sense. */
export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const given = request.headers['idempotency-key']
  if (given === undefined) return undefined
  if (typeof given === 'string' && given.length > 0 && given.length <= 255) return given
  throw new Problem(400, 'usage', 'Idempotency-Key: 1 to 255 characters')
}

/** Who asks, on a route that is not open. */
export function holderOf({ holder }: FastifyRequest): Holder {
  if (!holder) throw new Problem(401, 'unauthorized', 'this needs a key')
  return holder
}

/** Aborts when who asked has hung up, or with a problem when their key counts no more. */
export function gone({ rights }: House, request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const end = new AbortController()
  const { raw } = reply
  raw.once('close', () => end.abort())
  // Before anybody listened.
  if (raw.destroyed) end.abort()
  return rights.whileCounts(holderOf(request), end.signal)
}

const catalogues = new WeakMap<House, Catalogue>()

/** All commands as they are now. */
export function catalogueOf(house: House): Catalogue {
  const catalogue = catalogues.get(house) ?? new Catalogue()
  catalogues.set(house, catalogue)
  return house.interior.ledger.readNow(tx => catalogue.refresh(tx))
}

/** The same in words, for who reads the record: no secret is in it. */
function wordsOf({ name, fields }: Published, args: Args): string {
  const hidden = new Set(fields.filter(isSecret).map(({ key }) => key))
  return [name, ...Object.entries(args).map(([key, value]) => `${key}=${hidden.has(key) ? '***' : value}`)].join(' ')
}

/** A command as a message of who asks. */
function eventOf(house: House, holder: Holder, id: string, command: Published, args: Args): MessageEvent {
  const { network } = house
  return {
    kind: 'message',
    key: factKey(network, holder.account, id),
    id: asMessageId(id),
    place: ownPlace(network, holder.account),
    sender: senderOf(holder.account, holder.name, holder.agent ? 'bot' : 'person'),
    atMs: Date.now(),
    origin: 'live',
    to: command.bot,
    content: text(wordsOf(command, args)),
    asked: { name: command.name, args, whole: true },
  }
}

export interface Answered {
  readonly id: string
  readonly done: boolean
  readonly lines: readonly string[]
  readonly data?: unknown
  readonly secrets?: readonly string[]
}

const answered = (id: string, done: boolean, said: Said): Answered => ({
  id,
  done,
  lines: said.lines,
  ...(said.data === undefined ? {} : { data: said.data }),
  ...(said.secrets.length === 0 ? {} : { secrets: said.secrets }),
})

/** What became of a command as a response: 202 while it is under way, a problem when it was not done. */
export function respond(house: House, reply: FastifyReply, id: string, became: Became): Answered {
  if (!became.done) reply.code(202).header('location', `/v1/requests/${id}`)
  return answerOf(house, id, became)
}

function answerOf(house: House, id: string, became: Became): Answered {
  const said = saidIn(house.interior.vault, became.letters)
  const code = became.done ? faultOf(became, said) : null
  if (code === null) return answered(id, became.done, said)
  const detail = said.lines.join('\n') || became.result || 'it was not done'
  const headers: Record<string, string> = code === 'rate-limited' ? { 'retry-after': '10' } : {}
  throw new Problem(statusOf(code), code, detail, { headers, id })
}

function faultOf({ decision, result }: Became, { fault }: Said): string | null {
  if (fault !== null) return fault
  if (decision === 'allowed') return null
  if (/^(rate-limited|too many mistakes)/.test(result)) return 'rate-limited'
  return decision === 'denied' ? 'denied' : 'failed'
}

export interface Asks {
  readonly holder: Holder
  readonly name: string
  readonly args: Args
  /** Ends the waiting, not the command. */
  readonly signal: AbortSignal
  readonly idempotencyKey?: string | undefined
}

/** Asks for a command and waits for its end: what became of it, under the id that it can be had by later. */
async function become(house: House, { holder, name, args, signal, idempotencyKey }: Asks) {
  const command = catalogueOf(house).named(name)
  if (!command) throw new Problem(503, 'network-down', `the bot that knows ${name} has not started yet: try again`)
  const id = requestId(idempotencyKey)
  await house.asks.take(house.sink, eventOf(house, holder, id, command, args))
  return { id, became: await house.asks.wait(holder, id, signal) }
}

/** The same, as an answer: of what is still under way what there is so far. Throws a problem for what was not done. */
export async function perform(house: House, asking: Asks): Promise<Answered> {
  const { id, became } = await become(house, asking)
  return answerOf(house, id, became)
}

/** Asks for a command and waits for its end, or for as long as who asks wants to. */
export async function ask(
  house: House,
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  args: Args,
): Promise<Answered> {
  const holder = holderOf(request)
  const signal = AbortSignal.any([
    deadline(waitMsOf(request.headers.prefer), house.closing),
    gone(house, request, reply),
  ])
  const asking = { holder, name, args, signal, idempotencyKey: idempotencyKeyOf(request) }
  const { id, became } = await become(house, asking)
  return respond(house, reply, id, became)
}
