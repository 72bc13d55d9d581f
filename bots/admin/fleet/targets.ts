import { withHere } from '../../../core/access/agents-meant.ts'
import { type Groups, select, spellings } from '../../../core/access/selector.ts'
import { formatPlace, type Place } from '../../../core/event.ts'
import { type Agent, agentNames, agents, engaged } from '../../../core/ledger/agents/agents.ts'
import { groups } from '../../../core/ledger/people/groups.ts'
import { verifiedMembersAt } from '../../../core/ledger/people/members.ts'
import { identitiesOf, personByName } from '../../../core/ledger/people/people.ts'
import { knownPlaceId } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Known } from './mention.ts'

/** Somebody a selector means: an agent, or a person in a named group. */
export interface Target {
  /** `irc:worker-003`, `person:bob`. */
  readonly label: string
  /** Accounts they answer with, `network\nuser`. */
  readonly accounts: readonly string[]
  readonly agent: Agent | null
}

export interface Here extends Target {
  /** What they are called in that place at the moment. */
  readonly nick: string
  readonly place: Place
}

const personMark = 'person:'

/** How somebody is written in a line: without the network. */
export const nameOf = (label: string): string => label.slice(label.indexOf(':') + 1)

const targetOf = (agent: Agent): Target => ({
  label: `${agent.network}:${agent.name}`,
  accounts: [`${agent.network}\n${agent.name}`],
  agent,
})

function personTarget(tx: Tx, name: string): Target | null {
  const person = personByName(tx, name)
  if (!person) return null
  const accounts = identitiesOf(tx, person).map(({ network, user }) => `${network}\n${user}`)
  return { label: `${personMark}${person.name}`, accounts, agent: null }
}

/** The accounts behind a label that a call was opened with. */
export function accountsOf(tx: Tx, label: string): readonly string[] {
  if (label.startsWith(personMark)) return personTarget(tx, label.slice(personMark.length))?.accounts ?? []
  return [label.replace(':', '\n')]
}

/** Parts of a selector that name people: those of named groups. */
function peopleIn(tx: Tx, selector: string, named: Groups): Target[] {
  const words = selector.split(/[\s,]+/).map(part => part.toLowerCase())
  const out = new Set(words.filter(word => word.startsWith('-')).map(word => word.slice(1)))
  const names = new Set<string>()
  for (const word of words) {
    if (!word.startsWith('@')) continue
    for (const member of named.get(word.slice(1)) ?? []) {
      if (member.startsWith(personMark) && !out.has(member)) names.add(member.slice(personMark.length))
    }
  }
  return [...names].flatMap(name => personTarget(tx, name) ?? [])
}

export interface Chosen {
  readonly targets: readonly Target[]
  /** Parts of the selector that fitted nobody. */
  readonly nobody: readonly string[]
}

/** Whom a selector means in a room that is these places: agents whose engagement holds, and people of named groups. */
export function choose(tx: Tx, selector: string, places: readonly Place[], nowMs: number): Chosen {
  const named = withHere(tx, places)
  const all = agents(tx).filter(agent => engaged(agent, nowMs))
  const { names, nobody } = select(selector, all, named)
  const wanted = new Set(names)
  const people = peopleIn(tx, selector, named)
  const empty = nobody.filter(
    part => !named.get(part.slice(1).toLowerCase())?.some(each => each.startsWith(personMark)),
  )
  return { targets: [...all.filter(({ name }) => wanted.has(name)).map(targetOf), ...people], nobody: empty }
}

interface Member {
  readonly name: string
  readonly place: Place
}

/** Who of whom the network vouches for is in these places, by `network\nuser`: the first place counts. */
function membersIn(tx: Tx, places: readonly Place[]): Map<string, Member> {
  const found = new Map<string, Member>()
  for (const place of places) {
    const id = knownPlaceId(tx, place)
    if (id === null) continue
    for (const { user, name } of verifiedMembersAt(tx, id)) {
      const account = `${place.network}\n${user}`
      if (!found.has(account)) found.set(account, { name, place })
    }
  }
  return found
}

/** A channel, whatever thread of it something was said in. */
export const channelOf = ({ network, channel, private: direct }: Place): Place => ({
  network,
  channel,
  ...(direct ? { private: direct } : {}),
})

/** Those of the targets that are in one of the places now, and where each is. */
export function present(tx: Tx, targets: readonly Target[], places: readonly Place[]): Here[] {
  const members = membersIn(tx, places.map(channelOf))
  return targets.flatMap(target => {
    for (const account of target.accounts) {
      const member = members.get(account)
      if (member) return [{ ...target, nick: member.name, place: member.place }]
    }
    return []
  })
}

/** By place, in the order of the first of each. */
export function byPlace(here: readonly Here[]): { place: Place; here: Here[] }[] {
  const found = new Map<string, { place: Place; here: Here[] }>()
  for (const one of here) {
    const key = formatPlace(one.place)
    const entry = found.get(key) ?? { place: one.place, here: [] }
    entry.here.push(one)
    found.set(key, entry)
  }
  return [...found.values()]
}

/** The words that mean somebody in a message; null as long as there are no agents at all. */
export function knownWords(tx: Tx): Known | null {
  const named = groups(tx)
  const all = agentNames(tx)
  if (all.length === 0 && named.size === 0) return null
  const types = new Set([...new Set(all.map(({ type }) => type.toLowerCase()))].flatMap(spellings))
  return {
    isGroup: word => word === 'all' || word === 'here' || named.has(word) || types.has(word),
    isAnybody: part => select(part, all, named).names.length > 0,
  }
}
