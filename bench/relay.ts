/** Relay between two real IRC servers, through the whole system. The floor is the first server alone, for the same messages. */
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import type { Instance } from '../test/instance.ts'
import { quantile, say, spread, whole } from './figures.ts'
import { megabytes, type Usage, usage } from './processes.ts'
import { lineOf, numberIn, Talker } from './talk.ts'

/** Sixty seconds without anything new: the rest is lost. */
const patienceMs = 60_000
/** What a flood leaves behind is given back some seconds after it. */
const restMs = 20_000

/** One listener's arrivals, in the order in which they came. */
class Arrivals {
  readonly order: number[] = []
  readonly atMs: number[] = []
  #from = 0

  readonly take = (line: string, atMs: number): void => {
    const n = numberIn(line)
    if (n < this.#from) return
    this.order.push(n)
    this.atMs.push(atMs)
  }

  /** Forgets everything; numbers below are of earlier runs. */
  begin(from: number): void {
    this.#from = from
    this.order.length = 0
    this.atMs.length = 0
  }

  get doubled(): number {
    return this.order.length - new Set(this.order).size
  }

  get disordered(): number {
    return this.order.filter((n, index) => index > 0 && n < (this.order[index - 1] as number)).length
  }

  latencies(sentMs: readonly number[], from: number): number[] {
    return this.order.map((n, index) => (this.atMs[index] as number) - (sentMs[n - from] as number))
  }
}

export interface Paced {
  readonly floorMs: readonly number[]
  readonly relayedMs: readonly number[]
  readonly bridgeCpuMs: number
}

export interface Throughput {
  readonly perSecond: number
  readonly lost: number
  readonly doubled: number
  readonly disordered: number
  /** CPU per 1,000 messages, by process. */
  readonly cpuMs: ReadonlyMap<string, number>
}

const cpuOf = (all: readonly Usage[]): Map<number, Usage> => new Map(all.map(one => [one.pid, one]))

/** The people on both sides of one instance. */
export class RelayBench {
  readonly #instance: Instance
  readonly #speaker: Talker
  readonly #near: Arrivals
  readonly #far: Arrivals
  #next = 0

  private constructor(instance: Instance, speaker: Talker, near: Arrivals, far: Arrivals) {
    this.#instance = instance
    this.#speaker = speaker
    this.#near = near
    this.#far = far
  }

  static async enter(instance: Instance): Promise<RelayBench> {
    const [near, far] = [new Arrivals(), new Arrivals()]
    const speaker = new Talker(await instance.account('irc', 'speaker'), instance.channel, () => undefined)
    const listeners = [
      new Talker(await instance.account('irc', 'nearby'), instance.channel, near.take),
      new Talker(await instance.account('ext', 'faraway'), instance.channel, far.take),
    ]
    await Promise.all([speaker, ...listeners].map(one => one.entered))
    return new RelayBench(instance, speaker, near, far)
  }

  async #arrived(count: number): Promise<void> {
    let seen = -1
    for (let sinceMs = performance.now(); this.#far.order.length < count; await wait(5)) {
      if (this.#far.order.length !== seen) sinceMs = performance.now()
      seen = this.#far.order.length
      if (performance.now() - sinceMs > patienceMs) return
    }
    await wait(200)
  }

  #begin(): number {
    this.#near.begin(this.#next)
    this.#far.begin(this.#next)
    return this.#next
  }

  /** Evenly paced messages. */
  async paced(perSecond: number, count: number): Promise<Paced> {
    const from = this.#begin()
    const sentMs: number[] = []
    const before = cpuOf(usage(this.#instance.data))
    const beganMs = performance.now()
    for (let n = 0; n < count; n++) {
      const dueMs = beganMs + (n * 1000) / perSecond
      while (performance.now() < dueMs) await wait(Math.max(0, dueMs - performance.now() - 0.5))
      sentMs.push(performance.now())
      this.#speaker.say(lineOf(this.#next++))
    }
    await this.#arrived(count)
    const bridge = usage(this.#instance.data).find(({ name }) => name === 'bridge')
    return {
      floorMs: this.#near.latencies(sentMs, from),
      relayedMs: this.#far.latencies(sentMs, from),
      bridgeCpuMs: bridge ? bridge.cpuMs - (before.get(bridge.pid)?.cpuMs ?? 0) : Number.NaN,
    }
  }

  /** As many as get through, with at most `window` under way from end to end. */
  async full(count: number, window: number): Promise<Throughput> {
    this.#begin()
    const before = cpuOf(usage(this.#instance.data))
    const beganMs = performance.now()
    for (let n = 0; n < count; n++) {
      while (n - this.#far.order.length >= window) await turn()
      this.#speaker.say(lineOf(this.#next++))
      if (n % 50 === 0) await turn()
    }
    await this.#arrived(count)
    const tookMs = (this.#far.atMs.at(-1) ?? Number.NaN) - beganMs
    const cpuMs = new Map<string, number>()
    for (const { pid, name, cpuMs: now } of usage(this.#instance.data)) {
      const spentMs = now - (before.get(pid)?.cpuMs ?? now)
      cpuMs.set(name, (cpuMs.get(name) ?? 0) + (spentMs * 1000) / count)
    }
    const { doubled, disordered } = this.#far
    return {
      perSecond: (count * 1000) / tookMs,
      lost: count - new Set(this.#far.order).size,
      doubled,
      disordered,
      cpuMs,
    }
  }

  /** Messages of this run so far. */
  get said(): number {
    return this.#next
  }
}

export interface RelayOptions {
  readonly runs: number
  readonly messages: number
}

function printPaced(perSecond: number, { floorMs, relayedMs, bridgeCpuMs }: Paced): void {
  say(`  ${whole(perSecond)} per second: server alone`, spread(floorMs))
  const ratio = quantile(relayedMs, 0.5) / quantile(floorMs, 0.5)
  say(`  ${whole(perSecond)} per second: relayed`, `${spread(relayedMs)}; p50 ${ratio.toFixed(1)} × the floor`)
  say('', `bridge ${((bridgeCpuMs * 1000) / relayedMs.length).toFixed(0)} ms CPU per 1,000 messages`)
}

function sayMemory(instance: Instance, when: string): void {
  const bridge = usage(instance.data).find(({ name }) => name === 'bridge')
  if (bridge) say(`  bridge, memory ${when}`, `${megabytes(bridge.rssBytes)}, ${megabytes(bridge.peakBytes)} at most`)
}

export async function benchRelay(instance: Instance, { runs, messages }: RelayOptions): Promise<void> {
  const bench = await RelayBench.enter(instance)
  await bench.full(5000, 500)
  for (let run = 1; run <= runs; run++) {
    console.log(`relay, run ${run} of ${runs}`)
    printPaced(10, await bench.paced(10, 200))
    printPaced(1000, await bench.paced(1000, 10_000))
    const { perSecond, lost, doubled, disordered, cpuMs } = await bench.full(messages, 2000)
    say(
      '  as fast as it goes',
      `${whole(perSecond)} per second; ${lost} lost, ${doubled} doubled, ${disordered} out of order`,
    )
    const parts = [...cpuMs].filter(([, ms]) => ms >= 1).map(([name, ms]) => `${name} ${ms.toFixed(0)}`)
    say('  CPU ms per 1,000 messages', parts.join(', '))
    sayMemory(instance, 'at once')
    await wait(restMs)
    sayMemory(instance, `after ${restMs / 1000} s of rest`)
  }
}
