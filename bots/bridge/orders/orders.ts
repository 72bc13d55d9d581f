import type { Adapter, Channels } from '../../../core/adapter.ts'
import { asChanopError, ChanopError } from '../../../core/error.ts'
import type { ChannelId, NetworkId, Place, UserId } from '../../../core/event.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import {
  beginOrder,
  type Order,
  openOrders,
  orderByKey,
  orderedNetworks,
  settleOrder,
  triedOrder,
  wordsOf,
} from '../../../core/ledger/out/orders.ts'
import { certificatesOf } from '../../../core/ledger/people/certificates.ts'
import type { Log } from '../../../core/log.ts'
import { backoffMs, deadline, sleep, steadyMs } from '../../../core/retry.ts'
import type { Vault } from '../../../core/vault/secrets.ts'
import { accountAct, type Given, keepWhatFollows, unable } from './account-orders.ts'

export interface OrderlyOptions {
  readonly ledger: Ledger
  readonly adapters: ReadonlyMap<NetworkId, Adapter>
  readonly vault: Vault
  readonly log: Log
  readonly signal: AbortSignal
  /** The orders of such a network wait although it can not be connected now. */
  isConfigured(network: NetworkId): boolean
  /** Who may be in a place; null: everybody. `besides`: it is made so besides the order for it, which is to be given again. */
  admitted(place: Place, besides: boolean): Promise<readonly UserId[] | null>
  /** Told the ids of deliveries that waited for an order. */
  released(ids: readonly number[]): Promise<void>
}

/** The name an order's secret is sealed for. */
export const orderBox = (key: string): string => `order:${key}`

const orderDeadlineMs = 30_000
/** How long what must be said first is waited for: a minute. */
const wordsEveryMs = 250
const wordsPatience = 240
/** What is due later than that is found by who looks once a second. */
const soonMs = 1000
const urgent = new Set(['account.suspend', 'account.end-sessions', 'place.kick', 'place.mode', 'place.admit'])

/**
 * What is done next: what ends or limits something first, else what was asked first. Orders about one account keep their
 * order, but for a suspension, which waits for nothing except the making of the account.
 */
export function nextOrder(queue: readonly Order[], isDue: (order: Order) => boolean): Order | undefined {
  const waiting = new Map<string, boolean>()
  const ready: Order[] = []
  for (const order of queue) {
    const account = order.args['account']?.toLowerCase() ?? ''
    const making = order.kind === 'account.create'
    const before = waiting.get(account)
    const behind = account !== '' && before !== undefined && (before || order.kind !== 'account.suspend')
    const due = isDue(order)
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
  /** When those that were put off are due (`steadyMs`), by id. */
  readonly #putOff = new Map<number, number>()
  #again = Number.POSITIVE_INFINITY

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
      const next = nextOrder(queue, order => this.#waitMs(order) <= 0)
      if (!next || this.#o.signal.aborted) return this.#comeBack(queue)
      if (!adapter && this.#o.isConfigured(network)) return
      if (!adapter) await this.#end(next, { done: false, error: `there is no network '${network}'` })
      else if (adapter.status().state !== 'up') return
      else await this.#carryOut(adapter, next)
      queue = await this.#still(queue, next)
    }
  }

  #waitMs({ id, notBeforeMs }: Order): number {
    return Math.max(notBeforeMs - Date.now(), (this.#putOff.get(id) ?? 0) - steadyMs())
  }

  /** Looks again when the first of those that were put off for a moment is due. */
  #comeBack(queue: readonly Order[]): void {
    const waitMs = Math.min(soonMs, ...queue.map(order => this.#waitMs(order)).filter(ms => ms > 0))
    const atMs = steadyMs() + waitMs
    if (waitMs === soonMs || this.#again <= atMs) return
    this.#again = atMs
    void sleep(waitMs, this.#o.signal).then(() => {
      if (this.#again === atMs) this.#again = Number.POSITIVE_INFINITY
      this.look().catch((error: unknown) => this.#o.log.error({ error }, asChanopError(error).message))
    })
  }

  /** The queue without an order that has ended; with its new time when it was put off. */
  async #still(queue: readonly Order[], done: Order): Promise<Order[]> {
    const now = await this.#o.ledger.read(db => orderByKey(db, done.key))
    const open = now?.state === 'queued' || now?.state === 'sending'
    return queue.flatMap(order => (order.id === done.id ? (open ? [now] : []) : [order]))
  }

  async #carryOut(adapter: Adapter, order: Order): Promise<void> {
    const { ledger, log, vault, signal } = this.#o
    if (await this.#held(order)) return
    // An order of our own may have been read before the disk had it.
    await ledger.kept()
    try {
      const secret = order.sealed ? vault.open(orderBox(order.key), order.sealed) : ''
      ledger.mark(db => beginOrder(db, order.id))
      const late = deadline(orderDeadlineMs, signal)
      const known = await ledger.read(tx => certificatesOf(tx, order.network, order.args['account'] ?? ''))
      const given = { secret, certificates: known.map(({ fingerprint }) => fingerprint) }
      const admitted: Admitted = (place, besides) => this.#o.admitted(place, besides)
      const result = await Promise.race([act(adapter, order, given, admitted), expiry(late)])
      await this.#end(order, { done: true, result })
    } catch (thrown) {
      if (signal.aborted) return
      const error = asChanopError(thrown)
      log.warn({ order: order.id, kind: order.kind, code: error.code }, error.message)
      if (error.retry === 'never') return this.#end(order, { done: false, error: error.message })
      this.#putOff.set(order.id, steadyMs() + backoffMs({ firstMs: 500, maxMs: 30_000 }, order.attempts))
      await ledger.write(db => triedOrder(db, order.id, error.message))
    }
  }

  /** An order that comes after another waits until that is done and what it says, such as a login, is said. */
  async #held(order: Order): Promise<boolean> {
    const first = order.args['after']
    if (first === undefined) return false
    const words = await this.#o.ledger.read(tx => wordsOf(tx, first))
    if (words === 'said' || (words === 'waiting' && order.attempts >= wordsPatience)) return false
    if (words === 'void') await this.#end(order, { done: true, result: 'nothing was changed' })
    else this.#putOff.set(order.id, steadyMs() + wordsEveryMs)
    if (words === 'waiting') await this.#o.ledger.write(tx => triedOrder(tx, order.id, 'the login is being said'))
    return true
  }

  async #end(order: Order, end: Parameters<typeof settleOrder>[2]): Promise<void> {
    const nowMs = Date.now()
    const released = await this.#o.ledger.write(db => {
      if (end.done) keepWhatFollows(db, order, nowMs)
      return settleOrder(db, order.id, end, nowMs)
    })
    this.#putOff.delete(order.id)
    await this.#o.released(released)
  }
}

const expiry = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const late = (): void => reject(new ChanopError('account-failed', 'the network did not answer in time'))
    if (signal.aborted) late()
    else signal.addEventListener('abort', late, { once: true })
  })

