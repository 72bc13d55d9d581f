/** The commands that Tab knows: a list to begin with, the bots' own list when they left one, and what their help names. */

import type { Line } from '../../adapters/irc/text/line.ts'
import { readIfThere } from '../../core/files.ts'
import { isBotName } from '../../core/process/bots.ts'
import { withoutFormat } from './format.ts'

const builtIn = [
  'help', 'find', 'whoami', 'more', 'yes', 'no', 'status', 'doctor', 'networks', 'network show', 'rooms', 'role list',
  'role grant', 'role revoke', 'config get', 'config set', 'config unset', 'config find', 'config diff', 'config export',
  'config reload', 'secret list', 'secret set', 'secret del', 'person add', 'person list', 'person passwd', 'person del',
  'say', 'restart', 'audit', 'version', 'last', 'search', 'log show', 'stats', 'export', 'room link', 'room unlink',
  'room add', 'room del', 'join', 'part', 'ignore', 'stop',
] // biome-ignore format: a list to read at a glance

const name = /^[a-z][a-z0-9-]{0,30}( [a-z][a-z0-9-]{0,30}){0,2}$/
const mostKnown = 1000

/** Whose words teach Tab: a server's tag tells bots apart where it has one. */
export const isBot = ({ nick, tags }: Line): boolean => tags['bot'] !== undefined || isBotName(nick.toLowerCase())

/** Names in what `data/run/commands.json` may hold: `["help", "role grant"]`, or objects with a `name`. */
export function namesIn(value: unknown): string[] {
  const list = Array.isArray(value) ? value : ((value as { commands?: unknown } | null)?.commands ?? [])
  if (!Array.isArray(list)) return []
  const names = list.map((each: unknown) =>
    typeof each === 'string' ? each : (each as { name?: unknown } | null)?.name,
  )
  return names.filter((each): each is string => typeof each === 'string' && name.test(each))
}

/** Words for agents that need no list: core/access/selector.ts. */
const selectors = ['all', 'here']
const group = /^[a-z0-9][a-z0-9_-]{0,30}$/
const setting = /^[A-Za-z0-9][A-Za-z0-9_.#&-]{0,100}$/

const stringsIn = (value: unknown, fits: RegExp): string[] =>
  Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string' && fits.test(each)) : []

export class KnownCommands {
  readonly #names = new Set<string>(builtIn)
  readonly #groups = new Set<string>(selectors)
  settings: readonly string[] = []
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  get names(): readonly string[] {
    return [...this.#names]
  }

  get groups(): readonly string[] {
    return [...this.#groups]
  }

  #add(command: string): void {
    if (name.test(command) && this.#names.size < mostKnown) this.#names.add(command)
  }

  /** Takes the list that the bots wrote; without one the built-in list stays. */
  async load(path: string): Promise<void> {
    const left = JSON.parse((await readIfThere(path)) ?? '[]') as { settings?: unknown; groups?: unknown } | null
    this.settings = stringsIn(left?.settings, setting)
    for (const each of stringsIn(left?.groups, group)) this.#groups.add(each)
    const names = namesIn(left)
    if (names.length > 0) this.#names.clear()
    for (const each of names) this.#add(each)
  }

  /** Learns `!word` and `!word one|two` from what a bot said. */
  learn(said: string): void {
    for (const word of withoutFormat(said).split(/[\s`,;()]+/)) {
      if (word.startsWith('@') && group.test(word.slice(1)) && this.#groups.size < mostKnown)
        this.#groups.add(word.slice(1))
      if (word.startsWith(this.#prefix)) this.#learnWord(word.slice(this.#prefix.length).replace(/[.:]$/, ''))
    }
    this.#learnVerbs(withoutFormat(said))
  }

  #learnWord(word: string): void {
    if (![...this.#names].some(known => known.split(' ')[0] === word)) this.#add(word)
  }

  #learnVerbs(said: string): void {
    const words = said.split(/[\s`,;()]+/)
    for (const [at, word] of words.entries()) {
      const verbs = words[at + 1]
      if (!word.startsWith(this.#prefix) || !verbs?.includes('|')) continue
      for (const verb of verbs.split('|')) this.#add(`${word.slice(this.#prefix.length)} ${verb}`)
    }
  }
}
