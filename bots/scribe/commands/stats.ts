import { statSync } from 'node:fs'
import { z } from 'zod'
import type { Answer } from '../../../core/command/command.ts'
import { nameOf } from '../../../core/command/parse/values.ts'
import type { ChartPart } from '../../../core/event.ts'
import { count, counted, dayMs, escapeInline, safeName, size } from '../../../core/text/text.ts'
import { declare } from '../services.ts'
import { type Stats, sparkline, statsOf } from '../stats.ts'
import { indexed, scopeOf, visibleTo } from './scope.ts'

const ranked = (list: readonly { name: string; messages: number }[]): string =>
  list.map(({ name, messages }) => `${escapeInline(safeName(name))} ${count(messages)}`).join(', ')

function linesOf(title: string, stats: Stats, rooms: boolean): string[] {
  if (stats.messages === 0) return [`${escapeInline(title)}: no messages yet`]
  const since = new Date(stats.sinceMs ?? 0).toISOString().slice(0, 10)
  const some = (many: number, one: string, all: string): string[] => (many > 0 ? [counted(many, one, all)] : [])
  const { people, bots, agents } = stats
  const who = [...some(people, 'person', 'people'), ...some(bots, 'bot', 'bots'), ...some(agents, 'agent', 'agents')]
  return [
    `${escapeInline(title)}: ${count(stats.messages)} messages by ${who.join(', ')} since ${since}, ${size(stats.bytes)} of text · today ${count(stats.today)}, 7 days ${count(stats.week)}`,
    `top: ${ranked(stats.top)}`,
    ...(rooms && stats.rooms > 1 ? [`rooms: ${ranked(stats.busiest)}`] : []),
    `14 days ${sparkline(stats.days)}`,
  ]
}

/** The same as a picture; none of nothing. */
function pictureOf(title: string, stats: Stats, rooms: boolean, atMs: number): Pick<Answer, 'picture'> {
  if (stats.messages === 0) return {}
  const bars = (list: Stats['top']): ChartPart['bars'] =>
    list.map(({ name, messages }) => ({ name: safeName(name), value: messages, shown: count(messages) }))
  const days = stats.days.map((value, at, { length }) => ({
    name: new Date(atMs - (length - 1 - at) * dayMs).toISOString().slice(5, 10),
    value,
    shown: count(value),
  }))
  const parts = [
    { title: `messages a day, ${stats.days.length} days`, columns: true as const, bars: days },
    { title: 'top', bars: bars(stats.top) },
    ...(rooms && stats.rooms > 1 ? [{ title: 'rooms', bars: bars(stats.busiest) }] : []),
  ]
  return { picture: { name: 'stats', chart: { title: `${title}: ${count(stats.messages)} messages`, parts } } }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

export const stats = declare({
  name: 'stats',
  summary: 'how much is said, by whom and when: in one room, or in all you can see here',
  role: 'guest',
  reply: 'public',
  args: z.object({ room: nameOf('room').optional() }),
  examples: [
    [
      '!stats',
      /^all rooms here: [\d,]+ messages? by \d+ p\w+ since \d{4}-\d\d-\d\d/,
      'all rooms here: 1,204 messages by 7 people since 2026-03-01, 61 kB of text · today 12, 7 days 240\ntop: alice 512, bob 300\n14 days ▁▂▅▃▁··▂▃▅█▆▃▁',
    ],
    [
      '!stats general',
      /^general: [\d,]+ messages?/,
      'general: 980 messages by 7 people since 2026-03-01, 48 kB of text · today 9, 7 days 190\ntop: alice 401, bob 280\n14 days ▁▂▅▃▁··▂▃▅█▆▃▁',
    ],
  ],
  async run(context, { room }) {
    const { services, atMs, ledger, caller } = context
    return indexed(context, db => {
      if (room !== undefined) {
        const scope = scopeOf(db, context, room)
        const data = statsOf(services.index.db, db, scope.names, atMs)
        const { name } = scope.room
        return { lines: linesOf(name, data, false), data, reply: scope.reply, ...pictureOf(name, data, false, atMs) }
      }
      const visible = visibleTo(db, context, caller.place.private ? 'asker' : 'place')
      const data = statsOf(services.index.db, db, visible.all ? null : [...visible.rooms], atMs)
      const title = visible.all ? 'all rooms' : 'all rooms here'
      const lines = linesOf(title, data, true)
      const files = `ledger ${size(sizeOf(ledger.path))}, index ${size(sizeOf(services.index.path))}`
      return { lines: visible.all ? [...lines, files] : lines, data, ...pictureOf(title, data, true, atMs) }
    })
  },
})