/** Does one order; all of them may be repeated after a crash. */
async function act(adapter: Adapter, order: Order, given: Given, admitted: Admitted): Promise<string> {
  if (order.kind.startsWith('place.')) return placeAct(adapter, order, admitted)
  if (!adapter.accounts) throw unable('administer accounts')
  return accountAct(adapter.accounts, order, given)
}

type Admitted = OrderlyOptions['admitted']
type PlaceAct = (
  channels: Channels,
  place: Place,
  args: Order['args'],
  admitted: Admitted,
) => Promise<string> | undefined

const userOf = (args: Order['args']): UserId => (args['user'] ?? '') as UserId

/** What each order does; undefined where the network can't. */
const placeActs: Readonly<Record<string, PlaceAct>> = {
  'place.join': (on, place) => on.join(place).then(() => 'joined'),
  'place.part': (on, place, args) => on.part(place, args['reason'] ?? '').then(() => 'left'),
  'place.mode': (on, place, args) => on.mode?.(place, args['modes'] ?? '').then(() => 'set'),
  'place.kick': (on, place, args, admitted) => on.kick && kick(on, place, args, admitted),
  'place.bring': (on, place, args) =>
    on.bring?.(place, (args['users'] ?? '').split(' ').filter(Boolean) as UserId[]).then(count => `${count} came`),
  'place.keep': (on, place, args, admitted) => on.keep && keep(on, place, args, admitted),
  'place.release': (on, place, args) => on.release?.(place, args['reason'] ?? '').then(() => 'given up'),
  'place.admit': (on, place, _, admitted) => on.admit && admit(on, place, admitted),
}

async function admit(on: Channels, place: Place, admitted: Admitted): Promise<string> {
  const accounts = await admitted(place, false)
  await on.admit?.(place, accounts)
  return accounts === null ? 'open' : `${accounts.length} may enter`
}

/** The door first: who is put out for losing what let them in does not come back before the list has changed. */
async function kick(on: Channels, place: Place, args: Order['args'], admitted: Admitted): Promise<string> {
  const accounts = await admitted(place, true)
  if (accounts !== null) await on.admit?.(place, accounts)
  await on.kick?.(place, userOf(args), args['reason'] ?? '')
  return 'put out'
}

/** What makes a channel closed is not for its modes to say: a type's change takes nothing of it away. */
const closing = /[is]/g

async function keep(on: Channels, place: Place, args: Order['args'], admitted: Admitted): Promise<string> {
  const asked = args['modes'] ?? ''
  const accounts = on.admit ? await admitted(place, true) : null
  const closed = accounts !== null
  const modes = closed ? asked.replaceAll(/-[A-Za-z]*/g, off => off.replaceAll(closing, '')).replace(/-$/, '') : asked
  await on.keep?.(place, { modes, topic: args['topic'] ?? '' })
  if (closed) await on.admit?.(place, accounts)
  return 'kept'
}

function placeAct(adapter: Adapter, { kind, args, network }: Order, admitted: Admitted): Promise<string> {
  const place: Place = { network, channel: (args['channel'] ?? '') as ChannelId }
  const done = adapter.channels && placeActs[kind]?.(adapter.channels, place, args, admitted)
  if (!done) throw unable(`${kind.replace('place.', '')} channels`)
  return done
}
