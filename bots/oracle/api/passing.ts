import { asChanopError } from '../../../core/error.ts'
import { given } from '../../../core/given.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { addPart, type Completion, type Ending, endCompletion } from '../../../core/ledger/oracle/completions.ts'
import { type PassedOn, passedOnSchema } from '../../../core/passed-on.ts'
import type { ModelEnd, RawPart } from '../models/contract.ts'
import type { ConfiguredModels } from '../models/models.ts'
import { isTooLong } from '../models/request/fault.ts'
import { endingOf } from './voice.ts'

/** The first chunk goes at once, those that follow together. */
const everyMs = 40

/** Hands the chunks of an answer to the process in which its program waits. */
class Chunks {
  readonly #ledger: Ledger
  readonly #id: number
  #waiting: unknown[] = []
  #model = ''
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(ledger: Ledger, id: number) {
    this.#ledger = ledger
    this.#id = id
  }

  push({ chunk, model }: RawPart): void {
    this.#model = model
    this.#waiting.push(chunk)
    this.#timer ??= this.#soon()
  }

  #soon(): NodeJS.Timeout {
    this.#flush()
    return setTimeout(() => {
      this.#timer = undefined
      if (this.#waiting.length > 0) this.#timer = this.#soon()
    }, everyMs)
  }

  #flush(): void {
    const chunks = this.#waiting
    this.#waiting = []
    if (chunks.length > 0) this.#write({ chunks, model: this.#model })
  }

  restart(): void {
    this.#waiting = []
    this.#write({ restart: true })
  }

  #write(part: Parameters<typeof addPart>[2]): void {
    this.#writing = this.#writing.then(() => this.#ledger.write(tx => addPart(tx, this.#id, part), { durable: false }))
    this.#writing.catch(() => undefined)
  }

  /** What is left, and the end. Rejects when the ledger did not take it. */
  async end(ending: Ending): Promise<void> {
    clearTimeout(this.#timer)
    this.#flush()
    await this.#writing
    await this.#ledger.write(tx => endCompletion(tx, this.#id, ending, Date.now()), { durable: false })
  }
}

interface Tools {
  readonly ledger: Ledger
  readonly configured: Pick<ConfiguredModels, 'pass'>
  /** Something of ours went wrong. */
  readonly failed: (error: unknown) => void
  readonly closing: AbortSignal
}

/** Passes a request of a program on to the model that it names, and what comes back to the program. */
export async function passOn(tools: Tools, completion: Completion, stop: AbortSignal): Promise<void> {
  const { ledger, configured, failed, closing } = tools
  const signal = AbortSignal.any([stop, closing])
  const chunks = new Chunks(ledger, completion.id)
  const { person, room } = completion
  let ending: Ending
  try {
    const asked: PassedOn = passedOnSchema.parse(JSON.parse(completion.body))
    const end = await passed(configured.pass(completion.model, asked, { person, room }, signal), chunks)
    ending = endOf(end, closing.aborted ? interrupted : stopped)
  } catch (thrown) {
    const { code, message, afterMs } = asChanopError(thrown)
    if (code === 'internal') failed(thrown)
    const words = code === 'internal' ? 'the answer failed; the log of oracle says why' : message
    const error = { code: isTooLong(message) ? 'context-length' : code, message: words }
    ending = endingOf(null, afterMs === undefined ? error : { ...error, afterMs })
  }
  await chunks.end(ending)
}

async function passed(parts: ReturnType<ConfiguredModels['pass']>, chunks: Chunks): Promise<ModelEnd | null> {
  for await (const part of parts) {
    if (part.kind === 'raw') chunks.push(part)
    else if (part.kind === 'restart') chunks.restart()
    else if (part.kind === 'end') return part
  }
  return null
}

/** What came of it is no answer. */
const stopped = { code: 'stopped', message: 'this request was stopped' }
const interrupted = { code: 'model-failed', message: 'it was interrupted by a restart: ask again' }

function endOf(end: ModelEnd | null, broken: typeof stopped): Ending {
  if (end === null || end.finishReason === 'aborted') return { ...endingOf(end), error: broken }
  return { ...endingOf(end), ...given({ reported: end.reported }) }
}
