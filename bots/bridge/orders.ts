import type { AccountInfo, Adapter, Channels } from '../../core/adapter.ts'
import { asChanopError, ChanopError } from '../../core/error.ts'
import type { ChannelId, NetworkId, Place, UserId } from '../../core/event.ts'
import type { Ledger } from '../../core/ledger/ledger.ts'
import {
  beginOrder,
  type Order,
  openOrders,
  orderByKey,
  orderedNetworks,
  postponeOrder,
  settleOrder,
} from '../../core/ledger/orders.ts'
import { personFor } from '../../core/ledger/people.ts'
import { grant } from '../../core/ledger/roles.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import type { Log } from '../../core/log.ts'
import { backoffMs, deadline } from '../../core/retry.ts'
import { isRole } from '../../core/role.ts'
import type { Vault } from '../../core/secrets.ts'

export interface OrderlyOptions {
  readonly ledger: Ledger
  readonly adapters: ReadonlyMap<NetworkId, Adapter>
  readonly vault: Vault
  readonly log: Log
  readonly signal: AbortSignal
  /** The orders of such a network wait although it can not be connected now. */
  isConfigured(network: NetworkId): boolean
  /** Told the ids of deliveries that waited for an order. */
  released(ids: readonly number[]): Promise<void>
}

/** The name an order's secret is sealed for. */
export const orderBox = (key: string): string => `order:${key}`

const orderDeadlineMs = 30_000
const urgent = new Set(['account.suspend', 'account.end-sessions', 'place.kick', 'place.mode'])

/**
 * What is done next: what ends or limits something first, else what was asked first. Orders about one account keep their
 * order, but for a suspension, which waits for nothing except the making of the account.
 */
export function nextOrder(queue: readonly Order[], nowMs: number): Order | undefined {
  const waiting = new Map<string, boolean>()
  const ready: Order[] = []
  for (const order of queue) {
    const account = order.args['account']?.toLowerCase() ?? ''
    const making = order.kind === 'account.create'
    const before = waiting.get(account)
    const behind = account !== '' && before !== undefined && (before || order.kind !== 'account.suspend')
    const due = order.notBeforeMs <= nowMs
    if (due && !behind) ready.push(order)
    // What was never to be done yet holds up nothing; what was tried and put off does.
    if (account !== '' && (due || order.attempts > 0)) waiting.set(account, (before ?? false) || making)
  }
  return ready.find(order => urgent.has(order.kind)) ?? ready[0]
}

/** Carries out orders: one after the other on a network, each until it is done or can't be. */
export class Orderly {
  readonly #o: OrderlyOptions
  readonly #busy = new Set<NetworkId>()

  constructor(options: OrderlyOptions) {
    this.#o = options
  }

  /** Looks for open orders; call when one may have come, and once in a while. */
  async look(): Promise<void> {
    for (const network of await this.#o.ledger.read(orderedNetworks)) {
      if (this.#busy.has(network) || this.#o.signal.aborted) continue
      this.#busy.add(network)
      this.#work(network)
        .catch((error: unknown) => this.#o.log.error({ error, network }, asChanopError(error).message))
        .finally(() => this.#busy.delete(network))
    }
  }

  /** Does what is due, with what comes in meanwhile: something urgent is not behind five hundred accounts. */
  async #work(network: NetworkId): Promise<void> {
    const adapter = this.#o.adapters.get(network)
    let queue: Order[] = []
    let newest = 0
    for (;;) {
      const fresh = await this.#o.ledger.read(db => openOrders(db, newest))
      newest = fresh.at(-1)?.id ?? newest
      queue.push(...fresh.filter(order => order.network === network))
      const next = nextOrder(queue, Date.now())
      if (!next || this.#o.signal.aborted) return
      if (!adapter && this.#o.isConfigured(network)) return
      if (!adapter) await this.#end(next, { done: false, error: `there is no network '${network}'` })
      else if (adapter.standing().state !== 'up') return
      else await this.#carryOut(adapter, next)
      queue = await this.#still(queue, next)
    }
  }

  /** The queue without an order that has ended; with its new time when it was put off. */
  async #still(queue: readonly Order[], done: Order): Promise<Order[]> {
    const now = await this.#o.ledger.read(db => orderByKey(db, done.key))
    const open = now?.state === 'queued' || now?.state === 'sending'
    return queue.flatMap(order => (order.id === done.id ? (open ? [now] : []) : [order]))
  }

  async #carryOut(adapter: Adapter, order: Order): Promise<void> {
    const { ledger, log, vault, signal } = this.#o
    try {
      const secret = order.sealed ? vault.open(orderBox(order.key), order.sealed) : ''
      await ledger.write(db => beginOrder(db, order.id))
      const late = deadline(orderDeadlineMs, signal)
      const result = await Promise.race([act(adapter, order, secret), expiry(late)])
      await this.#end(order, { done: true, result })
    } catch (thrown) {
      if (signal.aborted) return
      const error = asChanopError(thrown)
      log.warn({ order: order.id, kind: order.kind, code: error.code }, error.message)
      if (error.retry === 'never') return this.#end(order, { done: false, error: error.message })
      const waitMs = backoffMs({ firstMs: 500, maxMs: 30_000 }, order.attempts)
      await ledger.write(db => postponeOrder(db, order.id, Date.now() + waitMs, error.message))
    }
  }

  async #end(order: Order, end: Parameters<typeof settleOrder>[2]): Promise<void> {
    const nowMs = Date.now()
    const released = await this.#o.ledger.write(db => {
      if (end.done) grantMade(db, order, nowMs)
      return settleOrder(db, order.id, end, nowMs)
    })
    await this.#o.released(released)
  }
}

