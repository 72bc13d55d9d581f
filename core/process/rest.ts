/**
 * After a flood V8 keeps the pages that it needed then, mostly empty: a process that came to rest gives them back. That stops it once,
 * for some hundredths of a second.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { usedNowMs } from './compilers.ts'

/** Of each second: a bot at rest uses 2 to 5 ms, on a slow machine twice as much. */
const restMs = 30
/** Seconds of rest after which no more of the flood is expected. */
const quietLooks = 5
/** What a bot has that was never flooded is not worth a stop. */
const leastBytes = 40 * 2 ** 20

type Collect = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void

/** Frees what nobody uses, and gives its pages back; code stays, or what comes next would be slow. */
function collect(): void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as Collect
  setFlagsFromString('--no-expose-gc')
  setFlagsFromString('--no-flush-bytecode')
  gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  setFlagsFromString('--flush-bytecode')
}

export const heapBytes = (): number => getHeapStatistics().total_heap_size

export class Rest {
  readonly #collect: () => void
  #usedMs = 0
  #quiet = 0
  /** What V8 had after the last time: as much and half of it again is no flood. */
  #keptBytes = leastBytes / 1.5

  constructor(collected = collect) {
    this.#collect = collected
  }

  /** To be called once a second. `usedMs`: CPU time so far; `hasBytes`: what V8 holds of memory for its objects. */
  look(usedMs = usedNowMs(), hasBytes = heapBytes): void {
    this.#quiet = usedMs - this.#usedMs < restMs ? this.#quiet + 1 : 0
    this.#usedMs = usedMs
    if (this.#quiet !== quietLooks || hasBytes() < 1.5 * this.#keptBytes) return
    this.#collect()
    this.#keptBytes = Math.max(hasBytes(), leastBytes / 1.5)
  }
}
