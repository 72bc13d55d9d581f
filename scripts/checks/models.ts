import { candidateOf } from '../../bots/oracle/models/choice.ts'
import { TryFault } from '../../bots/oracle/models/request/fault.ts'
import { offersOf } from '../../bots/oracle/models/service/offers.ts'
import type { Config } from '../../config/schema.ts'
import type { Instance } from '../instance.ts'
import { bad, type Finding, good, hint } from './check.ts'
import { inSettings, type Resolve } from './settings.ts'

const askMs = 5000

/** Whether each model that is on can be reached with its key and is offered. Asks no model anything, so it costs nothing. */
export const checkModels = (instance: Instance): Promise<Finding[]> =>
  inSettings(instance, async ({ models, commands }, resolve) => {
    const on = Object.entries(models).filter(([, model]) => model.on)
    if (on.length === 0) {
      const how = `${commands.prefix}model add, in a direct message to oracle, adds one`
      return [hint('models', 'none is on, so oracle does not answer (all else works)', how)]
    }
    return Promise.all(on.map(([name, model]) => checkModel(name, model, resolve)))
  })

async function checkModel(name: string, config: Config['models'][string], resolve: Resolve): Promise<Finding> {
  const label = `model ${name}`
  const { baseUrl } = candidateOf(name, config)
  try {
    const key = config.apiKey === null ? null : await resolve(config.apiKey)
    const offers = await offersOf(baseUrl, key, AbortSignal.timeout(askMs))
    const there = offers.length === 0 || offers.some(({ id }) => id === config.model || id === `${config.model}:latest`)
    if (!there) return bad(label, `${baseUrl} does not offer ${config.model}`, `see what it offers, and set another`)
    return good(label, `${config.provider} ${config.model} is there`)
  } catch (error) {
    const words = error instanceof TryFault ? `${baseUrl} ${error.message}` : (error as Error).message
    return bad(label, words, `correct it (!model set ${name} KEY VALUE), or !model off ${name}`)
  }
}
