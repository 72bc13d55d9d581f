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
  'channel',
  'room',
  'me',
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

/** Whether somebody of that name could be taken for a bot or a service of the network. */
export const passesForOurs = (name: string): boolean => has(bots, name) || has(services, name)

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
