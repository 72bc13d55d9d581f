import type OpenAI from 'openai'
import { type Loose, record } from '../../../../core/loose.ts'
import { deadline } from '../../../../core/retry.ts'
import { Clients } from '../request/client.ts'
import { faultOf, hiding, TryFault } from '../request/fault.ts'

/** A model as its service lists it. What it does not say is null. */
export interface Offer {
  readonly id: string
  readonly contextTokens: number | null
  readonly price: { readonly inputPerMillion: number; readonly outputPerMillion: number } | null
  readonly images: boolean
}

const own = (value: unknown, key: string): unknown => record(value)?.[key]

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const contextKeys = ['context_length', 'context_window', 'max_model_len', 'max_context_length', 'max_input_tokens']

function contextOf(model: Loose): number | null {
  const found = contextKeys.map(key => model[key]).find(value => typeof value === 'number' && value >= 256)
  return (found as number | undefined) ?? null
}

/** OpenRouter writes US dollars for a token, as text. */
function priceOf(model: Loose): Offer['price'] {
  const pricing = record(model['pricing'])
  const [input, output] = [pricing?.['prompt'], pricing?.['completion']]
  if (typeof input !== 'string' || typeof output !== 'string') return null
  const [inputPerMillion, outputPerMillion] = [Number(input) * 1e6, Number(output) * 1e6]
  if (!(inputPerMillion >= 0 && outputPerMillion >= 0)) return null
  return { inputPerMillion: round(inputPerMillion), outputPerMillion: round(outputPerMillion) }
}

const round = (value: number): number => Number(value.toPrecision(6))

function offerOf(raw: unknown): Offer | null {
  const model = record(raw)
  if (!model || typeof model['id'] !== 'string') return null
  const modalities = record(model['architecture'])?.['input_modalities']
  const images = Array.isArray(modalities) && modalities.includes('image')
  return { id: model['id'], contextTokens: contextOf(model), price: priceOf(model), images }
}

const listMs = 8000

const get = (client: OpenAI, path: string, signal: AbortSignal): Promise<unknown> =>
  client.get<unknown>(path, { signal, timeout: listMs })

/** What people leave out. */
export const addressHint = (baseUrl: string): string =>
  /\/v\d/.test(baseUrl) ? '' : ': its address mostly ends in /v1'

/** What a service offers (`/models`). Throws `TryFault` with a line that follows its name. */
export async function offersOf(baseUrl: string, apiKey: string | null, signal: AbortSignal): Promise<Offer[]> {
  const late = deadline(listMs, signal)
  let answer: unknown
  try {
    answer = await get(await new Clients().of(baseUrl, apiKey), '/models', late)
  } catch (error) {
    if (late.aborted && own(late.reason, 'name') === 'TimeoutError')
      throw new TryFault('busy', 'did not answer in time')
    throw faultOf(error, [], Date.now(), hiding(apiKey))
  }
  const list = Array.isArray(answer) ? answer : record(answer)?.['data']
  if (!Array.isArray(list)) throw new TryFault('setup', `answers, and with no list of models${addressHint(baseUrl)}`)
  return list.map(offerOf).filter(offer => offer !== null)
}

/** Ollama's default since 0.6; what it was started with is not told by any address. */
const ollamaDefault = 4096

/**
 * The context in which Ollama runs a model: of the one that is loaded, else what its file says, else the default. It is
 * mostly less than what the model could take.
 */
export async function ollamaContext(baseUrl: string, model: string, signal: AbortSignal): Promise<number> {
  const native = await new Clients().of(baseUrl.replace(/\/v1$/, ''), null)
  try {
    const loaded = record(await get(native, '/api/ps', deadline(listMs, signal)))?.['models']
    const running = (Array.isArray(loaded) ? loaded : [])
      .map(record)
      .find(one => one?.['name'] === model || one?.['model'] === model)
    if (running && typeof running['context_length'] === 'number') return running['context_length']
    const shown = record(await native.post('/api/show', { body: { model }, signal: deadline(listMs, signal) }))
    const [, written] = /^num_ctx\s+(\d+)/m.exec(textOf(shown?.['parameters'])) ?? []
    const info = Object.entries(record(shown?.['model_info']) ?? {})
    const most = info.find(([key]) => key.endsWith('.context_length'))?.[1]
    return Math.min(
      written ? Number(written) : ollamaDefault,
      typeof most === 'number' ? most : Number.POSITIVE_INFINITY,
    )
  } catch (error) {
    throw faultOf(error, [], Date.now(), hiding(null))
  }
}
