import { candidateOf } from '../../bots/oracle/models/choice.ts'
import { TryFault } from '../../bots/oracle/models/request/fault.ts'
import { offersOf } from '../../bots/oracle/models/service/offers.ts'
import { type Config, configSchema } from '../../config/schema.ts'
import { Ledger } from '../../core/ledger/ledger.ts'
import { Settings } from '../../core/settings/settings.ts'
import { resolveSecret, Vault } from '../../core/vault/secrets.ts'
import { readJson } from '../boot/files.ts'
import type { Instance } from '../instance.ts'
import { bad, type Finding, good } from './check.ts'

const askMs = 5000

/** Whether each model that is on can be reached with its key and is offered. Asks no model anything, so it costs nothing. */
export async function checkModels({ config: file, paths, env }: Instance): Promise<Finding[]> {
  const ledger = Ledger.open(paths.ledger)
  try {
    const { current } = await Settings.open(file, configSchema, ledger)
    const vault = await Vault.open(paths.vaultKey, ledger)
    const kept = ((await readJson(paths.env)) ?? {}) as Record<string, string>
    const secret = (reference: string): Promise<string> =>
      ledger.read(tx => resolveSecret(tx, vault, reference, { ...env, ...kept }))
    const on = Object.entries(current.models).filter(([, model]) => model.on)
    if (on.length === 0) {
      const fix = `${current.commands.prefix}model add, in a direct message to oracle`
      return [bad('models', 'none is on, so oracle can not answer', fix)]
    }
    return await Promise.all(on.map(([name, model]) => checkModel(name, model, secret)))
  } finally {
    ledger.close()
  }
}

async function checkModel(
  name: string,
  config: Config['models'][string],
  secret: (reference: string) => Promise<string>,
): Promise<Finding> {
  const label = `model ${name}`
  const { baseUrl } = candidateOf(name, config)
  try {
    const key = config.apiKey === null ? null : await secret(config.apiKey)
    const offers = await offersOf(baseUrl, key, AbortSignal.timeout(askMs))
    const there = offers.length === 0 || offers.some(({ id }) => id === config.model || id === `${config.model}:latest`)
    if (!there) return bad(label, `${baseUrl} does not offer ${config.model}`, `see what it offers, and set another`)
    return good(label, `${config.provider} ${config.model} is there`)
  } catch (error) {
    const words = error instanceof TryFault ? `${baseUrl} ${error.message}` : (error as Error).message
    return { name: label, ok: false, detail: words }
  }
}
