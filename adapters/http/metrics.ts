import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { consumerLags, everMade, openDeliveries, openTurnsByState } from '../../core/ledger/figures.ts'
import { spendEver } from '../../core/ledger/oracle/spend.ts'
import { turnStates } from '../../core/ledger/oracle/turns.ts'
import { networkStatuses } from '../../core/ledger/settings/networks.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import type { Interior } from '../../core/process/interior.ts'

const open = { deliveries: ['held', 'queued', 'sending', 'unknown'] as const }
const openTurns = Object.entries(turnStates).flatMap(([name, value]) => (value < 10 ? [name] : []))

const spentByModel = (tx: Tx) =>
  spendEver(tx, 'model').map(spent => ({ ...spent, model: spent.scope.slice('model:'.length) }))

/** What the ledger says, asked once in a scrape however many numbers come of it. */
type Once = <T>(read: (tx: Tx) => T) => T

function onceIn(tx: Tx): Once {
  const known = new Map<unknown, unknown>()
  return <T>(read: (tx: Tx) => T): T => {
    if (!known.has(read)) known.set(read, read(tx))
    return known.get(read) as T
  }
}

/** What Prometheus reads: counted here as it happens, and looked up in the ledger when it is asked for. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #interior: Interior
  readonly #requests: Counter<'route' | 'method' | 'status'>
  readonly #durations: Histogram<'route' | 'method'>
  readonly #lookUps: ((once: Once, nowMs: number) => void)[] = []
  readonly #off: () => void

  constructor(interior: Interior, streams: () => number) {
    this.#interior = interior
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry, prefix: 'chanop_bridge_' })
    this.#requests = new Counter({
      name: 'chanop_http_requests_total',
      help: 'Requests that were answered',
      labelNames: ['route', 'method', 'status'],
      registers,
    })
    this.#durations = new Histogram({
      name: 'chanop_http_request_seconds',
      help: 'From a request to the end of its answer',
      labelNames: ['route', 'method'],
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
      registers,
    })
    const commits = new Histogram({
      name: 'chanop_commit_seconds',
      help: 'Commits of the bridge that wait for the disk (fsync)',
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2],
      registers,
    })
    this.#off = interior.ledger.onDurable(ms => commits.observe(ms / 1000))
    this.#gauge('chanop_http_streams', 'Open streams', [], gauge => gauge.set(streams()))
    this.#messages()
    this.#networks()
    this.#models()
  }

  /** A number of the ledger, looked up when it is asked for. */
  #gauge<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    lookUp: (gauge: Gauge<L>, once: Once, nowMs: number) => void,
  ): void {
    const gauge = new Gauge<L>({ name, help, labelNames, registers: [this.#registry] })
    this.#lookUps.push((once, nowMs) => {
      gauge.reset()
      lookUp(gauge, once, nowMs)
    })
  }

  #messages(): void {
    const { ledger } = this.#interior
    this.#gauge('chanop_facts_total', 'Facts in the record', [], gauge => gauge.set(ledger.newestSeq()))
    for (const what of ['delivery', 'turn', 'orders', 'audit'] as const) {
      this.#gauge(`chanop_${what}_rows_total`, `Rows of ${what} that were ever made`, [], (gauge, once) =>
        gauge.set(once(tx => everMade(tx, what))),
      )
    }
    this.#gauge('chanop_deliveries', 'Open deliveries', ['state'], (gauge, once) => {
      for (const state of open.deliveries) gauge.set({ state }, 0)
      for (const { state, count } of once(openDeliveries)) gauge.set({ state }, count)
    })
    this.#gauge(
      'chanop_delivery_oldest_seconds',
      'Age of the oldest open delivery',
      ['state'],
      (gauge, once, nowMs) => {
        for (const state of open.deliveries) gauge.set({ state }, 0)
        for (const { state, oldestMs } of once(openDeliveries)) gauge.set({ state }, (nowMs - oldestMs) / 1000)
      },
    )
    this.#gauge('chanop_turns', 'Open turns of the oracle', ['state'], (gauge, once) => {
      for (const state of openTurns) gauge.set({ state }, 0)
      for (const { state, count } of once(openTurnsByState)) gauge.set({ state }, count)
    })
    this.#gauge('chanop_consumer_lag', 'Facts that a consumer has not read yet', ['consumer'], (gauge, once) => {
      for (const { consumer, facts } of once(consumerLags)) gauge.set({ consumer }, facts)
    })
  }

  #networks(): void {
    const { settings } = this.#interior
    const known = (once: Once) =>
      once(networkStatuses).filter(({ network }) => Object.hasOwn(settings().networks, network))
    this.#gauge('chanop_network_up', '1: the network is connected', ['network'], (gauge, once) => {
      for (const { network, state } of known(once)) gauge.set({ network }, state === 'up' ? 1 : 0)
    })
    this.#gauge('chanop_network_troubles', 'Places of a network that do not work', ['network'], (gauge, once) => {
      for (const { network, troubles } of known(once)) gauge.set({ network }, troubles?.length ?? 0)
    })
  }

  #models(): void {
    this.#gauge('chanop_model_tokens_total', 'Tokens that models read and wrote', ['model', 'kind'], (gauge, once) => {
      for (const { model, inputTokens, outputTokens, cachedTokens } of once(spentByModel)) {
        gauge.set({ model, kind: 'input' }, inputTokens)
        gauge.set({ model, kind: 'output' }, outputTokens)
        gauge.set({ model, kind: 'cached' }, cachedTokens)
      }
    })
    this.#gauge('chanop_model_usd_total', 'US dollars that models cost', ['model'], (gauge, once) => {
      for (const { model, costMicroUsd } of once(spentByModel)) gauge.set({ model }, costMicroUsd / 1e6)
    })
    this.#gauge('chanop_model_tries_total', 'Requests to models', ['model'], (gauge, once) => {
      for (const { model, tries } of once(spentByModel)) gauge.set({ model }, tries)
    })
  }

  /** A request was answered. */
  answered(route: string, method: string, status: number, seconds: number): void {
    this.#requests.inc({ route, method, status })
    this.#durations.observe({ route, method }, seconds)
  }

  async text(): Promise<{ readonly type: string; readonly text: string }> {
    this.#interior.ledger.readNow(tx => {
      const once = onceIn(tx)
      const nowMs = Date.now()
      for (const lookUp of this.#lookUps) lookUp(once, nowMs)
    })
    return { type: this.#registry.contentType, text: await this.#registry.metrics() }
  }

  close(): void {
    this.#off()
    this.#registry.clear()
  }
}
