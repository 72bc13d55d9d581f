/** Names that nobody may have, because they already mean somebody or something: one list for people, agents and groups. */
import { bots } from '../process/bots.ts'
import { skeleton } from '../text/lookalikes.ts'
import { spellings } from './selector.ts'

const selectors = [
  'all',
  'here',
  'everyone',
  'everybody',
  'anyone',
  'anybody',
  'nobody',
  'noone',
  'none',
  'any',
  'others',
  'channel',
  'room',
  'me',
  'us',
  'them',
  'you',
]
const offices = ['owner', 'operator', 'member', 'guest', 'person', 'people', 'agent', 'worker', 'bot']
const services =
  'nickserv chanserv operserv saslserv memoserv hostserv botserv helpserv histserv services server system root global chanop chanop-control control oper ircop'.split(
    ' ',
  )

/** What else means something here at the moment. */
export interface Meanings {
  /** Names and aliases of commands. */
  readonly commands: readonly string[]
  readonly types: readonly string[]
  readonly groups: readonly string[]
}

const has = (words: readonly string[], name: string): boolean => {
  const seen = skeleton(name)
  return words.some(word => skeleton(word) === seen)
}

const ours: ReadonlySet<string> = new Set([...bots, ...services].map(skeleton))

/** Whether somebody of that name could be taken for a bot or a service of the network. Asked for each relayed message. */
export const passesForOurs = (name: string): boolean => ours.has(skeleton(name))

/** What a type of agents would be taken for, as the rest of `… is`; null: it is free. `others`: agents and people by their names. */
export function typeReservedAs(
  type: string,
  { types, groups, others }: Pick<Meanings, 'types' | 'groups'> & { readonly others: readonly string[] },
): string | null {
  if (types.includes(type) || type === 'worker') return null
  const said = spellings(type)
  const taken = (words: readonly string[]): boolean => said.some(word => has(words, word))
  if (taken([...bots, ...services])) return '(or looks like) a bot or a service of the network'
  if (taken(selectors.flatMap(spellings))) return 'a word for several'
  if (taken([...offices, ...types].flatMap(spellings))) return 'a type under another spelling'
  if (taken(groups)) return 'a group'
  return taken(others) ? 'somebody’s name' : null
}

/** What a name means already, as the rest of `… is`; null: it is free. */
export function reservedAs(name: string, { commands, types, groups }: Meanings): string | null {
  if (has(bots, name)) return '(or looks like) a bot'
  if (has(services, name)) return '(or looks like) a service of the network'
  if (has(selectors.flatMap(spellings), name)) return 'a word for several'
  if (has([...offices, ...types].flatMap(spellings), name)) return 'a type'
  if (has(groups, name)) return 'a group'
  if (
    has(
      commands.flatMap(command => command.split(' ')),
      name,
    )
  )
    return 'a word of a command'
  return null
}
