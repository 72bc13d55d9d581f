import { stat } from 'node:fs/promises'
import { Ledger } from '../../core/ledger/ledger.ts'
import { olderSchemaOf } from '../../core/ledger/snapshot.ts'
import type { DataPaths } from '../../core/paths.ts'
import { damagedSecrets, Vault } from '../../core/vault/secrets.ts'
import { bad, type Finding, good } from './check.ts'

/** Largest ledger that every start reads through; `npm run doctor` reads any. */
const quicklyCheckedBytes = 128 * 1024 * 1024

/**
 * Opens the ledger and the vault's key, and makes both on the first start. `whole` reads all of the ledger, however large
 * it is. Throws `ledger-*` errors.
 */
export async function checkLedger(paths: DataPaths, depth: 'quick' | 'whole'): Promise<Finding> {
  const sizeBytes = (await stat(paths.ledger).catch(() => null))?.size ?? 0
  using ledger = Ledger.open(paths.ledger, { check: depth === 'whole' || sizeBytes < quicklyCheckedBytes })
  const vault = await Vault.open(paths.vaultKey, ledger)
  if (vault.locked) return { name: 'vault', ok: false, detail: vault.locked }
  const damaged = depth === 'whole' ? await ledger.read(tx => damagedSecrets(tx, vault)) : []
  if (damaged.length > 0)
    return bad(
      'secrets',
      `can not be opened: ${damaged.join(', ')}`,
      'set them anew (!secret set NAME, in a DM to admin)',
    )
  if (sizeBytes === 0) return good('ledger', 'ledger and vault key made')
  return good('ledger', `${(sizeBytes / 1024 ** 2).toFixed(1)} MB, sound; the vault's key fits`)
}

/** To open a ledger of an older release would migrate it. */
export async function checkLedgerIsThere(paths: DataPaths): Promise<Finding> {
  const there = await stat(paths.ledger).catch(() => null)
  if (!there) return bad('ledger', 'there is none yet', 'npm start makes it')
  if (olderSchemaOf(paths.ledger) === null) return checkLedger(paths, 'whole')
  return bad('ledger', 'it is of an older release', 'npm start keeps a copy and migrates it')
}
