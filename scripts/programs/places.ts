import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from '../../core/files.ts'
import type { DataPaths } from '../../core/paths.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Where programs are looked for and put. */
export interface Places {
  readonly data: string
  readonly bin: string
  /** Shared by all instances of a user, where their home can be written; else in the data folder. */
  readonly cache: string
  readonly env: Env
}

export const sharedCache = (env: Env): string =>
  join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'chanop')

export async function placesOf({ data, bin }: DataPaths, env: Env): Promise<Places> {
  const shared = sharedCache(env)
  const usable = await makeFolder(shared)
    .then(() => access(shared, constants.W_OK))
    .then(
      () => true,
      () => false,
    )
  return { data, bin, cache: usable ? shared : data, env }
}
