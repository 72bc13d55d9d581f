import type { Ending } from '../../../core/ledger/oracle/completions.ts'

/** Names one answer in all its pieces. */
export interface Head {
  readonly id: string
  readonly created: number
  readonly model: string
}

const finishes: Readonly<Record<Ending['finish'], string>> = {
  stop: 'stop',
  length: 'length',
  refusal: 'content_filter',
  aborted: 'stop',
  failed: 'stop',
}

export const usageOf = ({ inputTokens, outputTokens, cachedTokens }: Ending) => ({
  prompt_tokens: inputTokens,
  completion_tokens: outputTokens,
  total_tokens: inputTokens + outputTokens,
  prompt_tokens_details: { cached_tokens: cachedTokens },
})

export const whole = ({ id, created, model }: Head, content: string, ending: Ending) => ({
  id,
  object: 'chat.completion',
  created,
  model,
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content, refusal: null },
      logprobs: null,
      finish_reason: finishes[ending.finish],
    },
  ],
  usage: usageOf(ending),
})

type Delta = { readonly role?: 'assistant'; readonly content?: string }

export const sse = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`

export const delta = ({ id, created, model }: Head, change: Delta, finish: Ending['finish'] | null = null): string =>
  sse({
    id,
    object: 'chat.completion.chunk',
    created,
    model,
    choices: [{ index: 0, delta: change, logprobs: null, finish_reason: finish === null ? null : finishes[finish] }],
  })

/** Comes last, where it was asked for, with no choices. */
export const usageChunk = ({ id, created, model }: Head, usage: object): string =>
  sse({ id, object: 'chat.completion.chunk', created, model, choices: [], usage })

export const errorChunk = (error: unknown): string => sse(error)
export const done = 'data: [DONE]\n\n'
