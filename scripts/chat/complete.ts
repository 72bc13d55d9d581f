/** Completion with Tab: commands with their words, settings, nicks, @groups, channels. */
import { ownWords } from './input.ts'

export interface Sources {
  readonly prefix: string
  /** Commands without prefix, of one or more words: `help`, `role grant`. */
  readonly commands: readonly string[]
  /** Keys of the configuration: `commands.prefix`. */
  readonly settings: readonly string[]
  /** Without `@`. */
  readonly groups: readonly string[]
  readonly nicks: readonly string[]
  readonly channels: readonly string[]
}

export interface Completion {
  /** Where the word that is completed begins. */
  readonly from: number
  /** What it can become, each with what follows it. */
  readonly choices: readonly string[]
}

const starting = (names: Iterable<string>, typed: string): string[] =>
  [...new Set(names)]
    .filter(name => name.toLowerCase().startsWith(typed.toLowerCase()))
    .sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))

/** The words that can stand after `said` in a command. */
function nextWords(commands: readonly string[], said: readonly string[]): string[] {
  const fits = commands.map(name => name.split(' ')).filter(parts => said.every((word, at) => parts[at] === word))
  return fits.flatMap(parts => parts[said.length] ?? [])
}

function command(head: string, from: number, sources: Sources): string[] | null {
  const mark = [sources.prefix, '/'].find(each => head.startsWith(each))
  if (mark === undefined || head.startsWith('//')) return null
  const said = head
    .slice(mark.length, Math.max(mark.length, from))
    .split(' ')
    .filter(word => word !== '')
  const typed = head.slice(Math.max(from, mark.length))
  if (said[0] === 'config' && said.length === 2) return starting(sources.settings, typed).map(key => `${key} `)
  const names = nextWords(sources.commands, said)
  const all = said.length === 0 && mark === '/' ? [...names, ...ownWords] : names
  return starting(all, typed).map(name => `${said.length === 0 ? mark : ''}${name} `)
}

/** What the word before the cursor can become; null when there is nothing to offer. */
export function complete(text: string, cursor: number, sources: Sources): Completion | null {
  const head = text.slice(0, cursor)
  const from = Math.max(head.lastIndexOf(' '), head.lastIndexOf('\n')) + 1
  const typed = head.slice(from)
  const commands = command(head, from, sources)
  const after = from === 0 ? ': ' : ' '
  const choices = [
    ...(commands ?? []),
    ...(typed === '' ? [] : starting(sources.channels, typed).map(name => `${name} `)),
    ...(typed === '' ? [] : starting(sources.nicks, typed).map(name => name + after)),
    ...(typed.startsWith('@') && typed.length > 1
      ? starting([...sources.groups, ...sources.nicks], typed.slice(1)).map(name => `@${name} `)
      : []),
  ]
  return choices.length === 0 ? null : { from, choices }
}
