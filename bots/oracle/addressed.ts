import { bots } from '../../core/command/desk.ts'
import { hear, normalise, spoken } from '../../core/command/parse/grammar.ts'
import type { MessageEvent } from '../../core/event.ts'
import { messageOf } from '../../core/ledger/events.ts'
import type { Db } from '../../core/ledger/sqlite.ts'

const names = new Map(bots.map(bot => [bot as string, bot as string]))
/** `oracle: …`, `oracle, …`, `@oracle …` at the beginning, or `@oracle` anywhere. */
const named = /^oracle[:,]|^@?oracle[?!]*$|(?:^|[\s(])@oracle(?![\w-])/i

/** Whether a message answers something that the oracle said. */
function repliesToOracle(db: Db, { place, content }: MessageEvent): boolean {
  const answered = content.replyTo && messageOf(db, place, content.replyTo)
  return answered ? answered.event.sender.kind === 'self' && answered.event.sender.name === 'oracle' : false
}

/**
 * Whether somebody talks to the oracle: by name, in a DM to it, or by replying to it. Programs, notices and what another
 * relay brought are not answered, or two of them would talk for ever; neither is what is a command.
 */
export function addressed(db: Db, event: MessageEvent, prefix: string): boolean {
  const { sender, content, place, to } = event
  if (sender.kind !== 'person' || content.style === 'notice' || (event.hops ?? 0) > 0) return false
  const said = spoken(content)
  const heard = hear(said, { prefix, bots: names, direct: place.private === true, to: to ?? null })
  if (heard?.prefixed || (heard?.to && heard.to !== 'oracle')) return false
  if (place.private) return to === 'oracle'
  const mentioned = content.segments.some(
    segment => segment.kind === 'mention' && (segment.self || /^@?oracle$/i.test(normalise(segment.name))),
  )
  return mentioned || named.test(said) || repliesToOracle(db, event)
}
