import { portState } from '../../adapters/irc/server/ports.ts'
import { parseEndpoint } from '../../adapters/irc/server/settings.ts'
import { bad, type Finding, good } from './check.ts'

/** A port that we want, and the key of the configuration that says so. */
export interface WantedPort {
  readonly key: string
  readonly address: string
  /** What `config unset` takes back where chat set it: the file's word does not count then. */
  readonly chatKey?: string
}

/** What to do about a word of chat that a start can't carry out. */
export const byFileAlone = (file: string, chatKey: string): string =>
  `start by ${file} alone (CHANOP_FILE_ONLY=1 npm start) and take back what was set in chat (config unset ${chatKey})`

const wayOut = ({ key, chatKey }: WantedPort, file: string): string =>
  chatKey === undefined ? `change ${key} in ${file}` : byFileAlone(file, chatKey)

/** Whether we could listen there. `held`: addresses that our own running server has already. */
export async function checkPort(wanted: WantedPort, held: readonly string[], file: string): Promise<Finding> {
  const { address } = wanted
  const name = `port ${address}`
  if (held.includes(address)) return good(name, 'our own server listens there')
  const { host, port } = parseEndpoint(address)
  const state = await portState(host, port)
  if (state.free) return good(name, 'free')
  const { reason } = state
  const change = wayOut(wanted, file)
  if (reason === 'EADDRINUSE')
    return bad(name, `port ${port} on ${host} is taken`, `stop what listens there, or ${change}`)
  if (reason === 'EACCES') return bad(name, `port ${port} needs root`, `choose one above 1023: ${change}`)
  return bad(name, `${address} can not be listened on (${reason})`, change)
}
