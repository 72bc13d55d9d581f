import type { Adapter } from '../../core/adapter.ts'
import { asChanopError, ChanopError } from '../../core/error.ts'
import type { ChannelId, NetworkId, Place, UserId } from '../../core/event.ts'
import { type Order, openOrders, postponeOrder, settleOrder } from '../../core/ledger/orders.ts'
import { states } from '../../core/ledger/deliveries.ts'
import type { Ledger } from '../../core/ledger/ledger.ts'
import { sql } from '../../core/ledger/sqlite.ts'
import type { Log } from '../../core/log.ts'
import { backoffMs, deadline } from '../../core/retry.ts'
import type { Vault } from '../../core/secrets.ts'

export interface OrderlyOptions {
  readonly ledger: Ledger
  readonly adapters: ReadonlyMap<NetworkId, Adapter>
  readonly vault: Vault
  readonly log: Log
  readonly signal: AbortSignal
  /** Told the ids of deliveries that waited for an order. */
  released(ids: readonly number[]): Promise<void>
}

/** The name an order's secret is sealed for. */
export const orderBox = (key: string): string => `order:${key}`

const orderDeadlineMs = 30_000

/** Carries out orders: one after the other on a network, each until it is done or can't be. */
export class Orderly {
  readonly #o: OrderlyOptions
  readonly #busy = new Set<NetworkId>()

  constructor(options: OrderlyOptions) {
    this.#o = options
  }

  /** Looks for open orders; call when one may have come, and once in a while. */
  async look(): Promise<void> {
    const orders = await this.#o.ledger.read(openOrders)
    for (const network of new Set(orders.map(order => order.network))) {
      if (this.#busy.has(network) || this.#o.signal.aborted) continue
      this.#busy.add(network)
      this.#work(
        network,
        orders.filter(order => order.network === network),
      )
        .catch((error: unknown) => this.#o.log.error({ error, network }, asChanopError(error).message))
        .finally(() => this.#busy.delete(network))
    }
  }

  async #work(network: NetworkId, orders: readonly Order[]): Promise<void> {
    const adapter = this.#o.adapters.get(network)
    for (const order of orders) {
      if (order.notBeforeMs > Date.now()) continue
      if (!adapter) {
        await this.#end(order, { done: false, error: `there is no network '${network}'` })
        continue
      }
      if (adapter.standing().state !== 'up' || this.#o.signal.aborted) return
      await this.#carryOut(adapter, order)
    }
  }

  async #carryOut(adapter: Adapter, order: Order): Promise<void> {
    const { ledger, log, vault, signal } = this.#o
    try {
      const secret = order.sealed ? vault.open(orderBox(order.key), order.sealed) : ''
      const started = order.state === 'sending'
      await ledger.write(db => sql(db, 'UPDATE orders SET state = ? WHERE id = ?').run(states.sending, order.id))
      const late = deadline(orderDeadlineMs, signal)
      const result = await Promise.race([act(adapter, order, secret, started), expiry(late)])
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
    await this.#o.released(await this.#o.ledger.write(db => settleOrder(db, order.id, end, Date.now())))
  }
}

const expiry = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const late = (): void => reject(new ChanopError('account-failed', 'the network did not answer in time'))
    if (signal.aborted) late()
    else signal.addEventListener('abort', late, { once: true })
  })

const unable = (what: string): ChanopError => new ChanopError('unsupported', `this network can not ${what}`)

/** Does one order; all of them may be repeated after a crash. `started`: a run before this one may have begun it. */
async function act(adapter: Adapter, order: Order, secret: string, started: boolean): Promise<string> {
  const { kind, args } = order
  if (kind.startsWith('place.')) return placeAct(adapter, order)
  const { accounts } = adapter
  if (!accounts) throw unable('administer accounts')
  const account = args['account'] ?? ''
  switch (kind) {
    case 'account.create':
      // Nobody's account is taken over: only what this very order began to make is finished.
      if (await accounts.get(account)) {
        if (!started)
          throw new ChanopError('account-exists', `there is an account ${account} already: choose another name`)
        await accounts.setPassword(account, secret)
        return 'created'
      }
      await accounts.create(account, secret)
      return 'created'
    case 'account.password':
      await accounts.setPassword(account, secret)
      return `${await accounts.endSessions(account, args['reason'] ?? 'the password was changed')} sessions ended`
    case 'account.suspend':
      await accounts.suspend(account, args['reason'] ?? 'suspended')
      return 'suspended'
    case 'account.restore':
      await accounts.restore(account)
      return 'restored'
    case 'account.drop':
      await accounts.drop(account)
      return 'deleted'
    case 'account.certificate':
      await accounts.addCertificate(account, args['fingerprint'] ?? '')
      return 'added'
    case 'account.end-sessions':
      return `${await accounts.endSessions(account, args['reason'] ?? 'ended by an operator')} sessions ended`
    default:
      throw unable(kind)
  }
}

type PlaceAct = (adapter: Adapter, place: Place, args: Order['args']) => Promise<string> | undefined

const userOf = (args: Order['args']): UserId => (args['user'] ?? '') as UserId

/** What each order does; undefined where the network can't. */
const placeActs: Readonly<Record<string, PlaceAct>> = {
  'place.join': (adapter, place) => adapter.join?.(place).then(() => 'joined'),
  'place.part': (adapter, place, args) => adapter.part?.(place, args['reason'] ?? '').then(() => 'left'),
  'place.topic': (adapter, place, args) => adapter.topic?.(place, args['topic'] ?? '').then(() => 'set'),
  'place.mode': (adapter, place, args) => adapter.mode?.(place, args['modes'] ?? '').then(() => 'set'),
  'place.invite': (adapter, place, args) => adapter.invite?.(place, userOf(args)).then(() => 'invited'),
  'place.kick': (adapter, place, args) =>
    adapter.kick?.(place, userOf(args), args['reason'] ?? '').then(() => 'put out'),
  'place.bring': (adapter, place, args) =>
    adapter.bring?.(place, (args['users'] ?? '').split(' ').filter(Boolean) as UserId[]).then(count => `${count} came`),
  'place.keep': (adapter, place, args) =>
    adapter.keep?.(place, { modes: args['modes'] ?? '', topic: args['topic'] ?? '' }).then(() => 'kept'),
  'place.release': (adapter, place, args) => adapter.release?.(place, args['reason'] ?? '').then(() => 'given up'),
}

function placeAct(adapter: Adapter, { kind, args, network }: Order): Promise<string> {
  const place: Place = { network, channel: (args['channel'] ?? '') as ChannelId }
  const done = placeActs[kind]?.(adapter, place, args)
  if (!done) throw unable(`${kind.replace('place.', '')} channels`)
  return done
}
