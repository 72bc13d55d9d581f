import type { Provider } from '../../../../config/providers.ts'
import { type Loose, record } from '../../../../core/loose.ts'
import type { FinishReason, ModelUsage } from '../contract.ts'

/** What one chunk of a streamed answer brings, whichever service sent it. */
export interface Chunk {
  readonly text: string
  /** Thinking and calls of tools: never said, paid all the same. */
  readonly hidden: string
  /** Null: not in this chunk. */
  readonly finish: Exclude<FinishReason, 'aborted'> | 'tool' | 'fault' | null
  readonly usage: ModelUsage | null
  /** The body of an error that came where a chunk should be. */
  readonly error: unknown
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** No request has more: what says so says nothing. */
const mostTokens = 100_000_000

const tokens = (value: unknown): number | null =>
  typeof value === 'number' && value >= 0 && value <= mostTokens ? Math.round(value) : null

/** Mistral's thinking models send content as a list: `[{type: 'thinking', …}, {type: 'text', text}]`. */
function contentOf(content: unknown): { said: string; hidden: string } {
  if (!Array.isArray(content)) return { said: text(content), hidden: '' }
  const parts = content.map(record).filter(part => part !== null)
  return {
    said: parts
      .filter(part => part['type'] === 'text')
      .map(part => text(part['text']))
      .join(''),
    hidden: parts
      .filter(part => part['type'] !== 'text')
      .map(part => JSON.stringify(part))
      .join(''),
  }
}

/** Everything in a delta that is neither role nor text: what lets us know that it works. */
function hiddenOf(delta: Loose, reasoning: Provider['reasoning']): string {
  const known = reasoning === null ? '' : text(delta[reasoning])
  if (known !== '') return known
  return Object.entries(delta)
    .filter(([key, value]) => !['role', 'content', 'refusal'].includes(key) && value !== null && value !== '')
    .map(([, value]) =>
      typeof value === 'string' ? value : Array.isArray(value) && value.length === 0 ? '' : JSON.stringify(value),
    )
    .filter(value => value !== '{}' && value !== 'false' && value !== '0')
    .join('')
}

const finishes: Readonly<Record<string, Chunk['finish']>> = {
  length: 'length',
  max_tokens: 'length',
  model_length: 'length',
  error_limit: 'length',
  model_context_window_exceeded: 'length',
  content_filter: 'refusal',
  content_filtered: 'refusal',
  refusal: 'refusal',
  safety: 'refusal',
  sensitive: 'refusal',
  recitation: 'refusal',
  blocklist: 'refusal',
  prohibited_content: 'refusal',
  spii: 'refusal',
  error_toxic: 'refusal',
  tool_calls: 'tool',
  function_call: 'tool',
  // OpenRouter, Cohere, SGLang, Zhipu, DeepSeek: what was said is not the whole.
  error: 'fault',
  abort: 'fault',
  network_error: 'fault',
  insufficient_system_resource: 'fault',
}

function finishOf(choice: Loose | null): Chunk['finish'] {
  const written = choice?.['finish_reason']
  if (typeof written !== 'string' || written === '') return null
  return finishes[written.toLowerCase()] ?? 'stop'
}

/**
 * Null when there are no numbers in it: some send an empty one first and the real one later. What a model thought is paid as what it said;
 * xAI and Gemini count it in the total alone.
 */
export function usageOf(value: unknown): ModelUsage | null {
  const usage = record(value)
  const inputTokens = tokens(usage?.['prompt_tokens'])
  const saidTokens = tokens(usage?.['completion_tokens'])
  if (!usage || inputTokens === null || saidTokens === null) return null
  const outputTokens = Math.max(saidTokens, (tokens(usage['total_tokens']) ?? 0) - inputTokens)
  if (inputTokens + outputTokens === 0) return null
  const details = record(usage['prompt_tokens_details'])
  const cached = tokens(details?.['cached_tokens']) ?? tokens(usage['prompt_cache_hit_tokens']) ?? 0
  return { inputTokens, outputTokens, cachedTokens: Math.min(cached, inputTokens) }
}

/** Reads a chunk, or a whole answer that came in place of a stream. Anything that is missing is nothing. */
export function readChunk(raw: unknown, { reasoning, usageAt }: Pick<Provider, 'reasoning' | 'usageAt'>): Chunk {
  const chunk = record(raw) ?? {}
  const [first] = Array.isArray(chunk['choices']) ? chunk['choices'] : []
  const choice = record(first)
  const delta = record(choice?.['delta']) ?? record(choice?.['message']) ?? {}
  const { said, hidden } = contentOf(delta['content'])
  // Moonshot has it in the choice.
  const elsewhere = usageAt === 'usage' ? choice?.['usage'] : record(chunk['x_groq'])?.['usage']
  const refusal = text(delta['refusal'])
  const finish = finishOf(choice)
  return {
    text: said + refusal,
    hidden: hidden + hiddenOf(delta, reasoning),
    finish: refusal !== '' && finish === 'stop' ? 'refusal' : finish,
    usage: usageOf(chunk['usage']) ?? usageOf(elsewhere),
    error: chunk['error'],
  }
}

/** Its usage, as the service wrote it. */
export function reportedIn(raw: unknown): unknown {
  const chunk = record(raw) ?? {}
  return chunk['usage'] ?? record(chunk['x_groq'])?.['usage']
}

/** Reads an answer with embeddings: it comes whole, and what is said in it is numbers. */
export function readEmbeddings(raw: unknown): Chunk {
  const { data, usage, error } = record(raw) ?? {}
  const reported = record(usage)
  const inputTokens = tokens(reported?.['prompt_tokens']) ?? tokens(reported?.['total_tokens'])
  const isWhole = Array.isArray(data) && data.length > 0
  return {
    text: '',
    hidden: '',
    finish: isWhole ? 'stop' : null,
    usage: inputTokens === null ? null : { inputTokens, outputTokens: 0, cachedTokens: 0 },
    error,
  }
}
