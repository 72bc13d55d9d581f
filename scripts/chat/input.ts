import { nearest } from '../../core/text/nearest.ts'

export type Action =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'me'; readonly text: string }
  | { readonly kind: 'message'; readonly to: string; readonly text: string }
  | { readonly kind: 'query'; readonly to: string }
  | { readonly kind: 'join'; readonly channel: string }
  | { readonly kind: 'part'; readonly name: string | null }
  | { readonly kind: 'window'; readonly number: number }
  | { readonly kind: 'show'; readonly name: string }
  | { readonly kind: 'names' }
  | { readonly kind: 'help' }
  | { readonly kind: 'quit' }
  | { readonly kind: 'wrong'; readonly message: string }

const wrong = (message: string): Action => ({ kind: 'wrong', message })

export const isChannel = (name: string): boolean => /^[#&][^\s,\x07]{1,63}$/.test(name)
const isNick = (name: string): boolean => /^[^\s,#&:@!*?\d-][^\s,#:@!*?]{0,63}$/.test(name)

const words = (rest: string): readonly [string, string] => {
  const space = rest.search(/\s/)
  return space === -1 ? [rest, ''] : [rest.slice(0, space), rest.slice(space + 1).trim()]
}

function join(rest: string): Action {
  const [name] = words(rest)
  const channel = isChannel(name) ? name : `#${name}`
  return name !== '' && isChannel(channel) ? { kind: 'join', channel } : wrong('/join #channel')
}

function message(rest: string): Action {
  const [to, text] = words(rest)
  return (isNick(to) || isChannel(to)) && text !== '' ? { kind: 'message', to, text } : wrong('/msg nick text')
}

function window(rest: string): Action {
  if (/^\d{1,3}$/.test(rest)) return { kind: 'window', number: Number(rest) }
  return /^\S+$/.test(rest) ? { kind: 'show', name: rest } : wrong('/window NUMBER or NAME, e.g. /window 2')
}

/** The words that this client keeps for itself; every other `/word` is a command for the bots. */
const own: Readonly<Record<string, (rest: string) => Action>> = {
  join,
  part: rest => ({ kind: 'part', name: words(rest)[0] || null }),
  close: rest => ({ kind: 'part', name: words(rest)[0] || null }),
  msg: message,
  query: rest => (isNick(words(rest)[0]) ? { kind: 'query', to: words(rest)[0] } : wrong('/query nick')),
  me: rest => (rest === '' ? wrong('/me text') : { kind: 'me', text: rest }),
  win: window,
  window,
  names: () => ({ kind: 'names' }),
  nick: () => wrong('your nick is the name of your account; it stays'),
  quit: () => ({ kind: 'quit' }),
  exit: () => ({ kind: 'quit' }),
  help: rest =>
    rest === '' ? { kind: 'help' } : wrong('/help lists the words of this window; !help word asks the bots'),
}

export const ownWords: readonly string[] = Object.keys(own)

/** What `/help` shows; `prefix` is that of the bots' commands. */
export const ownHelp = (prefix: string): readonly string[] => [
  `here: /join #channel · /part · /query nick · /msg nick text · /me text · /window number or name · /names · /quit`,
  `any other /word goes to the bots as ${prefix}word: ${prefix}help lists theirs; //word says /word`,
  'Tab completes · PageUp scrolls · Alt-1…9 changes the window',
]

/**
 * `/join #x` and the like are ours; any other `/word` becomes a command with the bots' prefix, except what looks like one of
 * ours mistyped and is none of `commands` (names of the bots' commands); `//x` says `/x`.
 * null: nothing was typed. Text with newlines (pasted) is said line by line.
 */
export function readInput(typed: string, prefix: string, commands: readonly string[] = []): Action | null {
  const text = typed.trimEnd()
  if (text.trim() === '') return null
  if (!text.startsWith('/')) return { kind: 'say', text }
  if (/^\/[/\s]/.test(text)) return { kind: 'say', text: text.slice(1).trimStart() }
  const [word, rest] = words(text.slice(1))
  const name = word.toLowerCase()
  const read = Object.hasOwn(own, name) ? own[name] : undefined
  if (read) return read(rest)
  const theirs = commands.some(command => command === name || command.startsWith(`${name} `))
  const meant = theirs ? null : nearest(name, ownWords)
  if (meant) return wrong(`there is no /${name}: /${meant}? ${prefix}${name} says it to the bots`)
  return { kind: 'say', text: text === '/' ? text : prefix + text.slice(1) }
}
