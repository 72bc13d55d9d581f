import type { ChatCompletionCreateParamsStreaming, ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import type { Provider } from '../../../../config/providers.ts'
import { type ModelMessage, wordsOf } from '../contract.ts'

export interface Wire {
  readonly body: ChatCompletionCreateParamsStreaming
  /** What may be left out when the service refuses it: of what is in it. */
  readonly sent: readonly string[]
}

export interface Target {
  readonly model: string
  readonly provider: Pick<Provider, 'tokenLimit' | 'usage'>
  readonly images: boolean
  /** Parameters that it was seen to refuse. */
  readonly refused: readonly string[]
}

/** The request as it goes out. A limit that is refused by one name goes by the other. */
export function wireOf(messages: readonly ModelMessage[], maxOutputTokens: number, target: Target): Wire {
  const manners = mannersOf(maxOutputTokens, target)
  return {
    body: {
      model: target.model,
      messages: messages.map(message => messageOf(message, target.images)),
      stream: true,
      ...manners,
    },
    sent: Object.keys(manners),
  }
}

const fromLimit = 'limit>='

/** Among what a service refuses: a limit of so many tokens, or more. */
export const limitRefused = (tokens: number): string => `${fromLimit}${tokens}`

const isTooMuch = (tokens: number, refused: readonly string[]): boolean =>
  refused.some(each => each.startsWith(fromLimit) && tokens >= Number(each.slice(fromLimit.length)))

/** How this service is told of the answer's length, and asked for usage. */
export function mannersOf(maxOutputTokens: number, { provider, refused }: Target): Readonly<Record<string, unknown>> {
  const names = [provider.tokenLimit, 'max_completion_tokens', 'max_tokens'] as const
  const limit = isTooMuch(maxOutputTokens, refused) ? undefined : names.find(name => !refused.includes(name))
  const usage = provider.usage === 'asked' && !refused.includes('stream_options')
  return {
    ...(limit ? { [limit]: maxOutputTokens } : {}),
    ...(usage ? { stream_options: { include_usage: true } } : {}),
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

/** The words of a request, as they are counted. */
export const textOf = (messages: readonly ModelMessage[]): string[] => messages.map(({ content }) => wordsOf(content))

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
