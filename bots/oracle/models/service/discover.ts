import { isLoopback, type ProviderName, providerNames, providerOf } from '../../../../config/providers.ts'
import { given } from '../../../../core/given.ts'
import { deadline } from '../../../../core/retry.ts'
import { TryFault } from '../request/fault.ts'
import { type Offer, offersOf, ollamaContext } from './offers.ts'

type Env = Readonly<Record<string, string | undefined>>

/** A model that can be used as things are. */
export interface Discovered {
  readonly provider: ProviderName
  /** As it stands in the configuration. */
  readonly model: Readonly<Record<string, unknown>> & { readonly model: string }
  /** How it was found: `an Ollama that runs here`, `OPENAI_API_KEY`. */
  readonly by: string
}

export interface Discovery {
  readonly found: Discovered | null
  /** What was there and could not be taken: one line each. */
  readonly notes: readonly string[]
}

/** On this machine an answer comes at once or not at all; a machine that is busy starting everything else takes a moment. */
const localMs = 2000
const hostedMs = 4000

/** Ollama's own variable is a host, `host:port` or a URL; one that listens everywhere is asked here. */
export function ollamaUrl(written: string | undefined): string {
  if (!written) return providerOf('ollama').baseUrl as string
  const url = /^https?:\/\//.test(written) ? written : `http://${written}`
  if (!URL.canParse(url)) return providerOf('ollama').baseUrl as string
  const { protocol, hostname } = new URL(url)
  const host = hostname === '0.0.0.0' ? '127.0.0.1' : hostname
  // A URL forgets a port that its protocol has anyway.
  const [, port = '11434'] = /:(\d+)\/?$/.exec(url.replace(/\/v1\/?$/, '')) ?? []
  return `${protocol}//${host}:${port}/v1`
}

const isChat = ({ id }: Offer): boolean => !/embed|rerank|whisper|tts|dall-e|moderation/i.test(id)

async function ollama(env: Env, signal: AbortSignal): Promise<Discovered | null> {
  const baseUrl = ollamaUrl(env['OLLAMA_HOST'])
  const offers = await offersOf(baseUrl, null, deadline(localMs, signal)).catch(() => [])
  const [first] = offers.filter(isChat)
  if (!first) return null
  const contextTokens = await ollamaContext(baseUrl, first.id, deadline(localMs, signal)).catch(() => null)
  const url = baseUrl === providerOf('ollama').baseUrl ? {} : { baseUrl }
  const free = isLoopback(baseUrl) ? {} : { price: { inputPerMillion: 0, outputPerMillion: 0 } }
  const model = { provider: 'ollama', model: first.id, ...url, ...free, ...(contextTokens ? { contextTokens } : {}) }
  return {
    provider: 'ollama',
    model,
    by: isLoopback(baseUrl) ? 'an Ollama that runs here' : `the Ollama at ${baseUrl}`,
  }
}

/** The address that the services' own programs would use: Anthropic's variable has no `/v1`. */
function addressOf(name: ProviderName, env: Env): string | null {
  const written = env[`${name.toUpperCase()}_BASE_URL`]?.replace(/\/+$/, '')
  if (!written || !URL.canParse(written)) return providerOf(name).baseUrl
  return name === 'anthropic' && !written.endsWith('/v1') ? `${written}/v1` : written
}

/** One whose key is there: the first suggestion that it offers. A line when it can't be taken. */
async function byKey(name: ProviderName, env: Env, signal: AbortSignal): Promise<Discovered | string | null> {
  const { key, suggested, baseUrl: usual } = providerOf(name)
  const baseUrl = addressOf(name, env)
  if (key === null || !env[key] || baseUrl === null || suggested.length === 0) return null
  let offers: Offer[] = []
  try {
    offers = await offersOf(baseUrl, env[key], deadline(isLoopback(baseUrl) ? localMs : hostedMs, signal))
  } catch (error) {
    if (!(error instanceof TryFault)) throw error
    // One that can't be reached just now may be in a minute; one that refuses the key will not.
    if (error.kind === 'setup' && !/404/.test(error.message)) return `${key}: ${name} ${error.message}`
    if (isLoopback(baseUrl)) return `${key}: ${name} at ${baseUrl} ${error.message}`
  }
  const pick = suggested.find(({ model }) => offers.some(({ id }) => id === model))
  const url = baseUrl === usual ? {} : { baseUrl }
  const base = { provider: name, ...url, apiKey: `env:${key}` }
  const other = offers.find(isChat)
  if (!pick && other && isLoopback(baseUrl)) {
    return {
      provider: name,
      model: { ...base, model: other.id, ...given({ contextTokens: other.contextTokens ?? undefined }) },
      by: key,
    }
  }
  const chosen = pick ?? (offers.length === 0 ? suggested[0] : undefined)
  if (!chosen)
    return `${key}: ${name} offers none of ${suggested.map(({ model }) => model).join(', ')}; add one with its price`
  const { inputPerMillion, outputPerMillion, contextTokens, images } = chosen
  const price = { inputPerMillion, outputPerMillion }
  return {
    provider: name,
    model: { ...base, model: chosen.model, price, contextTokens, ...(images ? { images } : {}) },
    by: key,
  }
}

/** Looks for an Ollama on this machine, then for keys in the environment. Asks no model anything, so it costs nothing. */
export async function discover(env: Env, skip: readonly string[], signal: AbortSignal): Promise<Discovery> {
  const notes: string[] = []
  const here = skip.includes('ollama') ? null : await ollama(env, signal)
  if (here) return { found: here, notes }
  for (const name of providerNames.filter(provider => !skip.includes(provider))) {
    const found = await byKey(name, env, signal)
    if (typeof found === 'string') notes.push(found)
    else if (found) return { found, notes }
  }
  return { found: null, notes }
}
