/** Keeps one program running: starts it again whatever ended it, and says why in one line, not in a storm of them. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { asChanopError } from '../../../core/error.ts'
import { linesOf } from '../../../core/lines.ts'
import type { Log } from '../../../core/log.ts'
import { backoffMs, sleep } from '../../../core/retry.ts'
import { explain, lacksListener } from './faults.ts'
import { type Launch, start } from './launch.ts'

const restartBackoff = { firstMs: 100, maxMs: 5000 } as const
/** A fault that somebody has to cure is looked at again this often, and said at most once a minute. */
const lastingFaultMs = 2000
const repeatMs = 60_000
/** A predecessor that was told to end may hold its lock, or its port, for some milliseconds yet. */
const patientAttempts = 5
/** What it printed longer ago has nothing to do with its end. */
const lastWordsMs = 60_000
const mostLines = 200

interface Printed {
  readonly line: string
  readonly atMs: number
}

export interface KeeperHooks {
  /** Before each start; a rejection counts as a lasting fault. */
  readonly before?: () => Promise<void>
  /**
   * It runs. The signal aborts when it ends. Resolves once it serves, which makes the backoff begin anew; rejects when it
   * is of no use: it is then ended and started again.
   */
  readonly started?: (ended: AbortSignal) => Promise<void>
  readonly ended?: () => void
  readonly printed?: (line: string) => void
  /** Takes secrets out of a line that it printed. */
  readonly hide?: (line: string) => string
  /** Looks at what it printed in the minute before a failure; true when the cause was cured, so that it can be started at once. */
  readonly cure?: (printed: readonly string[]) => Promise<boolean>
}

export class Keeper {
  readonly #launch: Launch
  readonly #log: Log
  readonly #hooks: KeeperHooks
  readonly #said = new Map<string, number>()
  #child: ChildProcess | null = null
  #attempt = 0
  /** It ends because we told it to: nothing to report, and no reason to wait before the next start. */
  #asked = false

  constructor(launch: Launch, log: Log, hooks: KeeperHooks = {}) {
    this.#launch = launch
    this.#log = log
    this.#hooks = hooks
  }

  /** Resolves when `signal` has aborted and the program is gone. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const lasting = await this.#once(signal)
      if (signal.aborted) return
      if (lasting === 'asked') continue
      await sleep(lasting ? lastingFaultMs : backoffMs(restartBackoff, this.#attempt), signal)
      this.#attempt += 1
    }
  }

  /** Ends the program as it should be ended, and by force if it does not go. It is started again unless `run` is over. */
  async end(graceMs = 5000): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    this.#asked = true
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), graceMs)
    await gone
    clearTimeout(late)
  }

  /** Runs it until it ends; true when a fault is there that somebody has to cure. */
  async #once(signal: AbortSignal): Promise<boolean | 'asked'> {
    try {
      await this.#hooks.before?.()
    } catch (error) {
      this.#say(`${this.#launch.name}: ${asChanopError(error).message}`)
      return true
    }
    if (signal.aborted) return false
    const child = await start(this.#launch)
    const printed: Printed[] = []
    this.#collect(child, printed)
    const failed = new Promise<void>(resolve =>
      child.once('error', ({ message: line }) => (printed.push({ line, atMs: Date.now() }), resolve())),
    )
    // 'close' comes after the last line has been read.
    const closed = once(child, 'close')
    this.#child = child
    const ended = new AbortController()
    const stop = (): void => void this.end()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    // Not waited for when the program ends: what asks a dead server for something may take seconds to see it.
    void this.#serve(ended.signal)
    await Promise.race([closed, failed])
    this.#child = null
    signal.removeEventListener('abort', stop)
    ended.abort()
    this.#hooks.ended?.()
    const asked = this.#asked
    this.#asked = false
    if (asked) return 'asked'
    const words = printed.flatMap(({ line, atMs }) => (Date.now() - atMs < lastWordsMs ? line : []))
    if (signal.aborted || (await this.#hooks.cure?.(words))) return false
    const fault = explain(this.#launch.name, words, child.exitCode, child.signalCode)
    const lasting = fault.lasting && this.#attempt >= (child.exitCode === 75 ? patientAttempts : 0)
    if (lasting || !fault.lasting) this.#say(fault.line)
    return lasting
  }

  async #serve(ended: AbortSignal): Promise<void> {
    try {
      await this.#hooks.started?.(ended)
      if (!ended.aborted) this.#attempt = 0
    } catch (error) {
      if (ended.aborted) return
      this.#say(`${this.#launch.name}: ${asChanopError(error).message}`)
      await this.end()
    }
  }

  #collect(child: ChildProcess, printed: Printed[]): void {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue
      linesOf(stream).on('line', raw => {
        const line = this.#hooks.hide?.(raw) ?? raw
        this.#log.debug({ program: this.#launch.name }, line)
        this.#hooks.printed?.(line)
        printed.push({ line, atMs: Date.now() })
        if (printed.length > mostLines) printed.shift()
        if (this.#launch.listens && lacksListener(line)) child.kill('SIGTERM')
      })
    }
  }

  #say(line: string): void {
    const now = Date.now()
    if (now - (this.#said.get(line) ?? 0) < repeatMs) return
    this.#said.set(line, now)
    this.#log.error(line)
  }
}
