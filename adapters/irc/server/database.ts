/** Anope's database of accounts: never started empty over one that was not. */
import { copyFile, open, readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ChanopError } from '../../../core/error.ts'
import { makeFolder } from '../../../core/files.ts'
import { exists } from './programs.ts'

const holds = (path: string): Promise<boolean> =>
  stat(path).then(
    file => file.size > 0,
    () => false,
  )

/** Says that there are accounts now: from here on an absent database is a loss, not a first start. */
export async function markFilled(anope: string): Promise<void> {
  await (await open(join(anope, 'has-accounts'), 'a', 0o600)).close()
}

/**
 * The first save of a day renames the database into `backups/` before it writes the new one; killed in between, none is
 * left, and Anope would begin without accounts. Resolves with the backup that was put back, or null.
 * Rejects `config-invalid` when there were accounts and no copy of them is left.
 */
export async function restoreDatabase(anope: string): Promise<string | null> {
  const database = join(anope, 'db', 'anope.db')
  const backups = join(anope, 'db', 'backups')
  // Without these folders Anope would run on without accounts, or end at the first save after each start.
  await makeFolder(backups)
  if (await holds(database)) return null
  const names = (await readdir(backups)).filter(name => name.startsWith('anope.db'))
  // Their names end in the date.
  for (const name of names.sort().toReversed()) {
    if (!(await holds(join(backups, name)))) continue
    const temporary = `${database}.restoring`
    await copyFile(join(backups, name), temporary)
    await rename(temporary, database)
    return name
  }
  if (!(await exists(join(anope, 'has-accounts')))) return null
  throw new ChanopError(
    'config-invalid',
    `${database} is gone and no backup of it is left: restore it, or delete ${join(anope, 'has-accounts')} to begin without accounts`,
  )
}
