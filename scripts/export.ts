/** `npm run export -- ROOM [--format jsonl|csv|text|html] [--since 2d] [--until …] [--out FILE]`: without chat and bots. */

import { resolve } from 'node:path'
import { exportTo } from '../bots/scribe/export/export.ts'
import { exportPath } from '../bots/scribe/export/place.ts'
import { type FormatName, formatNames } from '../bots/scribe/record/format.ts'
import { configSchema } from '../config/schema.ts'
import { parseMoment } from '../core/command/parse/values.ts'
import { ChanopError } from '../core/error.ts'
import { type ChannelId, formatPlace } from '../core/event.ts'
import { given } from '../core/given.ts'
import type { Span } from '../core/ledger/record/history.ts'
import { openToRead } from '../core/ledger/record/reading.ts'
import { networksWith } from '../core/ledger/settings/places.ts'
import type { Tx } from '../core/ledger/tx.ts'
import { namesOf, type Room, Rooms, type RoomsConfig } from '../core/rooms.ts'
import { Settings } from '../core/settings/settings.ts'
import { count, size } from '../core/text/text.ts'
import { misused, readArguments } from './arguments.ts'
import { openLedger } from './boot/upgrade.ts'
import { demandLedger, type Instance, instanceOf, shown } from './instance.ts'
import { script, stopSignal } from './steps.ts'

const usage = `usage: npm run export -- ROOM [--format ${formatNames.join('|')}] [--since TIME] [--until TIME] [--out FILE]
ROOM is a room (general), a place (irc:#general), a channel ('#general') or --all. TIME is 2d (ago), 2026-04-01 or
2026-04-01T18:00. Without --out the file is made in data/exports.`

const options = {
  all: { type: 'boolean' },
  format: { type: 'string', default: 'jsonl' },
  since: { type: 'string' },
  until: { type: 'string' },
  out: { type: 'string' },
} as const

interface Wish {
  /** Null: every room. */
  readonly room: string | null
  readonly format: FormatName
  readonly sinceMs?: number
  readonly untilMs?: number
  readonly out: string | undefined
}

const wrong = (message: string): ChanopError => misused(message, usage)

function timeAt(option: string, written: string | undefined, nowMs: number): number | undefined {
  if (written === undefined) return undefined
  const atMs = parseMoment(written, 'past', nowMs)
  if (atMs === null) throw wrong(`--${option} ${written}: write a time such as 2d (ago) or 2026-04-01`)
  return atMs
}

function read(nowMs: number): Wish | null {
  const parsed = readArguments(usage, options, 1)
  if (!parsed) return null
  const { values, positionals } = parsed
  const [room] = positionals
  if ((room === undefined) !== (values.all === true)) throw wrong('say which room, or --all')
  const format = formatNames.find(name => name === values.format)
  if (!format) throw wrong(`--format ${values.format}: there are ${formatNames.join(', ')}`)
  const sinceMs = timeAt('since', values.since, nowMs)
  const untilMs = timeAt('until', values.until, nowMs)
  return { room: room ?? null, format, out: values.out, ...given({ sinceMs, untilMs }) }
}

/** A channel in no configured room is found by the places of the ledger. */
function roomIn(tx: Tx, rooms: Rooms, word: string): Room {
  const configured = rooms.meant(word)
  if (configured) return configured
  const places = networksWith(tx, word).map(network => ({ network, channel: word as ChannelId }))
  const [only, ...more] = places
  if (only && more.length === 0) return rooms.from(only)
  const known = rooms.all().map(({ name }) => name)
  const hint = only ? `which one: ${places.map(formatPlace).join(' or ')}?` : `rooms: ${known.join(', ')}`
  throw new ChanopError('not-found', `no room ${word}; ${hint}`)
}

async function roomsOf(instance: Instance): Promise<RoomsConfig> {
  using ledger = await openLedger(instance.paths)
  return (await Settings.open(instance.config, configSchema, ledger)).current.rooms
}

async function main(): Promise<number> {
  const nowMs = Date.now()
  const wish = read(nowMs)
  if (!wish) return 0
  const instance = instanceOf()
  demandLedger(instance)
  const rooms = await roomsOf(instance)
  using reading = openToRead(instance.paths.ledger)
  const room = wish.room === null ? null : roomIn(reading.tx, new Rooms(rooms), wish.room)
  const selection: Span = { ...wish, ...(room ? { rooms: namesOf(room) } : {}) }
  const title = room?.name ?? 'all rooms'
  const path = wish.out
    ? resolve(wish.out)
    : await exportPath(instance.paths.data, room?.name ?? 'all', wish.format, nowMs)
  const signal = stopSignal()
  const done = await exportTo(reading.tx, { selection, format: wish.format, title, path }, signal)
  console.log(
    `${shown(instance, done.path)}\n${count(done.lines)} lines, ${size(done.sizeBytes)}\nSHA-256 ${done.sha256}`,
  )
  return 0
}

await script(main)
