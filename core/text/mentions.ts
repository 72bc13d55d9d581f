import type { Content, Mention, NetworkId, Place, Segment, UserId } from '../event.ts'
import { namesakes } from '../ledger/people/members.ts'
import { identitiesOf, personAt } from '../ledger/people/people.ts'
import type { Tx } from '../ledger/tx.ts'
import { fold } from './text.ts'

/**
 * A content of one network as it may stand on another: an id names somebody else there, so each mention gets the id that
 * the same person has linked there, else that of the only one in the place who has this name, else none.
 */
export function localMentions(tx: Tx, content: Content, from: NetworkId, to: Place): Content {
  if (from === to.network) return content
  const mentioned = content.segments.some(({ kind }) => kind === 'mention')
  if (!mentioned && !content.segments.some(isAddressing)) return content
  const named = content.segments.flatMap((segment, at) =>
    isText(segment) ? spoken(tx, segment, to, at === 0) : segment,
  )
  return {
    ...content,
    segments: named.map(each => (each.kind === 'mention' ? localMention(tx, each, from, to) : each)),
  }
}

type Text = Extract<Segment, { readonly kind: 'text' }>
const isText = (segment: Segment): segment is Text => segment.kind === 'text'

const word = '[\\p{L}\\p{N}_][\\p{L}\\p{N}_.\\-]{0,63}'
/** `@name` anywhere, but not in an address. */
const called = new RegExp(`(?<![\\p{L}\\p{N}_@/.])@(${word})`, 'gu')
/** `name: ` or `name, ` at the beginning. */
const addressed = new RegExp(`^(${word})(?=[:,] )`, 'u')

/** Each is looked up. */
const mostCalled = 20

const isAddressing = (segment: Segment, at: number): boolean =>
  isText(segment) && (segment.text.includes('@') || (at === 0 && addressed.test(segment.text)))

/** Text in which people are called by a name that one alone has there: these are mentions of them. */
function spoken(tx: Tx, segment: Text, to: Place, first: boolean): Segment[] {
  const { text } = segment
  const found = [...text.matchAll(called)]
    .slice(0, mostCalled)
    .map(match => ({ at: match.index, length: match[0].length, name: match[1] ?? '' }))
  const head = first ? addressed.exec(text)?.[1] : undefined
  if (head !== undefined) found.unshift({ at: 0, length: head.length, name: head })
  const out: Segment[] = []
  let end = 0
  for (const each of found) {
    // A dot or dash behind a name is no part of it when nobody is called so.
    const name = [each.name, each.name.replace(/[.-]+$/, '')].find(tried => onlyOne(tx, tried, to) !== null)
    if (name === undefined) continue
    if (each.at > end) out.push({ ...segment, text: text.slice(end, each.at) })
    out.push({ kind: 'mention', id: null, name })
    end = each.at + each.length - (each.name.length - name.length)
  }
  return end === 0 ? [segment] : end < text.length ? [...out, { ...segment, text: text.slice(end) }] : out
}

/** The only one in a place who has this name. */
function onlyOne(tx: Tx, name: string, to: Place): UserId | null {
  const wanted = fold(name.replace(/^@/, ''))
  const there = new Set(
    namesakes(tx, wanted, [to])
      .filter(each => fold(each.name) === wanted)
      .map(({ user }) => user),
  )
  return there.size === 1 ? ([...there][0] ?? null) : null
}

function localMention(tx: Tx, { name, id, self }: Mention, from: NetworkId, to: Place): Mention {
  if (self) return { kind: 'mention', id: null, name }
  const person = id === null ? null : personAt(tx, from, id)
  const linked = person ? identitiesOf(tx, person).filter(({ network }) => network === to.network) : []
  if (linked.length === 1) return { kind: 'mention', name, id: linked[0]?.user ?? null }
  // Who has several accounts there is not guessed at.
  if (linked.length > 1) return { kind: 'mention', name: quiet(name), id: null }
  const there = onlyOne(tx, name, to)
  return { kind: 'mention', id: there, name: there === null && isHeard(tx, name, to) ? quiet(name) : name }
}

/** Whether somebody there would take the name for theirs. */
const isHeard = (tx: Tx, name: string, to: Place): boolean => namesakes(tx, name.replace(/^@/, ''), [to]).length > 0

/** The same to the eye: a word joiner behind the first letter, so that no client takes it for the name of its user. */
const quiet = (name: string): string => name.replace(/^(@?.)/u, '$1\u2060')
