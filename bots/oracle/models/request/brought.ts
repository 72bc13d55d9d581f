/** Requests that programs brought: what goes out of them, and what of them is counted. */

import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions'
import { isRecord, type Loose } from '../../../../core/loose.ts'
import type { Brought, ModelContent, ModelMessage } from '../contract.ts'
import { mannersOf, type Target, type Wire } from './request.ts'

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Ours to say, whatever the program says: also which models answer in the place of another, where a gateway lets that be chosen. */
const ours = 'model models fallbacks route stream stream_options max_tokens max_completion_tokens'.split(' ')

/** Dearer than the price that is known. */
const isDearer = ([key, value]: [string, unknown]): boolean =>
  key === 'service_tier' && !['auto', 'default', 'flex'].includes(String(value))

/** Without these an answer has the same form: left out for a service that knows no such thing. */
const soft = (
  'temperature top_p presence_penalty frequency_penalty seed store metadata user service_tier prompt_cache_key ' +
  'prompt_cache_retention safety_identifier verbosity reasoning_effort'
).split(' ')

/** Some refuse a list of tools in which there is none. */
const isEmptyTools = ([key, value]: [string, unknown], { tools }: Loose): boolean =>
  ['tools', 'tool_choice', 'parallel_tool_calls'].includes(key) &&
  (key === 'tools' ? value === null : true) &&
  listOf(tools).length === 0

/** What is null is not said: not every service takes it for that. */
function kept(body: Loose, refused: readonly string[]): Loose {
  return Object.fromEntries(
    Object.entries(body).filter(
      ([key, value]) =>
        !ours.includes(key) &&
        value !== null &&
        !refused.includes(key) &&
        !isDearer([key, value]) &&
        !isEmptyTools([key, value], body),
    ),
  )
}

/** `developer` is a role of OpenAI's alone. */
const messageFor = (message: unknown, knowsDeveloper: boolean): unknown =>
  isRecord(message) && message['role'] === 'developer' && !knowsDeveloper ? { ...message, role: 'system' } : message

/** A request as it goes out: as it came, but for the model and what services differ in. */
export function broughtWire(
  { api, body }: Brought,
  maxOutputTokens: number,
  target: Target & { developer: boolean },
): Wire {
  const rest = kept(body, target.refused)
  if (api === 'embeddings') return { body: { ...rest, model: target.model } as unknown as Wire['body'], sent: [] }
  const manners = mannersOf(maxOutputTokens, target)
  const wire = {
    ...rest,
    messages: listOf(body['messages']).map(message => messageFor(message, target.developer)),
    model: target.model,
    stream: true,
    ...manners,
  }
  return {
    body: wire as unknown as ChatCompletionCreateParamsStreaming,
    sent: [...Object.keys(manners), ...soft.filter(name => name in rest)],
  }
}

const imageIn = (part: unknown): ModelContent | null =>
  isRecord(part) && part['type'] === 'image_url' ? { kind: 'image', url: '', text: '' } : null

/** What is counted of a message: its words and calls; a picture as one. */
function counted(message: unknown): ModelMessage {
  const content = isRecord(message) ? message['content'] : null
  if (!Array.isArray(content)) return { role: 'user', content: JSON.stringify(message) }
  const pictures = content.map(imageIn).filter(part => part !== null)
  const words = content.filter(part => imageIn(part) === null)
  const text = JSON.stringify({ ...(message as Loose), content: words })
  return { role: 'user', content: [...pictures, { kind: 'text', text }] }
}

/** What a budget and the books take for the request: messages, and what else a model reads. */
export function countedOf({ api, body }: Brought): ModelMessage[] {
  if (api === 'embeddings') return [{ role: 'user', content: JSON.stringify(body['input'] ?? '') }]
  const { tools, functions, response_format: format } = body
  const also = JSON.stringify({ tools, functions, format })
  return [
    ...listOf(body['messages']).map(counted),
    ...(also === '{}' ? [] : [{ role: 'user' as const, content: also }]),
  ]
}

/** The longest answer that the program wants; null: it says nothing. */
export function limitIn({ body }: Brought): number | null {
  const asked = body['max_completion_tokens'] ?? body['max_tokens']
  return typeof asked === 'number' && asked >= 1 ? asked : null
}

/** What a model has to be able to do for it. */
export const needsOf = ({ body }: Brought): { readonly tools: boolean; readonly images: boolean } => ({
  tools: listOf(body['tools']).length > 0 || listOf(body['functions']).length > 0,
  images: listOf(body['messages']).some(
    message => isRecord(message) && listOf(message['content']).some(part => imageIn(part) !== null),
  ),
})

const dataUrl = /^data:[\w.+-]{1,100}\/[\w.+-]{1,100}(?:;[\w.+-]{1,100}=[\w.+-]{1,100}){0,5};base64,/
const noBase64 = /[^A-Za-z0-9+/=]/

/** A picture or a sound, and nothing else besides: what merely begins as one is text. Looks at megabytes once. */
function isDataUrl(text: string): boolean {
  const head = dataUrl.exec(text)?.[0]
  return head !== undefined && !noBase64.test(text.slice(head.length))
}

/** The same with all of its texts changed; pictures and sounds are none. */
export function withTexts<T>(value: T, change: (text: string) => string): T {
  if (typeof value === 'string') return (isDataUrl(value) ? value : change(value)) as T
  if (Array.isArray(value)) return value.map(each => withTexts(each as unknown, change)) as T
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withTexts(each, change)])) as T
}
