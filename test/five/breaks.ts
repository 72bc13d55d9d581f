/** Kills the bridge and Redis, breaks connections and loses answers, at moments that a seed repeats. */
import type { RedisServer } from '../../core/bus/testing.ts'
import { sleep } from '../../core/retry.ts'
import { randomFrom } from '../kill/killer.ts'
import type { BridgeProcess } from './process.ts'
import type { Side } from './sides.ts'

export interface Blow {
  /** `bridge`, `redis`, `redis files`, `cut dc`, `lose sl` and the like. */
  readonly what: string
  readonly atMs: number
}

export interface BreakOptions {
  readonly bridge: BridgeProcess
  readonly redis: RedisServer
  readonly sides: readonly Side[]
  readonly blows: number
  readonly everyMs: number
  readonly seed: number
  told(blow: Blow): void
}

export class Breaks {
  readonly blows: Blow[] = []
  readonly #o: BreakOptions
  readonly #random: () => number
  readonly #deeds: ReadonlyMap<string, () => void | Promise<void>>
  #bag: string[] = []
  #bridge: Promise<void> = Promise.resolve()
  #redis: Promise<void> = Promise.resolve()

  constructor(options: BreakOptions) {
    this.#o = options
    this.#random = randomFrom(options.seed)
    this.#deeds = new Map([
      ['bridge', () => this.#killBridge()],
      ['redis', () => this.#harmRedis(() => options.redis.kill().then(() => options.redis.start()))],
      ['redis files', () => this.#harmRedis(() => options.redis.lose())],
      ...options.sides.flatMap(side => [
        [`cut ${side.network}`, () => side.offline(() => Promise.resolve())] as const,
        [`lose ${side.network}`, () => side.loseAnswer()] as const,
      ]),
    ])
  }

  /** Resolves after the last blow, with everything back; rejects when something killed does not come back. */
  async run(signal: AbortSignal): Promise<void> {
    for (let n = 0; n < this.#o.blows && !signal.aborted; n++) {
      await sleep(this.#o.everyMs * (0.4 + 1.2 * this.#random()), signal)
      const what = this.#draw()
      const blow = { what, atMs: Date.now() }
      this.blows.push(blow)
      this.#o.told(blow)
      await this.#deeds.get(what)?.()
    }
    await Promise.all([this.#bridge, this.#redis])
  }

  /** Every kind once before any comes again; the bridge in each third of that. */
  #draw(): string {
    if (this.#bag.length === 0) this.#bag = [...this.#deeds.keys(), 'bridge', 'bridge']
    return this.#bag.splice(Math.floor(this.#random() * this.#bag.length), 1)[0] as string
  }

  /** Also while it starts. What was in its memory is gone; it is brought back at once. */
  async #killBridge(): Promise<void> {
    await this.#o.bridge.kill()
    this.#bridge = watched(this.#o.bridge.start())
  }

  async #harmRedis(harm: () => Promise<void>): Promise<void> {
    await this.#redis
    this.#redis = watched(harm())
  }
}

/** Looked at in `run`; until then a rejection is nobody's. */
function watched(work: Promise<void>): Promise<void> {
  work.catch(() => undefined)
  return work
}
