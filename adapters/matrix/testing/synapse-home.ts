/** Where a Synapse for tests is kept: one folder for each list of pinned packages, shared by all checkouts. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

type Env = Readonly<Record<string, string | undefined>>

/** The packages with their versions, as `pip install -r` reads them. */
export const lockFile = join(import.meta.dirname, 'synapse.txt')

const lock = readFileSync(lockFile, 'utf8')
export const synapseVersion = /^matrix-synapse==(\S+)/m.exec(lock)?.[1] ?? 'unknown'

/** `cache`: what is shared by all checkouts of a user. */
export function synapseHome(cache: string): string {
  const digest = createHash('sha256').update(lock).digest('hex').slice(0, 12)
  return join(cache, `synapse-${synapseVersion}-${digest}`)
}

export const pythonIn = (home: string): string => join(home, 'bin', 'python')

/** The Python that can run Synapse: SYNAPSE_PYTHON, or where `npm test` puts it. It need not be there. */
export function synapsePython(env: Env = process.env): string {
  const cache = join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'chanop')
  return env['SYNAPSE_PYTHON'] || pythonIn(synapseHome(cache))
}
