import type { ChatCompletionCreateParamsStreaming, ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import type { Provider } from '../../../config/providers.ts'
import type { ModelContent, ModelMessage } from './contract.ts'

/** What may be left out when a service refuses it. */
export const optional = ['max_completion_tokens', 'max_tokens', 'stream_options'] as const
type Optional = (typeof optional)[number]

export interface Wire {
  readonly body: ChatCompletionCreateParamsStreaming
  /** Of `optional`, what is in it. */
  readonly sent: readonly Optional[]
}

interface Target {
  readonly model: string
  readonly provider: Pick<Provider, 'tokenLimit' | 'usage'>
  readonly images: boolean
  /** Parameters that it was seen to refuse. */
  readonly refused: readonly string[]
}

/** The request as it goes out. A limit that is refused by one name goes by the other. */
export function wireOf(messages: readonly ModelMessage[], maxOutputTokens: number, target: Target): Wire {
  const { provider, refused } = target
  const names = [provider.tokenLimit, 'max_completion_tokens', 'max_tokens'] as const
  const limit = names.find(name => !refused.includes(name))
  const usage = provider.usage === 'asked' && !refused.includes('stream_options')
  return {
    body: {
      model: target.model,
      messages: messages.map(message => messageOf(message, target.images)),
      stream: true,
      ...(usage ? { stream_options: { include_usage: true } } : {}),
      ...(limit ? { [limit]: maxOutputTokens } : {}),
    },
    sent: [...(limit ? [limit] : []), ...(usage ? (['stream_options'] as const) : [])],
  }
}

function messageOf({ role, content }: ModelMessage, images: boolean): ChatCompletionMessageParam {
  if (typeof content === 'string') return { role, content }
  if (role !== 'user' || !images) return { role, content: wordsOf(content) }
  return {
    role,
    content: content.map(part =>
      part.kind === 'text' ? { type: 'text', text: part.text } : { type: 'image_url', image_url: { url: part.url } },
    ),
  }
}

const wordsOf = (content: readonly ModelContent[]): string => content.map(part => part.text).join('\n')

/** The words of a request, as they are counted. */
export const textOf = (messages: readonly ModelMessage[]): string[] =>
  messages.map(({ content }) => (typeof content === 'string' ? content : wordsOf(content)))

/** Around each message, and for an image of the largest kind. */
const messageTokens = 16
const imageTokens = 3000

/**
 * The most tokens that a request can be: tokenizers of this kind make no more than one of a byte. Costs nothing to count,
 * so the way to the model doesn't wait for it.
 */
export function mostTokens(messages: readonly ModelMessage[]): number {
  let most = messageTokens
  for (const { content } of messages) {
    most += messageTokens
    if (typeof content === 'string') most += Buffer.byteLength(content)
    else for (const part of content) most += Buffer.byteLength(part.text) + (part.kind === 'image' ? imageTokens : 0)
  }
  return most
}
