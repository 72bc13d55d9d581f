import { setImmediate } from 'node:timers/promises'
import { type McpServer, ResourceNotFoundError, ResourceTemplate } from '@modelcontextprotocol/server'
import { maySee } from '../../../core/access/visibility.ts'
import { type RecentMessage, recent } from '../../../core/ledger/record/events.ts'
import { factsFor, firstReceivedSince } from '../../../core/ledger/record/history.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { namesOf, type Room } from '../../../core/rooms.ts'
import { clean, plain, safeName } from '../../../core/text/text.ts'
import { type Holder, ownerOf } from '../door/access.ts'
import { roomMeant, roomsOf, visibleFor } from '../door/reach.ts'
import type { House } from '../house.ts'
import { Problem } from '../problem.ts'

/** Who asks, and until when they wait. */
export interface Reader {
  readonly holder: Holder
  readonly signal: AbortSignal
}

const newest = 200
const mostOfDay = 5000
/** So many messages of a day are read in one turn of the event loop. */
const atOnce = 250
const dayMs = 86_400_000

const uriOf = (room: string, day?: string): string =>
  `chanop://rooms/${encodeURIComponent(room)}${day === undefined ? '' : `/${day}`}`

/** As log files show it: `2026-04-01 18:00:00 <ann> hello`. What else it has of lines is set in: none looks like another's. */
function lineOf({ event, content }: RecentMessage): string {
  const at = new Date(event.atMs).toISOString().slice(0, 19).replace('T', ' ')
  const words = content === null ? '(deleted)' : clean(plain(content))
  return `${at} <${safeName(event.sender.name)}> ${words.replace(/[\n\u2028\u2029]/g, '\n    ')}`
}

/** That it is there and may not be seen is not told apart from that it is not there, or can't be. */
const isNowhere = (error: unknown): boolean =>
  error instanceof Problem || error instanceof RangeError || error instanceof URIError

/** The last of what is read, of whoever asks: clients of 2025-03-26 ask for a hundred days at once. */
let before: Promise<unknown> = Promise.resolve()

/** What else there is to do has its turn between any two of them. Rejects when nobody waits for it any more. */
function inTurn<T>(signal: AbortSignal, work: () => T): Promise<T> {
  const done = before.then(() => setImmediate(null, { signal })).then(work)
  before = done.catch(() => undefined)
  return done
}

/** What a key may see of a room. */
interface Sight {
  readonly names: readonly string[]
  /** Those of some messages that it may see, in lines. */
  readonly lines: (messages: readonly RecentMessage[]) => string[]
}

/** Reads as the key may see it at that moment; a key that counts no more sees nothing. */
function look<T>(house: House, { holder, signal }: Reader, { href }: URL, written: unknown, work: Work<T>): Promise<T> {
  const { ledger, rooms } = house.interior
  const read = (tx: Tx): T => {
    const nowMs = Date.now()
    const now = ownerOf(tx, holder.key, nowMs)
    if (!now) throw new ResourceNotFoundError(href)
    try {
      const room = roomMeant(tx, now, rooms, decodeURIComponent(String(written)), nowMs)
      const visible = visibleFor(tx, now, rooms, nowMs)
      const lines: Sight['lines'] = messages => messages.filter(message => maySee(visible, message)).map(lineOf)
      return work(tx, { names: namesOf(room), lines })
    } catch (error) {
      if (!isNowhere(error)) throw error
      throw new ResourceNotFoundError(href)
    }
  }
  return inTurn(signal, () => ledger.readNow(read))
}

type Work<T> = (tx: Tx, sight: Sight) => T

function newestLines(tx: Tx, { names, lines }: Sight): string[] {
  const found = names.flatMap(name => recent(tx, name, newest))
  return lines(found.sort((a, b) => a.seq - b.seq).slice(-newest))
}

interface Some {
  readonly shown: readonly string[]
  /** The number behind which more may stand; null: nothing does. */
  readonly upTo: number | null
  /** The day is not over there. */
  readonly goesOn: boolean
}

/** What of a day stands behind a number; null: behind all that came in before it. */
function someOf(tx: Tx, { names, lines }: Sight, day: string, from: number | null): Some {
  const fromMs = Date.parse(`${day}T00:00:00Z`)
  if (!/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(fromMs)) throw new RangeError('write a day such as 2026-04-01')
  const after = from ?? firstReceivedSince(tx, fromMs) - 1
  const found = factsFor(tx, { names, direct: null, after, limit: atOnce })
  const shown = lines(found.filter(({ event }) => event.atMs >= fromMs && event.atMs < fromMs + dayMs))
  const last = found.length === atOnce ? found.at(-1) : undefined
  return { shown, upTo: last?.seq ?? null, goesOn: (last?.event.atMs ?? 0) < fromMs + dayMs }
}

async function linesOfDay(house: House, asking: Reader, uri: URL, room: unknown, day: string): Promise<string[]> {
  const all: string[] = []
  let some: Some = { shown: [], upTo: null, goesOn: true }
  for (let read = 0; read < mostOfDay; read += atOnce) {
    const { upTo } = some
    some = await look(house, asking, uri, room, (tx, sight) => someOf(tx, sight, day, upTo))
    all.push(...some.shown)
    if (some.upTo === null) return all
  }
  return some.goesOn ? [...all, `(no more than ${mostOfDay} messages are shown)`] : all
}

const textOf = (uri: URL, lines: readonly string[]) => ({
  contents: [{ uri: uri.href, mimeType: 'text/plain', text: lines.join('\n') }],
})

/** The records of rooms: the newest lines, and each day by itself. */
export function registerResources(server: McpServer, house: House, asking: Reader): void {
  const { holder } = asking
  const { ledger, rooms } = house.interior
  const listed = (): readonly Room[] =>
    ledger.readNow(tx => roomsOf(tx, holder, rooms, visibleFor(tx, holder, rooms, Date.now())))
  const about = { mimeType: 'text/plain' }
  const room = new ResourceTemplate('chanop://rooms/{room}', {
    list: () => ({
      resources: listed().map(({ name }) => ({
        uri: uriOf(name),
        name,
        title: `the newest ${newest} messages of ${name}`,
        ...about,
      })),
    }),
    complete: {
      room: value =>
        listed()
          .map(({ name }) => name)
          .filter(name => name.startsWith(value)),
    },
  })
  server.registerResource(
    'room',
    room,
    { ...about, description: 'the newest messages of a room' },
    async (uri, { room: name }) => textOf(uri, await look(house, asking, uri, name, newestLines)),
  )
  const day = new ResourceTemplate('chanop://rooms/{room}/{day}', { list: undefined })
  server.registerResource(
    'day',
    day,
    { ...about, description: 'what was said in a room on one day (UTC), e.g. chanop://rooms/general/2026-04-01' },
    async (uri, { room: name, day: written }) =>
      textOf(uri, await linesOfDay(house, asking, uri, name, String(written))),
  )
}
