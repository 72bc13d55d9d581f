import { kinds } from '../adapters/index.ts'
import type { NetworkId, UserId } from '../core/event.ts'
import type { Config } from './schema.ts'

type Networks = Pick<Config, 'networks'>

const configOf = ({ networks }: Networks, network: string) =>
  Object.hasOwn(networks, network) ? networks[network] : undefined
const kindOf = (config: { readonly kind: string } | undefined) => kinds.find(({ kind }) => kind === config?.kind)

/** Whether we run a network's server, so that its accounts and channels are ours to keep. */
export function isManaged(config: Networks, network: string): boolean {
  const found = configOf(config, network)
  return found !== undefined && kindOf(found)?.managed?.(found) === true
}

/** Whose account on a network is written so in the configuration. */
export const userOf = (config: Networks, network: string, account: string): UserId =>
  (kindOf(configOf(config, network))?.foldsAccounts ? account.toLowerCase() : account) as UserId

/** Networks that take keys, with where they are reached. */
export const keyNetworks = ({ networks }: Networks): { readonly network: NetworkId; readonly url: string }[] =>
  Object.entries(networks).flatMap(([network, config]) => {
    const url = kindOf(config)?.keysAt?.(config)
    return url === undefined ? [] : [{ network: network as NetworkId, url }]
  })

/** What programs may send to a webhook. */
export const hookFormats: readonly string[] = kinds.flatMap(kind => kind.hookFormats ?? [])

export const managedNetworks = (config: Networks): NetworkId[] =>
  Object.keys(config.networks).filter(network => isManaged(config, network)) as NetworkId[]
