import { kinds } from '../adapters/index.ts'
import type { NetworkId } from '../core/event.ts'
import type { Config } from './schema.ts'

type Networks = Pick<Config, 'networks'>

/** Whether we run a network's server, so that its accounts and channels are ours to keep. */
export function isManaged({ networks }: Networks, network: string): boolean {
  const found = Object.hasOwn(networks, network) ? networks[network] : undefined
  return found !== undefined && kinds.find(({ kind }) => kind === found.kind)?.managed?.(found) === true
}

/** Networks that take keys, with where they are reached. */
export const keyNetworks = ({ networks }: Networks): { readonly network: NetworkId; readonly url: string }[] =>
  Object.entries(networks).flatMap(([network, config]) => {
    const url = kinds.find(({ kind }) => kind === config.kind)?.keysAt?.(config)
    return url === undefined ? [] : [{ network: network as NetworkId, url }]
  })

/** What programs may send to a webhook. */
export const hookFormats: readonly string[] = kinds.flatMap(kind => kind.hookFormats ?? [])

export const managedNetworks = (config: Networks): NetworkId[] =>
  Object.keys(config.networks).filter(network => isManaged(config, network)) as NetworkId[]
