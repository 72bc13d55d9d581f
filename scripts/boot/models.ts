/** Models of the configuration, and one that is taken by itself when there is none. */

import { freeName } from '../../bots/oracle/commands/model-names.ts'
import { budgetLine } from '../../bots/oracle/models/budget/money.ts'
import { discover } from '../../bots/oracle/models/service/discover.ts'
import { type Config, configSchema } from '../../config/schema.ts'
import { Ledger } from '../../core/ledger/ledger.ts'
import { getMeta, setMeta } from '../../core/ledger/meta.ts'
import { storeSetting } from '../../core/ledger/settings/settings.ts'
import { Settings } from '../../core/settings/settings.ts'
import { some } from '../../core/text/text.ts'
import { referencesIn } from '../../core/vault/secrets.ts'
import type { Instance } from '../instance.ts'

export interface ModelsFound {
  /** All that is in force, with what chat changed. */
  readonly config: Config
  /** Lines for who started it, without indent. */
  readonly lines: readonly string[]
  /** Variables that `env:NAME` references name, those of chat included. */
  readonly variables: readonly string[]
}

/** Providers that were taken once: who took them out does not want them back at the next start. */
const takenKey = 'models.taken'

/** Looks for a model when none is configured, takes it and says so. Asks no model anything. */
export async function findModels(instance: Instance, signal: AbortSignal): Promise<ModelsFound> {
  using ledger = Ledger.open(instance.paths.ledger)
  const settings = await Settings.open(instance.config, configSchema, ledger)
  const has = Object.keys(settings.current.models).length > 0
  const lines = has ? modelLines(settings.current) : await take(instance, ledger, settings, signal)
  return { config: settings.current, lines, variables: variablesOf(settings.current) }
}

const variablesOf = (config: Config): string[] =>
  referencesIn(config).flatMap(reference => (reference.startsWith('env:') ? [reference.slice('env:'.length)] : []))

function modelLines({ models, commands }: Config): string[] {
  const on = Object.entries(models).filter(([, { on }]) => on)
  if (on.length === 0) return [`! no model is on, so oracle can not answer: ${commands.prefix}model on NAME`]
  const shown = on.map(([name, { provider, model }]) => `${name} (${provider} ${model})`)
  return [`models     ${some(shown, 3)}`]
}

async function take(
  { env }: Instance,
  ledger: Ledger,
  settings: Settings<typeof configSchema>,
  signal: AbortSignal,
): Promise<string[]> {
  const { prefix } = settings.current.commands
  const taken = (await ledger.read(tx => getMeta(tx, takenKey)))?.split(' ') ?? []
  const { found, notes } = await discover(env, taken, signal)
  const noted = notes.map(note => `! ${note}`)
  if (!found) {
    const how = `${prefix}model add, in a direct message to oracle, or export OPENAI_API_KEY=… and npm start again`
    return [...noted, `! no model is configured, so oracle can not answer: ${how}`]
  }
  const name = freeName(settings.current, found.model.model)
  const key = `models.${name}`
  const value = settings.check(key, found.model)
  await ledger.write(tx => {
    storeSetting(tx, key, value, 'npm start', Date.now(), settings.covers(key))
    setMeta(tx, takenKey, [...taken, found.provider].join(' '))
  })
  await settings.reload()
  return [
    ...noted,
    `model      ${name} is taken: ${found.provider} ${found.model.model}, found by ${found.by}`,
    `           ${budgetLine(settings.current)}; ${prefix}model off ${name} turns it off`,
  ]
}
