/** Opens what was unpacked, to see that it can be run on. */
import { join } from 'node:path'
import { ChanopError } from '../../core/error.ts'
import { type Counts, countsIn, damageOf } from '../../core/ledger/snapshot.ts'
import { count, size } from '../../core/text/text.ts'
import { isDatabase } from './copy.ts'
import { checkFiles, type Manifest } from './manifest.ts'

export const ledgerName = 'data/ledger.db'
export const configName = 'config/chanop.yaml'

/** Checks every file and every database of an unpacked backup. Throws in words when anything is not as it was. */
export async function examine(folder: string): Promise<Manifest> {
  const manifest = await checkFiles(folder)
  for (const { path } of manifest.files) {
    if (await isDatabase(join(folder, path))) checkDatabase(join(folder, path), path)
  }
  const counts = countsIn(join(folder, ledgerName))
  if (JSON.stringify(counts) !== JSON.stringify(manifest.counts))
    throw new ChanopError(
      'usage',
      `the backup is not whole: the ledger holds ${inWords(counts)}, not ${inWords(manifest.counts)}`,
    )
  return manifest
}

function checkDatabase(file: string, name: string): void {
  const damage = damageOf(file)
  if (damage !== null)
    throw new ChanopError('ledger-corrupt', `${name} is damaged (${damage}): npm run doctor tells more`)
}

const inWords = (counts: Counts): string =>
  Object.entries(counts)
    .map(([word, many]) => `${count(many)} ${word}`)
    .join(', ')

/** What lies in a backup, in one line. */
export function contentsInWords({ files, counts }: Manifest): string {
  const has = (prefix: string): boolean => files.some(({ path }) => path.startsWith(prefix))
  const media = files.filter(({ path }) => path.startsWith('data/media/'))
  const parts = [
    `ledger (${inWords(counts)})`,
    has('data/keys/') && "the vault's key",
    has('data/ircd/') && "the IRC server's accounts",
    has('data/agents/') && "agents' keys",
    media.length > 0 &&
      `${count(media.length)} media files (${size(media.reduce((sum, one) => sum + one.sizeBytes, 0))})`,
    has('config/') && 'the configuration',
  ]
  return parts.filter(Boolean).join(', ')
}
