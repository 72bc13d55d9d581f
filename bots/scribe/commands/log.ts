import { z } from 'zod'
import { includes } from '../../../core/access/role.ts'
import { knownTo, maySee, readerOf } from '../../../core/access/visibility.ts'
import type { Answer } from '../../../core/command/command.ts'
import { ChanopError } from '../../../core/error.ts'
import { formatPlace, type MessageEvent } from '../../../core/event.ts'
import { incidentLine } from '../../../core/ledger/audit/audit.ts'
import { type Fate, fatesOf } from '../../../core/ledger/out/deliveries.ts'
import { bySeq, currentOf, type Stored } from '../../../core/ledger/record/events.ts'
import { revisedMs } from '../../../core/ledger/record/history.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { escapeInline, safeName, time, truncate, visible } from '../../../core/text/text.ts'
import { spoken } from '../record/format.ts'
import { currentLine, lineOf } from '../record/line.ts'
import { declare } from '../services.ts'
import { type Context, visibleTo } from './scope.ts'

/** So many of its copies are shown. */
const mostFates = 20

function heading({ event, room, seq }: Stored): string {
  const { sender } = event
  const who = `${safeName(sender.name)} (${event.place.network}:${sender.id}${sender.verified ? '' : ', not verified'})`
  const where = room === formatPlace(event.place) ? room : `${room} (${formatPlace(event.place)})`
  const how = event.origin === 'backfill' ? ' · backfilled' : ''
  return escapeInline(`#${seq} ${event.kind} of ${who} in ${where} · ${time(event.atMs)}${how}`)
}

/** A message's text now, and before it was changed. A deleted text is not shown any more. */
function textLines(tx: Tx, message: Stored<MessageEvent>): string[] {
  const line = (text: string): string => escapeInline(truncate(text, 400))
  const now = currentOf(tx, message.seq)
  const shown = currentLine(tx, now ?? message)
  if (!now || now.edits === 0 || !shown) return shown ? [line(spoken(shown))] : []
  const atMs = revisedMs(tx, message.seq) ?? 0
  if (now.content === null) return [`deleted ${time(atMs)}`]
  const before = line(spoken(lineOf(tx, message)))
  return [
    line(spoken(shown)),
    `edited ${now.edits === 1 ? 'once' : `${now.edits} times`}, last ${time(atMs)}; first it was: ${before}`,
  ]
}

/** Its copies and what else was done in other places because of it, with their states. */
function deliveryLines(tx: Tx, context: Context, seq: number, reply: 'public' | 'private'): string[] {
  const { rooms } = context.services
  const knows = knownTo(tx, readerOf(context, reply), rooms, context.atMs)
  const whereTo = ({ place }: Fate): string => {
    if (place.private) return 'a direct conversation'
    return knows(rooms.from(place)) ? formatPlace(place) : 'a closed room'
  }
  return fatesOf(tx, seq, mostFates).map(fate => escapeInline(`→ ${whereTo(fate)}: ${stateOf(fate)}`))
}

function stateOf({ state, parts, settledMs, attempts, error }: Fate): string {
  const split = parts > 1 ? ` in ${parts} messages` : ''
  const when = settledMs === null ? '' : ` ${time(settledMs)}`
  const tries = attempts > 0 ? `, tried ${attempts + 1} times` : ''
  const why = error === null ? '' : `: ${visible(error).slice(0, 200)}`
  return `${state}${split}${when}${tries}${why}`
}

function factOf(tx: Tx, context: Context, seq: number): { fact: Stored; reply: 'public' | 'private' } {
  const fact = bySeq(tx, seq)
  for (const audience of ['place', 'asker'] as const) {
    if (!fact || !maySee(visibleTo(tx, context, audience), fact)) continue
    return { fact, reply: audience === 'asker' && !context.caller.place.private ? 'private' : 'public' }
  }
  throw new ChanopError('not-found', `no record #${seq} that you can see; !last and !search show numbers`)
}

/** What failed under an id, as the audit has it: for operators, and for who asked for it. */
function incident(tx: Tx, { caller }: Context, id: string): Answer {
  const found = incidentLine(tx, id)
  const own = found?.network === caller.network && found.account === caller.account && caller.verified
  if (!found || !(own || includes(caller.globalRole, 'operator'))) {
    throw new ChanopError('not-found', `no record ${id} that you can see`)
  }
  const asked = `${found.command} ${found.args}`.trim()
  const line = `${id} · ${found.bot}: ${asked} of ${safeName(found.name)} · ${time(found.atMs)} · ${found.result}`
  return { lines: [escapeInline(truncate(visible(line), 400))], reply: own ? 'public' : 'private' }
}

export const logShow = declare({
  name: 'log show',
  summary: 'everything known of one message: its text, edits, copies on other networks and what became of them',
  role: 'guest',
  reply: 'public',
  args: z.object({
    id: z
      .string()
      .regex(/^(#?\d{1,15}|i[0-9a-f]{6})$/, 'write the number after # in !last or !search, or the id of what failed'),
  }),
  examples: [
    [
      '!log show 1',
      /^#1 message of alice \(\S+\) in /,
      '#1 message of alice (irc:alice) in general (irc:#general) · 2026-04-01 12:00:01\nthe build failed again\n→ libera:#general: sent 2026-04-01 12:00:01',
    ],
    [
      '!log show #1',
      /^#1 message of alice/,
      '#1 message of alice (irc:alice) in general (irc:#general) · 2026-04-01 12:00:01\nthe build failed again',
    ],
    ['!log show 999999', /no record #999999/, 'no record #999999 that you can see; !last and !search show numbers'],
  ],
  async run(context, { id }) {
    if (id.startsWith('i')) return context.ledger.read(tx => incident(tx, context, id))
    return context.ledger.read(tx => {
      const { fact, reply } = factOf(tx, context, Number(id.replace('#', '')))
      const detail = fact.event.kind === 'message' ? textLines(tx, fact as Stored<MessageEvent>) : [factLine(tx, fact)]
      return { lines: [heading(fact), ...detail, ...deliveryLines(tx, context, fact.seq, reply)], reply }
    })
  },
})

/** A fact that is no message; an edit of what was deleted has no words any more. */
function factLine(tx: Tx, fact: Stored): string {
  const line = lineOf(tx, fact)
  const gone = fact.event.kind === 'edit' && line.target != null && currentOf(tx, line.target)?.content === null
  return escapeInline(truncate(spoken(gone ? { ...line, deleted: true } : line), 400))
}
