/**
 * V8's compilers are off until a bot has work. What runs once is interpreted, and kept small: that is most of a start, and a bot at rest
 * then never reads the code of the compilers (10 MB) nor has code of theirs (6 MB).
 *
 * The flags are changed while the process runs, and not on its command line: V8 prepares its compilers when it begins (Maglev would stay
 * without its thread for good), Node.js leaves flags open to change (`--no-freeze-flags-after-init`), V8 reads these ones each time
 * it decides about a function, and compiled code that is kept in files goes by the flags with which the process began.
 */
import { setFlagsFromString } from 'node:v8'

const compilers = ['sparkplug', 'maglev', 'opt']
/** Of each second: a bot at rest uses 2 to 5 ms, one that relays ten lines in it 40. */
const restMs = 10
/** More than rest, in all: what a bot does for the start of the others is less. */
const workMs = 200
/** A start is no work, but what takes longer than that is. */
const startMs = 10_000

export function interpretOnly(): void {
  for (const name of compilers) setFlagsFromString(`--no-${name}`)
  setFlagsFromString('--optimize-for-size')
}

function compileAgain(): void {
  for (const name of compilers) setFlagsFromString(`--${name}`)
  setFlagsFromString('--no-optimize-for-size')
}

/** CPU time of this process so far. */
export function usedNowMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Sees to it that a process that works is compiled: within a second of much work, and some seconds of little. */
export class Compiling {
  #usedMs: number | null = null
  #workMs = 0

  /** What the process does from here on is no start. `usedMs`: its CPU time so far. */
  begin(usedMs = usedNowMs()): void {
    this.#usedMs = usedMs
  }

  /** To be called once a second. Returns whether what runs often is compiled from here on. */
  look(usedMs = usedNowMs(), uptimeMs = process.uptime() * 1000): boolean {
    if (this.#workMs > workMs) return true
    if (this.#usedMs === null && uptimeMs < startMs) return false
    const spentMs = usedMs - (this.#usedMs ?? usedMs)
    this.#usedMs = usedMs
    this.#workMs = Math.max(0, this.#workMs + spentMs - restMs)
    if (this.#workMs <= workMs) return false
    compileAgain()
    return true
  }
}
