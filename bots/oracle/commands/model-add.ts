import { z } from 'zod'
import { isLoopback, type Provider, type ProviderName, providerNames, providerOf } from '../../../config/providers.ts'
import { byOf } from '../../../core/command/command.ts'
import { flag, named } from '../../../core/command/parse/values.ts'
import { type Found, soonOrLater } from '../../../core/command/visit/later.ts'
import { ChanopError } from '../../../core/error.ts'
import { listSecrets } from '../../../core/ledger/settings/secrets.ts'
import { holdsLogin, noLogin } from '../../../core/loopback.ts'
import { changing } from '../../../core/settings/settings-changing.ts'
import { count, escapeInline, some } from '../../../core/text/text.ts'
import { storeSecret } from '../../../core/vault/secrets.ts'
import { budgetLine, usd } from '../models/budget/money.ts'
import { candidateOf } from '../models/choice.ts'
import { TryFault } from '../models/request/fault.ts'
import { addressHint, type Offer, offersOf, ollamaContext } from '../models/service/offers.ts'
import { type Trial, tryOut } from '../models/service/trial.ts'
import { callerBooks } from './caller.ts'
import { freeName, providerNamed } from './model-names.ts'
import { type Context, declare } from './services.ts'

/** Prices as people type them: `0.4/1.6`, or `0.4/1.6/0.1` with that of cached input. */
export const priceArg = z
  .string()
  .regex(
    /^\d+(\.\d+)?\/\d+(\.\d+)?(\/\d+(\.\d+)?)?$/,
    'write dollars for a million tokens read and written, e.g. 0.4/1.6',
  )

export function priceOf(typed: string): object {
  const [inputPerMillion, outputPerMillion, cachedPerMillion = null] = typed.split('/').map(Number)
  return { inputPerMillion, outputPerMillion, cachedPerMillion }
}

interface Place {
  readonly name: ProviderName
  readonly provider: Provider
  readonly baseUrl: string
  readonly apiKey: string | null
}

/** Where a service is and how we log in there. Throws `usage` with what to type when something is missing. */
async function placeOf(
  { services, ledger, settings }: Context,
  name: ProviderName,
  url: string | undefined,
): Promise<Place> {
  const provider = providerOf(name)
  if (url !== undefined && holdsLogin(url)) throw new ChanopError('usage', noLogin)
  const baseUrl = (url ?? provider.baseUrl)?.replace(/\/+$/, '')
  const { prefix } = settings
  if (baseUrl === undefined) {
    throw new ChanopError('usage', `where is it? ${prefix}model add ${name} url=http://127.0.0.1:8000/v1`)
  }
  if (!URL.canParse(baseUrl) || !/^https?:/.test(baseUrl))
    throw new ChanopError('usage', `${baseUrl} is no address such as http://127.0.0.1:8000/v1`)
  const variable = provider.key ?? `${name.toUpperCase()}_API_KEY`
  const sealed = (await ledger.read(listSecrets)).some(secret => secret.name === variable)
  if (sealed) return { name, provider, baseUrl, apiKey: `secret:${variable}` }
  const inEnvironment = await services.context.secret(`env:${variable}`).then(
    () => true,
    () => false,
  )
  if (inEnvironment) return { name, provider, baseUrl, apiKey: `env:${variable}` }
  if (provider.key === null || isLoopback(baseUrl)) return { name, provider, baseUrl, apiKey: null }
  throw new ChanopError(
    'usage',
    `I have no key for ${name}: say ${prefix}model key ${name} YOUR-KEY to me, in a direct message and nowhere else; it is sealed and its message is wiped`,
  )
}

const keyOf = ({ services }: Context, { apiKey }: Place): Promise<string | null> =>
  apiKey === null ? Promise.resolve(null) : services.context.secret(apiKey)

async function offered(context: Context, place: Place, signal: AbortSignal): Promise<Offer[]> {
  try {
    return await offersOf(place.baseUrl, await keyOf(context, place), signal)
  } catch (error) {
    if (!(error instanceof TryFault)) throw error
    const hint = error.message.includes('(404)') ? addressHint(place.baseUrl) : ''
    throw new ChanopError('model-failed', `${place.name} at ${place.baseUrl} ${error.message}${hint}`)
  }
}

const shownOffers = 12

function choiceLines({ name, provider }: Place, offers: readonly Offer[], prefix: string): string[] {
  if (offers.length === 0) return [`${name} answers and names no models: say ${prefix}model add ${name} MODEL`]
  const known = provider.suggested.map(({ model }) => model).filter(model => offers.some(({ id }) => id === model))
  const rest = offers.map(({ id }) => id).filter(id => !known.includes(id))
  const shown = [...known, ...rest].map(escapeInline)
  return [`${name} offers ${some(shown, shownOffers)}`, `take one: ${prefix}model add ${name} ${shown[0] ?? 'MODEL'}`]
}

interface Wanted {
  readonly model: string
  readonly name: string
  readonly price: string | undefined
}

