import type { MessageEvent } from '../../../core/event.ts'
import { agentOf, agents } from '../../../core/ledger/agents/agents.ts'
import { askedBy, lastCallOf } from '../../../core/ledger/out/calls.ts'
import { messageOf, type Stored } from '../../../core/ledger/record/events.ts'
import { messagesOf } from '../../../core/ledger/record/history.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { plain } from '../../../core/text/text.ts'
import { callOfLine } from './call.ts'

/** What was said longer ago is not what a bare `stop` means. */
const rememberMs = 3_600_000
const linesBack = 300

/** Whether a text speaks to somebody: the name as a word of its own at its beginning, or with `@` anywhere. */
function speaksTo(text: string, name: string): boolean {
  const said = text.toLowerCase()
  const at = said.indexOf(name)
  if (at === -1) return false
  const behind = said.charAt(at + name.length)
  if (at === 0) return behind !== '' && ':,'.includes(behind)
  return said.charAt(at - 1) === '@' && !/[a-z0-9_*-]/.test(behind)
}

/**
 * Whom a bare `stop` means, as labels: the agent that is replied to (or the group, where the line that woke it is), else
 * whom the asker spoke to last in this place. Empty: nobody.
 */
export function meantBy(tx: Tx, stored: Stored<MessageEvent>): readonly string[] {
  const { place, content } = stored.event
  const target = content.replyTo ? messageOf(tx, place, content.replyTo) : null
  if (target) {
    const call = callOfLine(target.event)
    const asked = call === null ? null : askedBy(tx, call)
    if (asked) return asked
    const { sender } = target.event
    const agent = sender.verified ? agentOf(tx, target.event.place.network, sender.id) : null
    if (agent) return [`${agent.network}:${agent.name}`]
  }
  return lastAddressed(tx, stored)
}

function lastAddressed(tx: Tx, stored: Stored<MessageEvent>): readonly string[] {
  const sinceMs = stored.event.atMs - rememberMs
  const called = lastCallOf(tx, { placeId: stored.placeId, sender: stored.event.sender.id, sinceMs })
  const all = agents(tx)
  const { room, seq, event: asked } = stored
  const between = { afterSeq: called?.seq ?? 0, beforeSeq: seq, sinceMs }
  const own = messagesOf(tx, { room, sender: asked.sender.id, ...between }, linesBack)
  for (const { event } of own) {
    const text = plain(event.content)
    const found = all.filter(({ name }) => speaksTo(text, name))
    if (found.length > 0) return found.map(({ network, name }) => `${network}:${name}`)
  }
  return called?.asked ?? []
}
