import type { Config } from '../../../config/schema.ts'
import { asChanopError } from '../../../core/error.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import {
  type Completion,
  completionHolders,
  failCompletionsOf,
  queuedCompletions,
  stoppingCompletions,
  takeCompletion,
} from '../../../core/ledger/oracle/completions.ts'
import type { Log } from '../../../core/log.ts'
import { oracleModel } from '../../../core/passed-on.ts'
import { processLives, processName } from '../../../core/process/process-name.ts'
import type { Models } from '../models/contract.ts'
import type { ConfiguredModels } from '../models/models.ts'
import { passOn } from './passing.ts'
import { requestFor } from './prompt.ts'
import { endingOf, Pieces } from './voice.ts'

const atOnce = 200
const lookMs = 1000

export interface CompletionsOptions {
  readonly ledger: Ledger
  readonly log: Log
  readonly models: Models
  /** Those that programs may use as they are. */
  readonly configured: Pick<ConfiguredModels, 'pass'>
  readonly config: () => Config
  readonly signal: AbortSignal
}

/**
 * Answers what programs ask beside the conversation (a title, a few tags), and passes on what they ask of models as they are:
 * no fact, no turn, no memory. What its process leaves behind when it dies has failed: who asked may ask again.
 */
export class Completions {
  readonly #o: CompletionsOptions
  readonly #holder = processName()
  readonly #running = new Map<number, AbortController>()

  constructor(options: CompletionsOptions) {
    this.#o = options
  }

  async start(): Promise<void> {
    const { ledger, signal } = this.#o
    await ledger.write(tx => {
      for (const holder of completionHolders(tx)) if (!processLives(holder)) failCompletionsOf(tx, holder, Date.now())
    })
    const timer = setInterval(() => this.look(), lookMs)
    signal.addEventListener('abort', () => clearInterval(timer), { once: true })
    this.look()
  }

  /** There may be something to take up, or to stop. */
  look(): void {
    const { ledger, log, signal } = this.#o
    if (signal.aborted) return
    try {
      const { queued, stopping } = ledger.readNow(tx => ({
        queued: queuedCompletions(tx, atOnce - this.#running.size),
        stopping: this.#running.size > 0 ? stoppingCompletions(tx, this.#holder) : [],
      }))
      for (const id of stopping) this.#running.get(id)?.abort()
      for (const completion of queued) {
        if (ledger.mark(tx => takeCompletion(tx, completion.id, this.#holder))) void this.#run(completion)
      }
    } catch (error) {
      log.warn({ error }, `what programs ask waits: ${asChanopError(error).message}`)
    }
  }

  async #run(completion: Completion): Promise<void> {
    const { ledger, log, signal, configured } = this.#o
    const end = new AbortController()
    this.#running.set(completion.id, end)
    const failed = (error: unknown): void => log.error({ error }, 'a request of a program failed')
    try {
      if (completion.model === oracleModel) await this.#answer(completion, AbortSignal.any([signal, end.signal]))
      else await passOn({ ledger, configured, failed, closing: signal }, completion, end.signal)
    } catch (error) {
      log.error({ error, completion: completion.id }, `an answer to a program is lost: ${asChanopError(error).message}`)
    } finally {
      this.#running.delete(completion.id)
    }
  }

  async #answer(completion: Completion, signal: AbortSignal): Promise<void> {
    const { ledger, models, config } = this.#o
    const pieces = new Pieces(ledger, completion.id)
    const ending = await this.#speak({ models, config }, completion, pieces, signal)
    await pieces.silence()
    await ledger.write(tx => pieces.end(tx, ending, Date.now()))
  }

  async #speak(
    tools: Pick<CompletionsOptions, 'models' | 'config'>,
    completion: Completion,
    pieces: Pieces,
    signal: AbortSignal,
  ) {
    try {
      const request = await requestFor({ ...tools, mind: null }, completion, null)
      for await (const part of tools.models.stream(request, signal)) {
        if (part.kind === 'text') pieces.push(part.text)
        else if (part.kind === 'restart') pieces.restart()
        else return endingOf(part)
      }
      return endingOf(null)
    } catch (thrown) {
      const { code, message } = asChanopError(thrown)
      if (code === 'internal') this.#o.log.error({ error: thrown }, 'an answer to a program failed')
      return endingOf(null, {
        code,
        message: code === 'internal' ? 'the answer failed; the log of oracle says why' : message,
      })
    }
  }
}
