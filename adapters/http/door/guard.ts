import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { networkOf } from '../../../core/addresses.ts'
import { RateLimit } from '../../../core/command/state/rate.ts'
import { noteKeyUse } from '../../../core/ledger/settings/api-keys.ts'
import type { House } from '../house.ts'
import { note, writeLater } from '../notes.ts'
import { Problem } from '../problem.ts'
import { bearer, type Holder, hasScope, holderOf } from './access.ts'

const usedEveryMs = 60_000
/** Strangers' tries are told once in so long for each address: they can not fill the audit. */
const strangerEveryMs = 60_000
const mostStrangers = 1000

/** Lets in who has a key for what they ask, as often as it may; leaves word of who is refused. */
export class Guard {
  readonly #house: House
  readonly #rates = new RateLimit()
  readonly #used = new Map<string, number>()
  readonly #strangers = new Map<string, number>()

  constructor(house: House) {
    this.#house = house
  }

  install(app: FastifyInstance): void {
    app.decorateRequest('holder', null)
    app.addHook('onRoute', ({ url, config, method }) => {
      if (method === 'OPTIONS' || method === 'HEAD') return
      if (!config?.scope && !config?.open) throw new Error(`the route ${url} says no scope`)
    })
    app.addHook('onRequest', async (request, reply) => this.#enter(request, reply))
  }

  #enter(request: FastifyRequest, reply: FastifyReply): void {
    const { scope, open } = request.routeOptions.config
    const address = networkOf(request.ip)
    const { interior, network, config } = this.#house
    if (open) {
      if (open === true || open(request)) this.#limit(`\n${address}`, config.perAddressPerMinute, reply)
      return
    }
    const written = bearer(request.headers)
    const nowMs = Date.now()
    const holder = interior.ledger.readNow(tx => holderOf(tx, network, written, nowMs))
    if (!holder) {
      this.#limit(`\n${address}`, config.perAddressPerMinute, reply)
      this.#stranger(request, address, nowMs)
      throw unauthorised(written !== null, interior.settings().commands.prefix)
    }
    this.#limit(holder.account, holder.key.perMinute ?? config.perMinute, reply)
    this.#note(holder, nowMs)
    request.holder = holder
    if (scope === undefined || scope === 'any') return
    const needed = typeof scope === 'string' ? [scope] : scope
    if (needed.some(each => hasScope(holder, each))) return
    const named = needed.join(' or ')
    this.#house.refused(request, `the key has no scope ${named}`)
    throw new Problem(403, 'denied', `this key has no scope ${named}: it has ${holder.key.scopes.join(', ') || 'none'}`)
  }

  #limit(who: string, perMinute: number, reply: FastifyReply): void {
    const rate = { perMinute, burst: Math.max(10, Math.ceil(perMinute / 6)) }
    if (this.#rates.ask(who, rate, Date.now()) === 'go') return
    const waitSeconds = this.#rates.waitSeconds(who, rate)
    reply.header('retry-after', `${waitSeconds}`)
    throw new Problem(429, 'rate-limited', `too many requests: go on in ${waitSeconds} s`)
  }

  /** When a key was used last is kept to the minute. */
  #note({ key }: Holder, nowMs: number): void {
    if (nowMs - (this.#used.get(key.account) ?? 0) < usedEveryMs) return
    this.#used.set(key.account, nowMs)
    writeLater(this.#house, tx => noteKeyUse(tx, key, nowMs))
  }

  #stranger({ ip, method, routeOptions }: FastifyRequest, address: string, nowMs: number): void {
    for (const [known, atMs] of this.#strangers) if (nowMs - atMs > strangerEveryMs) this.#strangers.delete(known)
    if (this.#strangers.has(address) || this.#strangers.size >= mostStrangers) return
    this.#strangers.set(address, nowMs)
    this.#house.log.warn({ address: ip }, 'somebody without a valid key was refused')
    const result = 'unverified: no valid key'
    note(this.#house, { account: '', name: ip, command: `${method} ${routeOptions.url ?? ''}`, result })
  }
}

/** RFC 6750, section 3. */
const unauthorised = (given: boolean, prefix: string): Problem =>
  new Problem(
    401,
    'unauthorized',
    `send a valid key: Authorization: Bearer chanop_…; ${prefix}key new makes one, in chat`,
    {
      headers: { 'www-authenticate': given ? 'Bearer realm="chanop", error="invalid_token"' : 'Bearer realm="chanop"' },
    },
  )