/** The model as it is to be configured. Throws `usage` when its price is not known. */
async function modelOf(
  context: Context,
  place: Place,
  wanted: Wanted,
  offer: Offer | undefined,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const { name: provider, baseUrl, apiKey } = place
  const known = place.provider.suggested.find(({ model }) => model === wanted.model)
  const price = wanted.price
    ? priceOf(wanted.price)
    : (offer?.price ?? (known && { inputPerMillion: known.inputPerMillion, outputPerMillion: known.outputPerMillion }))
  if (!price && !isLoopback(baseUrl)) {
    throw new ChanopError(
      'usage',
      `what does ${wanted.model} cost? ${context.settings.prefix}model add ${provider} ${wanted.model} price=READ/WRITTEN, in dollars for a million tokens, e.g. price=0.4/1.6; price=0/0 is free`,
    )
  }
  const asked = provider === 'ollama' ? await ollamaContext(baseUrl, wanted.model, signal).catch(() => null) : null
  const contextTokens = asked ?? offer?.contextTokens ?? known?.contextTokens
  return {
    provider,
    model: wanted.model,
    ...(baseUrl === place.provider.baseUrl ? {} : { baseUrl }),
    ...(apiKey === null ? {} : { apiKey }),
    ...(price ? { price } : {}),
    ...(contextTokens ? { contextTokens } : {}),
    ...((offer?.images ?? known?.images) ? { images: true } : {}),
  }
}

/** What an answer cost, and the budget that holds. */
export function trialLine(
  name: string,
  { text, took, costMicroUsd, estimated, inputTokens, outputTokens }: Trial,
): string {
  const words = escapeInline(text.replace(/\s+/g, ' ').trim().slice(0, 120))
  const tokens = `${count(inputTokens)} tokens read, ${count(outputTokens)} written${estimated ? ', counted by us' : ''}`
  return `${name} answered in ${took}: “${words}” · cost ${usd(costMicroUsd)} (${tokens})`
}

/** Tries the model and stores it when it has answered. */
async function take(
  context: Context,
  place: Place,
  wanted: Wanted,
  force: boolean,
  signal: AbortSignal,
): Promise<Found> {
  const { settings } = context.services.context
  const { prefix } = context.settings
  const offers = await offered(context, place, signal).catch(error => (force ? [] : Promise.reject(error as Error)))
  const offer = offers.find(({ id }) => id === wanted.model)
  if (offers.length > 0 && !offer && !force) {
    throw new ChanopError(
      'not-found',
      `${place.name} does not offer ${wanted.model}: ${prefix}model add ${place.name} shows what it does; --force takes it all the same`,
    )
  }
  const raw = await modelOf(context, place, wanted, offer, signal)
  const key = `models.${wanted.name}`
  const config = settings.preview(key, raw)
  // As it is before the trial, which takes its time.
  const change = changing(context, { [key]: raw })
  const lines: string[] = []
  if (!force) {
    const trial = await tryOut(
      context.services.configured,
      candidateOf(wanted.name, config.models[wanted.name] as never),
      await callerBooks(context),
      signal,
    )
    lines.push(trialLine(wanted.name, trial))
  }
  lines.push(`${wanted.name} is on · ${budgetLine(config)} · ${prefix}model off ${wanted.name} turns it off`)
  return { lines, ...change }
}

export const add = declare({
  name: 'model add',
  summary: 'adds a model, step by step: the service, its key, which model; tries one answer, says its cost',
  role: 'owner',
  reply: 'private',
  mutates: true,
  args: z.object({
    service: z
      .string()
      .optional()
      .describe(`one of ${providerNames.join(', ')}`),
    model: z.string().max(200).optional().describe('as the service calls it; without: what it offers'),
    name: named(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,40}$/, 'use lower-case letters, digits, - and _')),
    url: named(z.string().max(300), 'another address of the service'),
    price: named(priceArg),
    force: flag('without looking whether it answers'),
  }),
  examples: [
    [
      '!model add',
      /^which service\? .*openai.*ollama.*\nsay !model add SERVICE, e\.g\. !model add openai/,
      'which service? openai, anthropic, ollama, …\nsay !model add SERVICE, e.g. !model add openai',
    ],
    ['!model add opnai', 'no service opnai; did you mean openai?'],
    [
      '!model add openai',
      /^I have no key for openai: say !model key openai YOUR-KEY/,
      'I have no key for openai: say !model key openai YOUR-KEY to me, in a direct message and nowhere else; it is sealed and its message is wiped',
    ],
  ],
  async run(context, { service, model, name, url, price, force }) {
    const { prefix } = context.settings
    if (service === undefined) {
      return {
        lines: [
          `which service? ${providerNames.join(', ')}`,
          `say ${prefix}model add SERVICE, e.g. ${prefix}model add openai or ${prefix}model add ollama`,
        ],
      }
    }
    const place = await placeOf(context, providerNamed(service), url)
    if (model === undefined) return { lines: choiceLines(place, await offered(context, place, context.signal), prefix) }
    const current = context.services.context.settings.current
    const wanted = { model, name: name ?? freeName(current, model), price }
    return soonOrLater(
      { bot: context.services.context, context, reply: 'private' },
      `${escapeInline(model)} at ${place.name}`,
      signal => take(context, place, wanted, force, signal),
    )
  },
})

export const key = declare({
  name: 'model key',
  summary: 'seals the key of a service in the vault and shows what it offers',
  role: 'owner',
  reply: 'private',
  where: 'dm',
  mutates: true,
  args: z.object({ service: z.string(), key: z.string().min(1).max(1000).meta({ rest: true, secret: true }) }),
  examples: [
    ['model key ollama abc', /^ollama's key is sealed as OLLAMA_API_KEY/, "ollama's key is sealed as OLLAMA_API_KEY"],
  ],
  async run(context, { service, key }) {
    const { vault } = context.services.context
    const name = providerNamed(service)
    if (vault.locked) throw new ChanopError('vault-locked', vault.locked)
    const variable = providerOf(name).key ?? `${name.toUpperCase()}_API_KEY`
    const by = byOf(context.caller)
    return {
      lines: [
        `${name}'s key is sealed as ${variable}; now ${context.settings.prefix}model add ${name} shows what it offers`,
      ],
      effect: tx => storeSecret(tx, vault, variable, key.trim(), by, context.atMs),
    }
  },
})
