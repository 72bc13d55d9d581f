import { lockFile, pythonIn, synapseHome, synapseVersion } from '../../adapters/matrix/testing/synapse-home.ts'
import type { Places } from './places.ts'
import { failed, obtainPython, reasonOf } from './python.ts'
import { run } from './run.ts'

/**
 * A Matrix homeserver for the suites, from PyPI, into the user's cache: nothing is compiled, nothing installed on the
 * system. Throws `setup-failed` where no Python can have it.
 */
export async function obtainSynapse({ cache, env }: Places): Promise<{ python: string; version: string }> {
  const named = env['SYNAPSE_PYTHON']
  if (named) {
    await check(named)
    return { python: named, version: synapseVersion }
  }
  const home = synapseHome(cache)
  const steps = async () => [['-r', lockFile]]
  await obtainPython({ name: 'Synapse', cache, home, steps, minor: { from: 10, to: 13 }, check }, env)
  return { python: pythonIn(home), version: synapseVersion }
}

async function check(python: string): Promise<void> {
  await run(python, ['-m', 'synapse.app.homeserver', '--help'], { timeout: 60_000 }).catch((error: unknown) => {
    throw failed(`Synapse does not run with ${python} (${reasonOf(error)})`)
  })
}
