import { type ProviderName, providerNames } from '../../../config/providers.ts'
import type { Config } from '../../../config/schema.ts'
import { ChanopError } from '../../../core/error.ts'
import { nearest } from '../../../core/text/nearest.ts'
import { type Candidate, candidateOf } from '../models/choice.ts'

const missing = (what: string, name: string, known: readonly string[], list: string): ChanopError => {
  const near = nearest(name, known)
  return new ChanopError('not-found', `no ${what} ${name}${near ? `; did you mean ${near}?` : `; ${list}`}`)
}

/** Throws `not-found` with the nearest name. */
export function modelNamed({ models }: Pick<Config, 'models'>, name: string): Candidate {
  const config = Object.hasOwn(models, name) ? models[name] : undefined
  if (!config) throw missing('model', name, Object.keys(models), '!model list shows them')
  return candidateOf(name, config)
}

export function providerNamed(name: string): ProviderName {
  const found = providerNames.find(known => known === name.toLowerCase())
  if (!found) throw missing('service', name, providerNames, `there are ${providerNames.join(', ')}`)
  return found
}

/** A short name of our own for a model: `accounts/fireworks/models/llama-v3p3` is `llama-v3p3`; one that is free. */
export function freeName({ models }: Pick<Config, 'models'>, model: string): string {
  const short = model.split('/').at(-1) ?? model
  const plain =
    short
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 40) || 'model'
  let free = plain
  for (let n = 2; Object.hasOwn(models, free); n++) free = `${plain}-${n}`
  return free
}
