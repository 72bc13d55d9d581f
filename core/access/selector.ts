/** What a selector chooses from. */
export interface Selectable {
  readonly name: string
  readonly type: string
}

export interface Selected {
  /** Names in the order of what was chosen from, each once. */
  readonly names: readonly string[]
  /** Parts of the selector that fitted nobody, as they were typed. */
  readonly nobody: readonly string[]
}

/** Named groups and their members, both in lower case. A member that is no agent is passed over. */
export type Groups = ReadonlyMap<string, readonly string[]>

const none: Groups = new Map()

/** A word and what people say for several of it: `worker`, `workers`; `proxy`, `proxies`; `box`, `boxes`. */
export function spellings(type: string): readonly string[] {
  const plural = /[^aeiou]y$/.test(type)
    ? `${type.slice(0, -1)}ies`
    : /(s|x|z|ch|sh)$/.test(type)
      ? `${type}es`
      : `${type}s`
  return [type, plural]
}

function fits(part: string, groups: Groups): (one: Selectable) => boolean {
  const word = part.startsWith('@') ? part.slice(1) : part
  // Who is in this room: the caller gives it as a group of that name.
  if (word === 'here') return ({ name }) => groups.get('here')?.includes(name.toLowerCase()) === true
  if (word.endsWith('*')) return ({ name }) => name.toLowerCase().startsWith(word.slice(0, -1))
  if (!part.startsWith('@')) return ({ name }) => name.toLowerCase() === word
  if (word === 'all') return () => true
  const group = groups.get(word)
  if (group) return ({ name }) => group.includes(name.toLowerCase())
  return ({ name, type }) => spellings(type.toLowerCase()).includes(word) || name.toLowerCase() === word
}

/**
 * Chooses by a selector: parts separated by commas or spaces, each a name, `@all`, `@<type>` in singular or plural,
 * `@<group>`, `here`, `@<name>` or `@<prefix>*`; one with `-` in front takes out again what it fits, wherever it stands. A named
 * group goes before a type. Case does not matter.
 */
export function select(selector: string, from: readonly Selectable[], groups: Groups = none): Selected {
  const parts = selector.split(/[\s,]+/).filter(part => part !== '' && part !== '-')
  const chosen = new Set<string>()
  const nobody: string[] = []
  for (const part of parts.filter(each => !each.startsWith('-'))) {
    const found = from.filter(fits(part.toLowerCase(), groups))
    if (found.length === 0) nobody.push(part)
    for (const { name } of found) chosen.add(name)
  }
  for (const part of parts.filter(each => each.startsWith('-'))) {
    for (const { name } of from.filter(fits(part.slice(1).toLowerCase(), groups))) chosen.delete(name)
  }
  return { names: from.map(({ name }) => name).filter(name => chosen.has(name)), nobody }
}

const mostNames = 1000

/**
 * The names behind `worker-{001..500}`, with as many digits as were typed; a word without braces is one name.
 * Null: the braces can't be read, or it would be more than 1000.
 */
export function expandNames(pattern: string): readonly string[] | null {
  if (!/[{}]/.test(pattern)) return [pattern]
  const found = /^([^{}]*)\{(\d{1,6})\.\.(\d{1,6})\}([^{}]*)$/.exec(pattern)
  if (!found) return null
  const [, before = '', first = '', last = '', after = ''] = found
  const count = Number(last) - Number(first) + 1
  if (count < 1 || count > mostNames) return null
  const digits = first.startsWith('0') ? first.length : 1
  return Array.from({ length: count }, (_, n) => `${before}${String(Number(first) + n).padStart(digits, '0')}${after}`)
}
