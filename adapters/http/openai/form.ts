import type { CompletionPart, Ending } from '../../../core/ledger/oracle/completions.ts'
import type { Problem } from '../problem.ts'
import { delta, done, errorChunk, type Head, sse, usageChunk, usageOf, whole } from './chunks.ts'
import { openAiError } from './errors.ts'
import { type Loose, Passed } from './passed.ts'

/** How an answer is written down for who asked, as it comes in. */
export interface Form {
  /** What a client may be sent before there is anything. */
  readonly opening: string
  /** A piece, as events; '' when there is nothing to say of it. */
  take(part: CompletionPart): string
  /** The last events. */
  last(ending: Ending): string
  /** Something went wrong when it had begun. */
  failed(problem: Problem): string
  /** What the stream is closed with. */
  readonly close: string
  /** All of it at once. */
  whole(ending: Ending): object
}

const anew = '\n\n(the model failed; from the beginning:)\n\n'

/** What the oracle says. */
export class Spoken implements Form {
  readonly opening: string
  readonly close = done
  readonly #head: Head
  readonly #withUsage: boolean
  #text = ''

  constructor(head: Head, withUsage: boolean) {
    this.#head = head
    this.#withUsage = withUsage
    this.opening = delta(head, { role: 'assistant', content: '' })
  }

  take(part: CompletionPart): string {
    const restarts = 'restart' in part
    if (restarts) this.#text = ''
    const text = 'text' in part ? part.text : restarts ? anew : ''
    if ('text' in part) this.#text += text
    return text === '' ? '' : delta(this.#head, { content: text })
  }

  failed(problem: Problem): string {
    return errorChunk(openAiError(problem))
  }

  last(ending: Ending): string {
    return delta(this.#head, {}, ending.finish) + (this.#withUsage ? usageChunk(this.#head, usageOf(ending)) : '')
  }

  whole(ending: Ending): object {
    return whole(this.#head, this.#text, ending)
  }
}

const finishes: Readonly<Partial<Record<Ending['finish'], string>>> = { length: 'length', refusal: 'content_filter' }

/** What a model answers, as it is. */
export class Passthrough implements Form {
  readonly opening = ': the model is asked\n\n'
  readonly close = done
  readonly #passed = new Passed()
  readonly #withUsage: boolean
  #head: Head

  constructor(head: Head, withUsage = false) {
    this.#head = head
    this.#withUsage = withUsage
  }

  take(part: CompletionPart): string {
    if ('restart' in part) this.#passed.restart()
    if (!('chunks' in part)) return ''
    this.#head = { ...this.#head, model: part.model }
    return part.chunks
      .map(chunk => this.#passed.take(chunk))
      .filter(chunk => chunk !== null)
      .map(chunk => sse({ ...this.#own('chat.completion.chunk'), ...chunk }))
      .join('')
  }

  #own(object: string): Loose {
    const { id, created, model } = this.#head
    return { id, object, created, model }
  }

  /** A service that was hung up on, at its limit or by its filter, has not said how it ended. */
  #finish({ finish }: Ending): string {
    return this.#passed.finish ?? finishes[finish] ?? 'stop'
  }

  failed(problem: Problem): string {
    return errorChunk(openAiError(problem))
  }

  last(ending: Ending): string {
    const { finish } = this.#passed
    const end = finish === null ? delta(this.#head, {}, ending.finish) : ''
    return end + (this.#withUsage ? usageChunk(this.#head, reported(ending)) : '')
  }

  whole(ending: Ending): object {
    const passed = this.#passed
    const choice = {
      index: 0,
      message: passed.message(),
      logprobs: passed.logprobs,
      finish_reason: this.#finish(ending),
    }
    return { ...this.#own('chat.completion'), ...passed.about, choices: [choice], usage: reported(ending) }
  }

  /** Embeddings, which come whole. */
  embeddings({ inputTokens }: Ending): object {
    const { data = [] } = (this.#passed.whole ?? {}) as Loose
    const usage = { prompt_tokens: inputTokens, total_tokens: inputTokens }
    return { object: 'list', data, model: this.#head.model, usage }
  }
}

/** What was used, as the service says it where it does. */
const reported = (ending: Ending): object => ({
  ...usageOf(ending),
  ...(typeof ending.reported === 'object' ? ending.reported : {}),
})
