/** Options of the programs that measure and kill: what is wrong is one line that names what is possible. */
import { parseArgs } from 'node:util'
import type { ServerKind } from './instance.ts'

function refuse(why: string): never {
  console.error(why)
  process.exit(2)
}

/** `--name value` for every name of `defaults`, with its value where it is not given. Numbers stay numbers. */
export function optionsOf<T extends Record<string, string | number>>(defaults: T): T {
  const names = Object.keys(defaults).map(name => `--${name}`)
  try {
    const entries = Object.keys(defaults).map(name => [name, { type: 'string' }] as const)
    const { values } = parseArgs({ options: Object.fromEntries(entries) })
    const given = Object.entries(values).map(([name, value]) => [name, typed(name, value, defaults[name])] as const)
    return { ...defaults, ...Object.fromEntries(given) }
  } catch (error) {
    return refuse(`${(error as Error).message.split('.')[0]}; possible: ${names.join(' ')}`)
  }
}

function typed(name: string, value: unknown, like: unknown): string | number {
  if (typeof like !== 'number') return String(value)
  const number = Number(value)
  return Number.isInteger(number) && number >= 0
    ? number
    : refuse(`--${name} must be a whole number, not '${String(value)}'`)
}

/** `ergo,inspircd`: the managed server and the one beside it. */
export function twoServers(written: string): readonly [ServerKind, ServerKind] {
  const kinds = written.split(',')
  const known = kinds.filter((kind): kind is ServerKind => kind === 'ergo' || kind === 'inspircd')
  const [first, second] = known
  if (kinds.length !== 2 || !first || !second) {
    return refuse(`--servers must be two of ergo and inspircd, e.g. ergo,inspircd, not '${written}'`)
  }
  return [first, second]
}
