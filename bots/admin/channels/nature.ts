import type { Config } from '../../../config/schema.ts'
import type { KeptChannel } from '../../../core/ledger/settings/channels.ts'
import { parseDuration } from '../../../core/text/text.ts'

type Types = Config['channels']['types']

/** What holds for a channel: its own properties, and its type's where it has none. */
export interface Nature {
  /** The prefix of its type; '' without one. */
  readonly type: string
  readonly modes: string
  readonly greeting: string
  /** Selectors of agents that are made to enter. */
  readonly join: readonly string[]
  readonly ttlMs: number | null
}

/** The type whose prefix a channel's name begins with, the longest one; '' when there is none. */
export function typeFor(types: Types, channel: string): string {
  const bare = channel.replace(/^[#&+!]/, '').toLowerCase()
  const fitting = Object.keys(types).filter(prefix => bare.startsWith(prefix))
  return fitting.sort((a, b) => b.length - a.length)[0] ?? ''
}

export function natureOf(types: Types, kept: Pick<KeptChannel, 'type' | 'modes' | 'greeting'>): Nature {
  const type = Object.hasOwn(types, kept.type) ? types[kept.type] : undefined
  return {
    type: type ? kept.type : '',
    modes: kept.modes || (type?.modes ?? ''),
    greeting: kept.greeting || (type?.greeting ?? ''),
    join: type?.join ?? [],
    ttlMs: type?.ttl == null ? null : parseDuration(type.ttl),
  }
}

/** The letters of `+im-n` with their sign. */
function letters(modes: string): Map<string, string> {
  const found = new Map<string, string>()
  let sign = '+'
  for (const letter of modes) {
    if (letter === '+' || letter === '-') sign = letter
    else found.set(letter, sign)
  }
  return found
}

const written = (modes: Iterable<readonly [string, string]>): string => {
  const all = [...modes]
  const of = (sign: string): string => {
    const those = all.filter(([, each]) => each === sign).map(([letter]) => letter)
    return those.length > 0 ? `${sign}${those.join('')}` : ''
  }
  return `${of('+')}${of('-')}`
}

/** What to set so that `now` holds where `before` held: what only `before` said is turned round. */
export function modesChange(before: string, now: string): string {
  const wanted = letters(now)
  const back = [...letters(before)]
    .filter(([letter]) => !wanted.has(letter))
    .map(([letter, sign]) => [letter, sign === '+' ? '-' : '+'] as const)
  return written([...back, ...wanted])
}

export const greet = (greeting: string, nick: string, channel: string): string =>
  greeting.replaceAll('{nick}', () => nick).replaceAll('{channel}', () => channel)
