/** The client line by line: what stdin holds is said, what arrives is printed. For pipes and scripts. */
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Line } from '../../adapters/irc/text/line.ts'
import { ChanopError } from '../../core/error.ts'
import { sleep } from '../../core/retry.ts'
import { act } from './act.ts'
import type { Target } from './endpoint.ts'
import type { Entry } from './entry.ts'
import { follow, refusalOf } from './follow.ts'
import { withoutFormat } from './format.ts'
import { readInput } from './input.ts'
import { Session } from './session.ts'
import { clean } from './style.ts'
import { Windows } from './windows.ts'

export interface LinesOptions {
  readonly target: Target
  readonly prefix: string
  /** Names of the bots' commands. */
  readonly commands: readonly string[]
  readonly input: Readable
  /** How long answers are waited for; null: until they pause. */
  readonly waitMs: number | null
  readonly out: (line: string) => void
  readonly err: (line: string) => void
}

/** Answers that follow one another faster than this belong together. */
const quietMs = 700
const longestMs = 2000
const joinMs = 15_000

/** `#general <admin> text`, one line for each line of the text, without looks or anything a terminal would act on. */
export function printed(window: string, { kind, from, text }: Entry): string[] {
  const where = clean(window === '' ? 'server' : window)
  const who = clean(from)
  const head = kind === 'notice' ? `-${who}-` : kind === 'action' ? `* ${who}` : `<${who}>`
  return text.split('\n').map(line => `${where} ${head} ${clean(withoutFormat(line))}`)
}

export class Lines {
  readonly #options: LinesOptions
  readonly #windows = new Windows()
  readonly #session: Session
  readonly #stop = new AbortController()
  readonly #joined = Promise.withResolvers<void>()
  #heardMs = 0
  #saidMs = 0
  #refused = false

  constructor(options: LinesOptions) {
    this.#options = options
    this.#session = new Session(options.target, {
      line: (line, past) => this.#line(line, past),
      ready: nick => {
        this.#windows.nick = nick
      },
      down: (reason, retryMs) => options.err(clean(`${reason}; trying again in ${Math.ceil(retryMs / 1000)} s`)),
    })
  }

  /** Resolves when everything was said and answered; false when a line was refused. Rejects when it refuses us. */
  async run(signal: AbortSignal): Promise<boolean> {
    const stop = AbortSignal.any([signal, this.#stop.signal])
    const home = this.#options.target.channels[0] ?? ''
    this.#windows.show(this.#windows.open(home))
    const session = this.#session.run(stop)
    const late = AbortSignal.timeout(joinMs)
    late.addEventListener('abort', () =>
      this.#joined.reject(new ChanopError('network-down', `${home} could not be joined in time`)),
    )
    const work = this.#joined.promise.then(() => this.#talk(stop))
    try {
      await Promise.race([work, session])
    } finally {
      this.#stop.abort()
      await session
    }
    return !this.#refused
  }

  #line(line: Line, past: boolean): void {
    const placed = follow(line, past, this.#windows)
    const home = this.#options.target.channels[0] ?? ''
    if (placed && !placed.entry.own && placed.window !== '') {
      for (const text of printed(placed.window, placed.entry)) this.#options.out(text)
      if (!past) this.#heardMs = performance.now()
    }
    if (line.command === '366' && this.#windows.fold(line.params[1] ?? '') === this.#windows.fold(home))
      this.#joined.resolve()
    const refusal = past ? null : refusalOf(line)
    if (refusal && this.#session.ready) this.#refuse(refusal, home)
  }

  #refuse({ about, text }: { about: string; text: string }, home: string): void {
    this.#refused = true
    this.#options.err(clean(text))
    if (this.#windows.fold(about) === this.#windows.fold(home))
      this.#joined.reject(new ChanopError('network-refused', clean(text)))
  }

  async #talk(stop: AbortSignal): Promise<void> {
    const lines = createInterface({ input: this.#options.input, crlfDelay: Number.POSITIVE_INFINITY, signal: stop })
    for await (const line of lines) {
      await this.#say(line, stop)
      if (stop.aborted) return
    }
    await this.#answers(stop)
  }

  /** One line at a time, each taken by the server before the next: a long file is no flood. */
  async #say(line: string, stop: AbortSignal): Promise<void> {
    while (!this.#session.ready && !stop.aborted) await sleep(50, stop)
    const { prefix, commands, err } = this.#options
    const action = readInput(line, prefix, commands)
    if (!action) return
    this.#saidMs = performance.now()
    const done = act(action, {
      session: this.#session,
      windows: this.#windows,
      prefix,
      remark: text => err(clean(text)),
      quit: () => this.#stop.abort(),
    })
    this.#refused ||= !done
    if ((await this.#session.flush()) || stop.aborted) return
    this.#refused = true
    err(clean(`the connection broke; this line may not have arrived: ${line}`))
  }

  /** As long as was asked for, else up to `longestMs` and no longer than until a pause after the first answer. */
  async #answers(stop: AbortSignal): Promise<void> {
    const { waitMs } = this.#options
    const endMs = performance.now() + (waitMs ?? longestMs)
    for (;;) {
      const nowMs = performance.now()
      const answered = this.#heardMs >= this.#saidMs
      const untilMs = waitMs === null && answered ? Math.min(endMs, this.#heardMs + quietMs) : endMs
      if (nowMs >= untilMs || stop.aborted) return
      await sleep(Math.min(untilMs - nowMs, 100), stop)
    }
  }
}
