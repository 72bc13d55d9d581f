import type { Config } from '../../../config/schema.ts'
import { asChanopError, ChanopError } from '../../../core/error.ts'
import { type ModelMessage, type ModelPart, type ModelRequest, type Models, wordsOf } from '../models/contract.ts'
import { AnswerGuard } from './answer.ts'
import type { Listed } from './links.ts'
import { contentVerdict, echoVerdict, type Verdict } from './verdict.ts'

export type GuardConfig = Config['guards']

/** No secret goes to a provider. */
export const masked = (messages: readonly ModelMessage[], mask: (text: string) => string): ModelMessage[] =>
  messages.map(message => ({
    ...message,
    content:
      typeof message.content === 'string'
        ? mask(message.content)
        : message.content.map(part => ({ ...part, text: mask(part.text) })),
  }))

/** Links of the conversation, and of hosts that are trusted. What a model wrote itself makes none of them its own. */
export function listedIn(messages: readonly ModelMessage[], hosts: readonly string[]): Listed {
  const texts = messages.filter(({ role }) => role !== 'assistant').map(({ content }) => wordsOf(content))
  return url => {
    const full = /^https?:/i.test(url) ? url : `https://${url}`
    const host = URL.canParse(full) ? new URL(full).hostname : ''
    if (hosts.some(trusted => host === trusted || host.endsWith(`.${trusted}`))) return true
    return texts.some(text => holds(text, url))
  }
}

/** A link as a whole: not the beginning of a longer one. */
function holds(text: string, url: string): boolean {
  for (let at = text.indexOf(url); at >= 0; at = text.indexOf(url, at + 1)) {
    const after = text.slice(at + url.length, at + url.length + 2)
    if (/^(?:[\s<>"'`)\]|]|[.,;:!?](?:\s|$)|$)/.test(after)) return true
  }
  return false
}

/** Why a question is not answered: the guards that are on, one after the other. */
async function verdictOf(
  models: Pick<Models, 'stream'>,
  request: ModelRequest,
  { content, echo, echoSimilarity, whenDown }: GuardConfig,
  signal: AbortSignal,
): Promise<Verdict> {
  try {
    const refused = content ? await contentVerdict(models, request, signal) : null
    return refused ?? (echo ? await echoVerdict(models, request, echoSimilarity, signal) : null)
  } catch (error) {
    const { code, message } = asChanopError(error)
    if (code !== 'model-failed' && code !== 'model-missing') throw error
    if (whenDown === 'answer') return null
    throw new ChanopError('model-failed', `nothing is answered while the guard can not be asked: ${message}`)
  }
}

/**
 * An answer behind the guards: the question is judged where a guard is on, and nothing is said that must not be. `stream`
 * asks without guards.
 */
export async function* guarded(
  models: Pick<Models, 'stream'>,
  request: ModelRequest,
  rules: { readonly config: GuardConfig; readonly known: readonly string[]; readonly listed: Listed },
  signal: AbortSignal,
): AsyncGenerator<ModelPart> {
  const { config, known, listed } = rules
  const refused = await verdictOf(models, request, config, signal)
  if (refused !== null && !signal.aborted) {
    yield { kind: 'text', text: `I do not answer that: ${refused}.` }
    yield refusal
    return
  }
  const open = (): AnswerGuard => new AnswerGuard({ known, listed: request.previews === false ? null : listed })
  let guard = open()
  for await (const part of models.stream(request, signal)) {
    if (part.kind === 'restart') guard = open()
    const text = part.kind === 'text' ? guard.push(part.text) : isWhole(part) ? guard.end() : ''
    if (text !== '') yield { kind: 'text', text }
    if (part.kind !== 'text') yield part
  }
}

/** Once somebody said stop, not one word more. */
const isWhole = (part: ModelPart): boolean => part.kind === 'end' && part.finishReason !== 'aborted'

const refusal: ModelPart = {
  kind: 'end',
  finishReason: 'stop',
  model: '',
  usage: { inputTokens: 0, outputTokens: 0, cachedTokens: 0 },
  costMicroUsd: 0,
  estimated: false,
  tries: 0,
}
