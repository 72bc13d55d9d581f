import { valueAt } from '../core/config/schema.ts'
import { managedNetworks } from './networks.ts'
import type { Config } from './schema.ts'

/** Keys that `npm start` alone takes over, for it makes servers and processes of them. */
const startKeys = (config: Pick<Config, 'networks'>): string[] => [
  'redis',
  'irc',
  ...managedNetworks(config).flatMap(name => ['listen', 'history', 'managed'].map(key => `networks.${name}.${key}`)),
]

const isAt = (key: string, other: string): boolean => key === other || key.startsWith(`${other}.`)

/** Whether a change of `key` waits for `npm start`. */
export const waitsForStart = (config: Pick<Config, 'networks'>, key: string): boolean =>
  startKeys(config).some(known => isAt(key, known) || isAt(known, key))

const at = (config: Config, key: string): string | undefined => JSON.stringify(valueAt(config, key.split('.')))

/** Keys that differ between two configurations and wait for `npm start`. */
export function changedForStart(before: Config, after: Config): string[] {
  const keys = new Set([...startKeys(before), ...startKeys(after)])
  return [...keys].filter(key => at(before, key) !== at(after, key))
}