const expiry = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const late = (): void => reject(new ChanopError('account-failed', 'the network did not answer in time'))
    if (signal.aborted) late()
    else signal.addEventListener('abort', late, { once: true })
  })

const unable = (what: string): ChanopError => new ChanopError('unsupported', `this network can not ${what}`)

/** A role that goes with a new account is given once the account is made: it is never given to whoever had it before. */
function grantMade(db: Tx, { kind, network, args }: Order, nowMs: number): void {
  const { account, role, by, until } = args
  if (kind !== 'account.create' || account === undefined || role === undefined || !isRole(role)) return
  const person = personFor(db, network, account.toLowerCase() as UserId, account, nowMs)
  grant(db, { person, room: '', role, untilMs: until === undefined ? null : Number(until) }, by ?? '', nowMs)
}

/** Does one order; all of them may be repeated after a crash. */
async function act(adapter: Adapter, order: Order, secret: string): Promise<string> {
  const { kind, args } = order
  if (kind.startsWith('place.')) return placeAct(adapter, order)
  const { accounts } = adapter
  if (!accounts) throw unable('administer accounts')
  const account = args['account'] ?? ''
  switch (kind) {
    case 'account.create':
      // Nobody's account is taken over: one that is there counts as made only if it opens with this order's password.
      await accounts.create(account, secret)
      return 'created'
    case 'account.password':
      await accounts.setPassword(account, secret)
      if (args['sessions'] === 'keep') return 'changed'
      return ended(await accounts.endSessions(account, args['reason'] ?? 'the password was changed'))
    case 'account.suspend':
      return suspended(await accounts.suspend(account, args['reason'] ?? 'suspended'))
    case 'account.restore':
      await accounts.restore(account)
      return 'restored'
    case 'account.drop':
      await accounts.drop(account)
      return 'deleted'
    case 'account.certificate':
      await accounts.addCertificate(account, args['fingerprint'] ?? '')
      return 'added'
    case 'account.certificate-del':
      await accounts.removeCertificate(account, args['fingerprint'] ?? '')
      return 'removed'
    case 'account.end-sessions':
      return ended(await accounts.endSessions(account, args['reason'] ?? 'ended by an operator'))
    case 'account.check':
      return checked(await accounts.get(account), account)
    default:
      throw unable(kind)
  }
}

const counted = (sessions: number): string => `${sessions} session${sessions === 1 ? '' : 's'}`
const ended = (sessions: number): string => `${counted(sessions)} ended`
const suspended = (sessions: number): string => (sessions === 0 ? 'suspended' : `suspended, ${ended(sessions)}`)

function checked(info: AccountInfo | null, account: string): string {
  if (!info) throw new ChanopError('account-unknown', `there is no account ${account}`)
  return `${counted(info.sessions)}${info.suspended ? ', suspended' : ''}`
}

type PlaceAct = (channels: Channels, place: Place, args: Order['args']) => Promise<string> | undefined

const userOf = (args: Order['args']): UserId => (args['user'] ?? '') as UserId

/** What each order does; undefined where the network can't. */
const placeActs: Readonly<Record<string, PlaceAct>> = {
  'place.join': (on, place) => on.join(place).then(() => 'joined'),
  'place.part': (on, place, args) => on.part(place, args['reason'] ?? '').then(() => 'left'),
  'place.mode': (on, place, args) => on.mode?.(place, args['modes'] ?? '').then(() => 'set'),
  'place.kick': (on, place, args) => on.kick?.(place, userOf(args), args['reason'] ?? '').then(() => 'put out'),
  'place.bring': (on, place, args) =>
    on.bring?.(place, (args['users'] ?? '').split(' ').filter(Boolean) as UserId[]).then(count => `${count} came`),
  'place.keep': (on, place, args) =>
    on.keep?.(place, { modes: args['modes'] ?? '', topic: args['topic'] ?? '' }).then(() => 'kept'),
  'place.release': (on, place, args) => on.release?.(place, args['reason'] ?? '').then(() => 'given up'),
}

function placeAct(adapter: Adapter, { kind, args, network }: Order): Promise<string> {
  const place: Place = { network, channel: (args['channel'] ?? '') as ChannelId }
  const done = adapter.channels && placeActs[kind]?.(adapter.channels, place, args)
  if (!done) throw unable(`${kind.replace('place.', '')} channels`)
  return done
}
