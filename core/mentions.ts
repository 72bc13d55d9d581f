import type { Content, Mention, NetworkId } from './event.ts'
import { identitiesOf, personAt } from './ledger/people.ts'
import type { Tx } from './ledger/tx.ts'

/**
 * A content of one network as it may stand on another: an id names somebody else there, so each mention gets the id that
 * the same person has linked there, or none.
 */
export function localMentions(tx: Tx, content: Content, from: NetworkId, to: NetworkId): Content {
  if (from === to || !content.segments.some(({ kind }) => kind === 'mention')) return content
  const segments = content.segments.map(segment =>
    segment.kind === 'mention' ? localMention(tx, segment, from, to) : segment,
  )
  return { ...content, segments }
}

function localMention(tx: Tx, { name, id }: Mention, from: NetworkId, to: NetworkId): Mention {
  const person = id === null ? null : personAt(tx, from, id)
  const there = person ? identitiesOf(tx, person).filter(({ network }) => network === to) : []
  // Who has several accounts there is not guessed at.
  return { kind: 'mention', name, id: there.length === 1 ? (there[0]?.user ?? null) : null }
}
