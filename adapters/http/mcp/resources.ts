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

const newest = 200
const mostOfDay = 5000
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

/** Those of some messages that the key may see, in lines. */
type Lines = (messages: readonly RecentMessage[]) => string[]
type Work = (tx: Tx, room: Room, lines: Lines) => string[]

/** As the key may see it at this moment; a key that counts no more sees nothing. */
function withRoom(house: House, holder: Holder, uri: URL, written: unknown, work: Work): string[] {
  const { ledger, rooms } = house.interior
  return ledger.readNow(tx => {
    const nowMs = Date.now()
    const now = ownerOf(tx, holder.key, nowMs)
    if (!now) throw new ResourceNotFoundError(uri.href)
    try {
      const room = roomMeant(tx, now, rooms, decodeURIComponent(String(written)), nowMs)
      const visible = visibleFor(tx, now, rooms, nowMs)
      return work(tx, room, messages => messages.filter(message => maySee(visible, message)).map(lineOf))
    } catch (error) {
      if (!isNowhere(error)) throw error
      throw new ResourceNotFoundError(uri.href)
    }
  })
}

const newestLines: Work = (tx, room, lines) => {
  const found = namesOf(room).flatMap(name => recent(tx, name, newest))
  return lines(found.sort((a, b) => a.seq - b.seq).slice(-newest))
}

const linesOfDay =
  (day: string): Work =>
  (tx, room, lines) => {
    const fromMs = Date.parse(`${day}T00:00:00Z`)
    if (!/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(fromMs)) throw new RangeError('write a day such as 2026-04-01')
    const after = firstReceivedSince(tx, fromMs) - 1
    const found = factsFor(tx, { names: namesOf(room), direct: null, after, limit: mostOfDay })
    const shown = lines(found.filter(({ event }) => event.atMs >= fromMs && event.atMs < fromMs + dayMs))
    const isCut = found.length === mostOfDay && (found.at(-1)?.event.atMs ?? 0) < fromMs + dayMs
    return isCut ? [...shown, `(no more than ${mostOfDay} messages are shown)`] : shown
  }

const textOf = (uri: URL, lines: readonly string[]) => ({
  contents: [{ uri: uri.href, mimeType: 'text/plain', text: lines.join('\n') }],
})

/** The records of rooms: the newest lines, and each day by itself. */
export function registerResources(server: McpServer, house: House, holder: Holder): void {
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
    (uri, { room: name }) => textOf(uri, withRoom(house, holder, uri, name, newestLines)),
  )
  const day = new ResourceTemplate('chanop://rooms/{room}/{day}', { list: undefined })
  server.registerResource(
    'day',
    day,
    { ...about, description: 'what was said in a room on one day (UTC), e.g. chanop://rooms/general/2026-04-01' },
    (uri, { room: name, day: written }) => textOf(uri, withRoom(house, holder, uri, name, linesOfDay(String(written)))),
  )
}
