import { portState } from '../../adapters/irc/server/ports.ts'
import { parseEndpoint } from '../../adapters/irc/server/settings.ts'
import { bad, type Finding, good } from './check.ts'

/** A port that we want, and the key of the configuration that says so. */
export interface WantedPort {
  readonly key: string
  readonly address: string
}

/** Whether we could listen there. `held`: addresses that our own running server has already. */
export async function checkPort({ key, address }: WantedPort, held: readonly string[], file: string): Promise<Finding> {
  const name = `port ${address}`
  if (held.includes(address)) return good(name, 'our own server listens there')
  const { host, port } = parseEndpoint(address)
  const state = await portState(host, port)
  if (state.free) return good(name, 'free')
  const { reason } = state
  const where = `${key} in ${file}`
  if (reason === 'EADDRINUSE')
    return bad(name, `port ${port} on ${host} is taken`, `stop what listens there, or change ${where}`)
  if (reason === 'EACCES') return bad(name, `port ${port} needs root`, `choose one above 1023: change ${where}`)
  return bad(name, `${address} can not be listened on (${reason})`, `change ${where}`)
}
