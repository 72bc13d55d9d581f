import type { MessageEvent } from '../../../core/event.ts'
import { agentOf, agents } from '../../../core/ledger/agents.ts'
import { eventColumns, messageOf, type Stored, storedOf } from '../../../core/ledger/events.ts'
import { type Db, sql } from '../../../core/ledger/sqlite.ts'
import { plain } from '../../../core/text.ts'
import { callOfLine, lastCalled } from './call.ts'

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
export function meantBy(db: Db, stored: Stored<MessageEvent>): readonly string[] {
  const { place, content } = stored.event
  const target = content.replyTo ? messageOf(db, place, content.replyTo) : null
  if (target) {
    const call = callOfLine(target.event)
    const asked = call === null ? null : askedIn(db, call)
    if (asked) return asked
    const { sender } = target.event
    const agent = sender.verified ? agentOf(db, target.event.place.network, sender.id) : null
    if (agent) return [`${agent.network}:${agent.name}`]
  }
  return lastAddressed(db, stored)
}

function askedIn(db: Db, seq: number): string[] | null {
  const row = sql(db, 'SELECT asked FROM call WHERE seq = ?').get(seq)
  return row ? (JSON.parse(row['asked'] as string) as string[]) : null
}

function lastAddressed(db: Db, stored: Stored<MessageEvent>): readonly string[] {
  const sinceMs = stored.event.atMs - rememberMs
  const called = lastCalled(db, stored, sinceMs)
  const all = agents(db)
  const own = sql(
    db,
    `SELECT ${eventColumns} WHERE e.room = ? AND e.seq < ? AND e.seq > ? AND e.kind = 'message' AND e.sender = ?
     AND e.at_ms > ? ORDER BY e.seq DESC LIMIT ?`,
  )
    .all(stored.room, stored.seq, called?.seq ?? 0, stored.event.sender.id, sinceMs, linesBack)
    .map(row => storedOf(row) as Stored<MessageEvent>)
  for (const { event } of own) {
    const text = plain(event.content)
    const found = all.filter(({ name }) => speaksTo(text, name))
    if (found.length > 0) return found.map(({ network, name }) => `${network}:${name}`)
  }
  return called?.asked ?? []
}
