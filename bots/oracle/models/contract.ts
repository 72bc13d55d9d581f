import type { PassedApi } from '../../../core/passed-on.ts'

/** What the oracle's engine asks of models. Only `bots/oracle/models` knows providers, prices and budgets. */

/** What a model is asked for: each may have models of its own (`models.tasks`). */
export const tasks = ['answer', 'summary', 'guard', 'memory'] as const
export type Task = (typeof tasks)[number]

export type ModelContent =
  | { readonly kind: 'text'; readonly text: string }
  /** `url`: a `data:` URL; a model that takes no images gets `text` instead. */
  | { readonly kind: 'image'; readonly url: string; readonly text: string }

export interface ModelMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string | readonly ModelContent[]
}

/** The words of a message; those that stand for its pictures too. */
export const wordsOf = (content: ModelMessage['content']): string =>
  typeof content === 'string' ? content : content.map(part => part.text).join('\n')

/** A request of a program, as it came: it goes on to a model with tools, pictures and whatever else is in it. */
export interface Brought {
  readonly api: PassedApi
  readonly body: Readonly<Record<string, unknown>>
  /** Who asked has what was passed on already: nothing of it can be taken back. */
  readonly streamed: boolean
}

export interface ModelRequest {
  /** System messages first, the question last: providers cache what stays the same from the beginning. */
  readonly messages: readonly ModelMessage[]
  readonly task: Task
  /** The room's name, `network:channel` of a place in none. */
  readonly room: string
  /** Who pays: see `spenderOf`. Null: nobody in particular (a summary, a check). */
  readonly person: string | null
  /** The row of the turn; null outside of one. */
  readonly turn: number | null
  /** false: nowhere where it is said are links previewed. */
  readonly previews?: boolean
  /** Never more than the model's own limit, which holds without it. */
  readonly maxOutputTokens?: number
  /** What goes out in the place of `messages`, which are only counted. */
  readonly brought?: Brought
}

export interface ModelUsage {
  readonly inputTokens: number
  readonly outputTokens: number
  /** Of `inputTokens`: what the provider had in its cache. */
  readonly cachedTokens: number
}

/** `length`: cut off, say so. `refusal`: the provider's filter, no fault. `aborted`: by the signal. */
export type FinishReason = 'stop' | 'length' | 'refusal' | 'aborted'

export interface ModelEnd {
  readonly kind: 'end'
  readonly finishReason: FinishReason
  /** The configured name of the model that answered last; '' when it was aborted before any was asked. */
  readonly model: string
  /** Of all tries together. */
  readonly usage: ModelUsage
  readonly costMicroUsd: number
  /** Some of it was counted by us: the provider did not say. */
  readonly estimated: boolean
  /** Requests that were made. */
  readonly tries: number
  /** The model's context was smaller than the prompt and it cut the beginning off silently. */
  readonly promptCut?: true
  /** As the service wrote it. */
  readonly reported?: unknown
}

/** A chunk of an answer that is passed on, as the service sent it. */
export interface RawPart {
  readonly kind: 'raw'
  readonly chunk: unknown
  /** The configured name of who sent it. */
  readonly model: string
}

export type ModelPart =
  /** Only what is to be said: no reasoning, no tool chatter; secrets, mass mentions and control characters are out. Never empty. */
  | { readonly kind: 'text'; readonly text: string }
  /** The model failed in the middle and another begins anew: all text so far is void. `reason` is one line. */
  | { readonly kind: 'restart'; readonly reason: string; readonly model: string }
  | ModelEnd

/** What a prompt may hold for the model that would be asked first. */
export interface ModelLimits {
  readonly model: string
  readonly contextTokens: number
  readonly maxOutputTokens: number
  /** The model's tokens for one of `countTokens`, learned from what it reports. */
  readonly tokenFactor: number
  readonly images: boolean
  readonly tools: boolean
}

export interface Models {
  /**
   * Asks, falls back and books every try. Ends with exactly one `end`, also when `signal` aborts; leaving the loop
   * early hangs up and books too. Throws `model-missing`, `model-failed` or `budget-reached`, each with one line
   * for people that says what to do. Text that came before a throw stands: it may be kept and marked.
   */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelPart>
  /** Null: no model is configured for it, or all are off. */
  limits(task: Task, room: string): ModelLimits | null
  /** Tokens of a text, the same for every model: keep it with the row and multiply by `tokenFactor`. Never blocks for long. */
  countTokens(text: string): Promise<number>
}

export interface Completion extends Omit<ModelEnd, 'kind'> {
  readonly text: string
}

/** The whole answer at once, for summaries and checks. */
export async function complete(
  models: Pick<Models, 'stream'>,
  request: ModelRequest,
  signal: AbortSignal,
): Promise<Completion> {
  let text = ''
  for await (const part of models.stream(request, signal)) {
    if (part.kind === 'text') text += part.text
    else if (part.kind === 'restart') text = ''
    else {
      const { kind: _kind, ...end } = part
      return { ...end, text }
    }
  }
  throw new Error('a model stream ended without its end')
}
