import { type Config, configSchema } from '../../config/schema.ts'
import { ChanopError } from '../../core/error.ts'
import { readJson } from '../../core/files.ts'
import { Ledger } from '../../core/ledger/ledger.ts'
import { olderSchemaOf } from '../../core/ledger/snapshot.ts'
import { Settings } from '../../core/settings/settings.ts'
import { referencesIn, resolveSecret, Vault } from '../../core/vault/secrets.ts'
import { demandLedger, type Instance } from '../instance.ts'
import { bad, type Finding, good } from './check.ts'

/** What a reference (`env:NAME`, `secret:NAME`) stands for, as the bots find it. Rejects with `secret-missing`. */
export type Resolve = (reference: string) => Promise<string>

/** Runs `look` on the settings in force: the file's, with what chat changed. Rejects where that would make or change a ledger. */
export async function inSettings<T>(
  instance: Instance,
  look: (current: Config, resolve: Resolve) => Promise<T>,
): Promise<T> {
  const { config: file, paths, env } = instance
  demandLedger(instance)
  if (olderSchemaOf(paths.ledger) !== null)
    throw new ChanopError('setup-failed', 'the ledger is of an older release: npm start keeps a copy and migrates it')
  using ledger = Ledger.open(paths.ledger)
  const { current } = await Settings.open(file, configSchema, ledger)
  const vault = await Vault.open(paths.vaultKey, ledger)
  const kept = ((await readJson(paths.env)) ?? {}) as Record<string, string>
  return await look(current, reference => ledger.read(tx => resolveSecret(tx, vault, reference, { ...env, ...kept })))
}

/** Whether what the networks refer to is there; a model's key is looked at with the model. */
export const checkReferences = (instance: Instance): Promise<Finding[]> =>
  inSettings(instance, async ({ networks }, resolve) => {
    const found = await Promise.all(
      Object.entries(networks).flatMap(([network, settings]) =>
        referencesIn(settings).map(reference => checkReference(`${reference} of ${network}`, reference, resolve)),
      ),
    )
    return found.filter(({ ok }) => !ok)
  })

async function checkReference(name: string, reference: string, resolve: Resolve): Promise<Finding> {
  try {
    await resolve(reference)
    return good(name, 'is there')
  } catch (error) {
    const [detail = '', fix = ''] = (error as Error).message.split(/: (.*)/s)
    return bad(name, detail, fix)
  }
}
