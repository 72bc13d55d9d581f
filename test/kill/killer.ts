/** Kills parts of the system with SIGKILL at random moments that a seed repeats. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sleep } from '../../core/retry.ts'
import { type Instance, killNow, until } from '../instance.ts'

export const targets = ['bridge', 'scribe', 'admin', 'redis', 'ircd', 'ext'] as const
export type Target = (typeof targets)[number]

export interface Blow {
  readonly target: Target | 'FLUSHALL' | 'Redis files'
  readonly atMs: number
  readonly pid: number
}

/** Reproducible numbers in [0, 1): mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const comesBackMs = 30_000

export interface KillerOptions {
  readonly instance: Instance
  readonly kills: number
  readonly seed: number
  /** Between two blows, on average. */
  readonly everyMs: number
  told(blow: Blow): void
}

export class Killer {
  readonly blows: Blow[] = []
  readonly #o: KillerOptions
  readonly #random: () => number
  #restarting: Promise<void> = Promise.resolve()
  #bag: Target[] = []

  constructor(options: KillerOptions) {
    this.#o = options
    this.#random = randomFrom(options.seed)
  }

  get kills(): number {
    return this.blows.filter(({ target }) => targets.some(name => name === target)).length
  }

  /** Resolves after the last kill; rejects when something killed does not come back. */
  async run(signal: AbortSignal): Promise<void> {
    for (let n = 0; n < this.#o.kills && !signal.aborted; n++) {
      await sleep(this.#o.everyMs * (0.4 + 1.2 * this.#random()), signal)
      if (signal.aborted) break
      await this.#kill(this.#draw())
      if (n % targets.length === 2) await this.#flush()
      if (n % targets.length === 4) await this.#deleteFiles()
    }
    await this.#restarting
  }

  /** Every target once before any comes again. */
  #draw(): Target {
    if (this.#bag.length === 0) this.#bag = [...targets]
    return this.#bag.splice(Math.floor(this.#random() * this.#bag.length), 1)[0] as Target
  }

  #note(target: Blow['target'], pid: number): void {
    const blow = { target, pid, atMs: Date.now() }
    this.blows.push(blow)
    this.#o.told(blow)
  }

  async #kill(target: Target): Promise<void> {
    const { instance } = this.#o
    if (target === 'ext') return this.#killExternal()
    await until(`${target} to kill`, comesBackMs, async () => {
      const pid =
        target === 'redis'
          ? await instance.redisPid()
          : target === 'ircd'
            ? instance.ircd()
            : ((await instance.bot(target))?.pid ?? Number.NaN)
      if (!killNow(pid)) return false
      this.#note(target, pid)
      return true
    })
  }

  /** Nobody but us brings this one back. */
  async #killExternal(): Promise<void> {
    const { external } = this.#o.instance
    if (!external) return
    await this.#restarting
    this.#note('ext', 0)
    await external.kill('SIGKILL')
    this.#restarting = external.restart()
    // Looked at in `run`; until then a rejection is nobody's.
    this.#restarting.catch(() => undefined)
  }

  async #flush(): Promise<void> {
    await until('FLUSHALL', comesBackMs, () =>
      this.#o.instance.redis('FLUSHALL').then(
        text => text.startsWith('+OK'),
        () => false,
      ),
    )
    this.#note('FLUSHALL', 0)
  }

  /** The folder of its files goes; then Redis itself, so that it starts without them. */
  async #deleteFiles(): Promise<void> {
    const folder = join(this.#o.instance.data, 'redis')
    const pid = await until('Redis', comesBackMs, async () => (await this.#o.instance.redisPid()) || false)
    await rm(join(folder, 'appendonlydir'), { recursive: true, force: true })
    await rm(join(folder, 'dump.rdb'), { force: true })
    this.#note('Redis files', pid)
    killNow(pid)
  }
}
