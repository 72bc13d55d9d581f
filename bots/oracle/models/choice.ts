import { isLoopback, type Provider, providerOf } from '../../../config/providers.ts'
import type { Config } from '../../../config/schema.ts'
import type { Price } from '../../../core/ledger/oracle/tries.ts'
import type { PassedApi } from '../../../core/passed-on.ts'
import type { Task } from './contract.ts'

type Needs = { readonly tools: boolean; readonly images: boolean }
type ModelConfig = Config['models'][string]

/** A configured model, with what its provider adds. */
export interface Candidate {
  readonly name: string
  readonly config: ModelConfig
  readonly provider: Provider
  readonly baseUrl: string
  readonly price: Price
  /** What lessons are kept by: the same model elsewhere, or by another name, teaches the same. */
  readonly service: string
  /** What health is kept by: another key has its own limits, and a change of the configuration is a new chance. */
  readonly route: string
}

export function candidateOf(name: string, config: ModelConfig): Candidate {
  const provider = providerOf(config.provider)
  const baseUrl = (config.baseUrl ?? provider.baseUrl ?? '').replace(/\/+$/, '')
  const { inputPerMillion = 0, outputPerMillion = 0, cachedPerMillion = null } = config.price ?? {}
  const price = { input: inputPerMillion, cached: cachedPerMillion ?? inputPerMillion, output: outputPerMillion }
  const service = `${baseUrl} ${config.model}`
  return { name, config, provider, baseUrl, price, service, route: `${name} ${service} ${config.apiKey}` }
}

/** Free because it runs here, and nobody said what it costs. */
export const isLocal = ({ config, baseUrl }: Candidate): boolean => config.price === null && isLoopback(baseUrl)

type Chosen = Pick<Config, 'models' | 'modelsFor'>

/** The models that may do a task in a room, in no order. */
export function allowed({ models, modelsFor }: Chosen, task: Task, room: string): Candidate[] {
  const forRoom = task === 'answer' && Object.hasOwn(modelsFor.rooms, room) ? modelsFor.rooms[room] : undefined
  const chosen = forRoom ?? modelsFor.tasks[task]
  const names = chosen ?? Object.keys(models)
  // A weight of 0 keeps a model for what names it.
  return names
    .map(name => candidateOf(name, models[name] as ModelConfig))
    .filter(({ config }) => config.on && !config.embeddings && (chosen !== null || config.weight > 0))
}

/** Who answers what is asked of one model: that one, and after it others in their order that can do what it takes. */
export function substitutes(config: Chosen, name: string, api: PassedApi, needs: Needs): Candidate[] {
  const embeds = api === 'embeddings'
  const all = Object.entries(config.models)
    .map(([each, of]) => candidateOf(each, of))
    .filter(({ config: { on, embeddings } }) => on && embeddings === embeds)
  const named = all.filter(candidate => candidate.name === name)
  // Numbers of one model say nothing to another.
  if (embeds || named.length === 0) return named
  const others = all.filter(
    ({ name: each, config: { weight, tools, images } }) =>
      each !== name && weight > 0 && (tools || !needs.tools) && (images || !needs.images),
  )
  return [...named, ...ordered(others)]
}

/** By priority, and inside of one by chance after their weights, so that each has its share of being first. */
export function ordered(candidates: readonly Candidate[], random: () => number = Math.random): Candidate[] {
  // Efraimidis and Spirakis: the keys u^(1/w), largest first, are a weighted draw without replacement.
  const drawn = candidates.map(candidate => ({
    candidate,
    key: random() ** (1 / Math.max(candidate.config.weight, 1e-9)),
  }))
  drawn.sort((a, b) => a.candidate.config.priority - b.candidate.config.priority || b.key - a.key)
  return drawn.map(({ candidate }) => candidate)
}
