import { type McpServer, ResourceNotFoundError, ResourceTemplate } from '@modelcontextprotocol/server'
import { type RecentMessage, recent } from '../../../core/ledger/record/events.ts'
import { factsFor, firstReceivedSince } from '../../../core/ledger/record/history.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { namesOf, type Room } from '../../../core/rooms.ts'
import { plain } from '../../../core/text/text.ts'
import { type Holder, ownerOf } from '../door/access.ts'
import { roomMeant, roomsOf, visibleFor } from '../door/reach.ts'
import type { House } from '../house.ts'
import { Problem } from '../problem.ts'

const newest = 200
const mostOfDay = 5000
const dayMs = 86_400_000

const uriOf = (room: string, day?: string): string =>
  `chanop://rooms/${encodeURIComponent(room)}${day === undefined ? '' : `/${day}`}`

/** As log files show it: `2026-04-01 18:00:00 <ann> hello`. */
function lineOf({ event, content }: RecentMessage): string {
  const at = new Date(event.atMs).toISOString().slice(0, 19).replace('T', ' ')
  const words = content === null ? '(deleted)' : plain(content)
  return `${at} <${event.sender.name}> ${words}`
}

/** That it is there and may not be seen is not told apart from that it is not there, or can't be. */
const isNowhere = (error: unknown): boolean =>
  error instanceof Problem || error instanceof RangeError || error instanceof URIError

/** As the key may see it at this moment; a key that counts no more sees nothing. */
function withRoom<T>(house: House, holder: Holder, uri: URL, written: unknown, work: (tx: Tx, room: Room) => T): T {
  const { ledger, rooms } = house.interior
  return ledger.readNow(tx => {
    const nowMs = Date.now()
    const now = ownerOf(tx, holder.key, nowMs)
    if (!now) throw new ResourceNotFoundError(uri.href)
    try {
      return work(tx, roomMeant(tx, now, rooms, decodeURIComponent(String(written)), nowMs))
    } catch (error) {
      if (!isNowhere(error)) throw error
      throw new ResourceNotFoundError(uri.href)
    }
  })
}

const newestLines = (tx: Tx, room: Room): string[] =>
  namesOf(room)
    .flatMap(name => recent(tx, name, newest))
    .sort((a, b) => a.seq - b.seq)
    .slice(-newest)
    .map(lineOf)

function linesOfDay(tx: Tx, room: Room, day: string): string[] {
  const fromMs = Date.parse(`${day}T00:00:00Z`)
  if (!/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(fromMs)) throw new RangeError('write a day such as 2026-04-01')
  const after = firstReceivedSince(tx, fromMs) - 1
  const found = factsFor(tx, { names: namesOf(room), direct: null, after, limit: mostOfDay })
  const lines = found.filter(({ event }) => event.atMs >= fromMs && event.atMs < fromMs + dayMs).map(lineOf)
  const isCut = found.length === mostOfDay && (found.at(-1)?.event.atMs ?? 0) < fromMs + dayMs
  return isCut ? [...lines, `(no more than ${mostOfDay} messages are shown)`] : lines
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
    (uri, { room: name, day: written }) =>
      textOf(
        uri,
        withRoom(house, holder, uri, name, (tx, found) => linesOfDay(tx, found, String(written))),
      ),
  )
}
