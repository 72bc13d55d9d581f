import { nearest } from '../../text/nearest.ts'
import type { Catalogue, Published } from '../help/published.ts'
import { straight } from './grammar.ts'

/** What the first words of a line name. */
export type Resolved =
  | { readonly is: 'command'; readonly command: Published; readonly rest: string }
  /** A known noun with no verb where one is needed, or with one that nobody knows. */
  | { readonly is: 'family'; readonly noun: string; readonly verb: string; readonly near: string | null }
  | { readonly is: 'unknown'; readonly word: string; readonly near: string | null }

/** The first two words, lower case and without trailing line breaks, and what follows each. */
function heads(line: string): { first: string; second: string; afterFirst: string; afterSecond: string } {
  const [, first = '', afterFirst = ''] = /^(\S+)\s*([^]*)$/.exec(line) ?? []
  const [, second = '', afterSecond = ''] = /^(\S+)\s*([^]*)$/.exec(afterFirst) ?? []
  return { first: first.toLowerCase(), second: straight(second).toLowerCase(), afterFirst, afterSecond }
}

/**
 * Finds the command a line begins with. A bare noun is its `list`; a noun and something that is no verb is its
 * `show`. `short` allows beginnings of words, when just one command fits and it changes nothing.
 */
export function resolve(catalogue: Catalogue, line: string, short: boolean): Resolved {
  const { first, second, afterFirst, afterSecond } = heads(line)
  const both = second ? catalogue.named(`${first} ${second}`) : undefined
  if (both) return { is: 'command', command: both, rest: afterSecond }
  const one = catalogue.named(first)
  const family = catalogue.family(first)
  const meansShow = second !== '' && one?.fields.length === 0 && catalogue.named(`${first} show`) !== undefined
  if (one && !meansShow && !mistypedVerb(family, one, second)) return { is: 'command', command: one, rest: afterFirst }
  if (family.length > 0) return inFamily(catalogue, family, { first, second, afterFirst })
  const begun = short ? abbreviated(catalogue, first, second) : null
  if (begun && !begun.command.mutates) {
    return { is: 'command', command: begun.command, rest: begun.words === 2 ? afterSecond : afterFirst }
  }
  return { is: 'unknown', word: first.slice(0, 40), near: begun?.command.name ?? near(catalogue, first, second) }
}

/**
 * `audit verfy`, where `audit` alone is short for `audit show`: a verb was meant, no argument. Where any word has to be the argument,
 * as the name in `invite lisa`, it is one.
 */
const mistypedVerb = (family: readonly Published[], one: Published, second: string): boolean =>
  second !== '' &&
  !takesWord(one) &&
  family.some(({ name }) => name !== one.name) &&
  nearest(second, verbsOf(family)) !== null

const takesWord = ({ fields: [first] }: Published): boolean =>
  first?.type === 'text' && first.form === 'positional' && first.required

const verbOf = ({ name }: Published): string | undefined => name.split(' ')[1]
const verbsOf = (family: readonly Published[]): string[] => family.map(one => verbOf(one) ?? one.name)

function inFamily(
  catalogue: Catalogue,
  family: readonly Published[],
  { first, second, afterFirst }: { first: string; second: string; afterFirst: string },
): Resolved {
  const meant = second ? nearest(second, verbsOf(family)) : null
  const fallback = catalogue.named(`${first} ${second ? 'show' : 'list'}`)
  if (fallback && meant === null) return { is: 'command', command: fallback, rest: afterFirst }
  return { is: 'family', noun: first, verb: second.slice(0, 40), near: meant && `${first} ${meant}` }
}

/** The one command whose words begin with those typed: `net sh` → `network show`, though `networks` begins so too. */
function abbreviated(catalogue: Catalogue, first: string, second: string): { command: Published; words: 1 | 2 } | null {
  if (first.length < 3) return null
  const begun = catalogue.all
    .filter(({ name }) => name.startsWith(first))
    .map(command => ({ command, verb: verbOf(command) }))
  const both = second === '' ? [] : begun.filter(({ verb }) => verb?.startsWith(second))
  const [found, another] = both.length > 0 ? both : begun.filter(({ verb }) => verb === undefined)
  return found && !another ? { command: found.command, words: found.verb === undefined ? 1 : 2 } : null
}

function near(catalogue: Catalogue, first: string, second: string): string | null {
  const nouns = catalogue.names.map(name => name.split(' ')[0] as string)
  return (
    (second ? nearest(`${first} ${second}`, catalogue.names) : null) ?? nearest(first, [...catalogue.names, ...nouns])
  )
}
