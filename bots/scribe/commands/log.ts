import { z } from 'zod'
import type { Answer } from '../../../core/command/command.ts'
import { ChanopError } from '../../../core/error.ts'
import { formatPlace, type MessageEvent } from '../../../core/event.ts'
import { states } from '../../../core/ledger/deliveries.ts'
import { bySeq, currentOf, placeOf, type Stored } from '../../../core/ledger/events.ts'
import { type Db, type Row, sql } from '../../../core/ledger/sqlite.ts'
import { includes } from '../../../core/role.ts'
import { escapeInline, safeName, time, truncate, visible } from '../../../core/text.ts'
import { maySee } from '../../../core/visibility.ts'
import { spoken } from '../record/format.ts'
import { currentLine, lineOf } from '../record/line.ts'
import { declare } from '../services.ts'
import { type Context, visibleTo } from './scope.ts'

const stateNames = new Map(Object.entries(states).map(([name, value]) => [value as number, name]))

function heading({ event, room, seq }: Stored): string {
  const { sender } = event
  const who = `${safeName(sender.name)} (${event.place.network}:${sender.id}${sender.verified ? '' : ', not verified'})`
  const where = room === formatPlace(event.place) ? room : `${room} (${formatPlace(event.place)})`
  const how = event.origin === 'backfill' ? ' · backfilled' : ''
  return escapeInline(`#${seq} ${event.kind} of ${who} in ${where} · ${time(event.atMs)}${how}`)
}

/** A message's text now, and before it was changed. A deleted text is not shown any more. */
function textLines(db: Db, message: Stored<MessageEvent>): string[] {
  const line = (text: string): string => escapeInline(truncate(text, 400))
  const now = currentOf(db, message.seq)
  const shown = currentLine(db, now ?? message)
  if (!now || now.edits === 0 || !shown) return shown ? [line(spoken(shown))] : []
  const atMs = Number(sql(db, 'SELECT at_ms FROM revision WHERE seq = ?').get(message.seq)?.['at_ms'])
  if (now.content === null) return [`deleted ${time(atMs)}`]
  const before = line(spoken(lineOf(db, message)))
  return [
    line(spoken(shown)),
    `edited ${now.edits === 1 ? 'once' : `${now.edits} times`}, last ${time(atMs)}; first it was: ${before}`,
  ]
}

/** Its copies and what else was done in other places because of it, with their states. */
function deliveryLines(db: Db, seq: number): string[] {
  const rows = sql(
    db,
    `SELECT d.id, d.state, d.attempts, d.settled_ms, d.error, d.act ->> 'do' AS does, p.network, p.channel, p.thread, p.private,
     (SELECT count(*) FROM copy c WHERE c.delivery = d.id) AS parts
     FROM delivery d JOIN place p ON p.id = d.place WHERE d.source = ? AND d.secret = 0 ORDER BY d.id LIMIT 20`,
  ).all(seq)
  return rows.map(row => escapeInline(`→ ${whereTo(row)}: ${stateOf(row)}`))
}

const whereTo = (row: Row): string => (row['private'] ? 'a direct conversation' : formatPlace(placeOf(row)))

function stateOf(row: Row): string {
  const state = stateNames.get(Number(row['state'])) ?? 'unknown'
  const parts = Number(row['parts']) > 1 ? ` in ${Number(row['parts'])} messages` : ''
  const when = row['settled_ms'] === null ? '' : ` ${time(Number(row['settled_ms']))}`
  const tries = Number(row['attempts']) > 0 ? `, tried ${Number(row['attempts']) + 1} times` : ''
  const why = row['error'] === null ? '' : `: ${visible(String(row['error'])).slice(0, 200)}`
  return `${state}${parts}${when}${tries}${why}`
}

function factOf(db: Db, context: Context, seq: number): { fact: Stored; reply: 'public' | 'private' } {
  const fact = bySeq(db, seq)
  for (const audience of ['place', 'asker'] as const) {
    if (!fact || !maySee(visibleTo(db, context, audience), fact)) continue
    return { fact, reply: audience === 'asker' && !context.caller.place.private ? 'private' : 'public' }
  }
  throw new ChanopError('not-found', `no record #${seq} that you can see; !last and !search show numbers`)
}

/** What failed under an id, as the audit has it: for operators, and for who asked for it. */
function incident(db: Db, { caller }: Context, id: string): Answer {
  const row = sql(db, "SELECT * FROM audit WHERE decision = 'failed' AND result LIKE '%(' || ? || ')%' LIMIT 1").get(id)
  const own = row?.['network'] === caller.network && row['account'] === caller.account && caller.verified
  if (!row || !(own || includes(caller.globalRole, 'operator'))) {
    throw new ChanopError('not-found', `no record ${id} that you can see`)
  }
  const asked = `${String(row['command'])} ${String(row['args'])}`.trim()
  const line = `${id} · ${String(row['bot'])}: ${asked} of ${safeName(String(row['name']))} · ${time(Number(row['at_ms']))} · ${String(row['result'])}`
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
    ['!log show 1', /^#1 message of alice \(\S+\) in /],
    ['!log show #1', /^#1 message of alice/],
    ['!log show 999999', /no record #999999/],
  ],
  async run(context, { id }) {
    if (id.startsWith('i')) return context.ledger.read(db => incident(db, context, id))
    return context.ledger.read(db => {
      const { fact, reply } = factOf(db, context, Number(id.replace('#', '')))
      const detail =
        fact.event.kind === 'message'
          ? textLines(db, fact as Stored<MessageEvent>)
          : [escapeInline(truncate(spoken(lineOf(db, fact)), 400))]
      return { lines: [heading(fact), ...detail, ...deliveryLines(db, fact.seq)], reply }
    })
  },
})
