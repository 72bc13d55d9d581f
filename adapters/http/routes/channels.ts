import type { FastifyRequest } from 'fastify'
import { maySee } from '../../../core/access/visibility.ts'
import type { ChannelId } from '../../../core/event.ts'
import { lettersBefore, lettersIn } from '../../../core/ledger/out/inbox.ts'
import { membersOf } from '../../../core/ledger/people/members.ts'
import { type RecentMessage, recent } from '../../../core/ledger/record/events.ts'
import { factsFor, firstReceivedSince } from '../../../core/ledger/record/history.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { doorTo, namesOf, type Room } from '../../../core/rooms.ts'
import { visible } from '../../../core/text/text.ts'
import { holderOf } from '../command.ts'
import { roomMeant, roomsOf, shownPlaces, silenced, visibleFor } from '../door/reach.ts'
import type { House, Routes } from '../house.ts'
import { saidIn } from '../letters.ts'
import { ownPlace } from '../place.ts'
import { Problem } from '../problem.ts'
import { say } from '../say.ts'
import { problems } from '../schemas.ts'
import { messageSchema, shownMessage } from '../shown.ts'

/** The key's own conversation with the bots. */
const own = '@me'
const usual = 50
const most = 500

const channel = { type: 'string', minLength: 1, maxLength: 200 } as const
const params = { type: 'object', required: ['channel'], properties: { channel } } as const
const number = { type: 'string', pattern: '^[0-9]{1,15}$' } as const
const tags = ['channels']

interface Page {
  readonly after?: string
  readonly before?: string
  readonly since?: string
  readonly limit?: string
}

const pageSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    after: {
      ...number,
      description: 'the `next` of the answer before, or 0 for the beginning: what came since, oldest first',
    },
    before: { ...number, description: 'the newest messages before this number' },
    since: { type: 'string', maxLength: 40, description: 'a time (RFC 3339): what came since' },
    limit: { type: 'string', pattern: '^([1-9][0-9]?|[1-4][0-9][0-9]|500)$' },
  },
} as const

const pageAnswer = {
  type: 'object',
  required: ['messages', 'next'],
  properties: {
    messages: { type: 'array', items: messageSchema },
    next: { type: 'integer', description: 'ask for `after` this' },
  },
} as const

const limitOf = ({ limit }: Page): number => Math.min(most, limit === undefined ? usual : Number(limit))

function momentIn(since: string): number {
  const sinceMs = Date.parse(since)
  if (!/^\d{4}-\d\d-\d\dT/.test(since) || Number.isNaN(sinceMs))
    throw new Problem(400, 'usage', 'since: write a time such as 2026-04-01T18:00:00Z')
  return sinceMs
}

/** Where to go on: after a number, or a time; null: the newest are wanted. */
function afterOf(tx: Tx, { after, since }: Page, newestSeq: number): number | null {
  // A number of a record that was put back is none yet.
  if (after !== undefined) return Math.min(Number(after), newestSeq)
  return since === undefined ? null : firstReceivedSince(tx, momentIn(since)) - 1
}

function messagesIn(tx: Tx, room: Room, page: Page, after: number | null): RecentMessage[] {
  const limit = limitOf(page)
  const names = namesOf(room)
  if (after !== null) return factsFor(tx, { names, direct: null, after, limit })
  const before = page.before === undefined ? Number.MAX_SAFE_INTEGER : Number(page.before)
  return names
    .flatMap(name => recent(tx, name, limit, before))
    .sort((a, b) => a.seq - b.seq)
    .slice(-limit)
}

/** What was said to a key, whether it asked for it or not. */
function lettersFor(house: House, request: FastifyRequest, page: Page) {
  const { account } = holderOf(request)
  const { ledger, vault } = house.interior
  const mine = ownPlace(house.network, account)
  const { after = 0, since, before } = page
  // As in a room; without any of them what is kept is told from its beginning.
  const isBack = before !== undefined && page.after === undefined && since === undefined
  const sinceMs = since === undefined ? 0 : momentIn(since)
  const [letters, newest] = ledger.readNow(tx => [
    isBack
      ? lettersBefore(tx, mine, Number(before), limitOf(page))
      : lettersIn(tx, mine, Number(after), sinceMs, limitOf(page)),
    lettersBefore(tx, mine, Number.MAX_SAFE_INTEGER, 1)[0]?.id,
  ])
  const messages = letters.map(letter => {
    const { lines, secrets } = saidIn(vault, [letter])
    const words = [...lines, ...secrets].join('\n')
    const base = { id: letter.id, at: new Date(letter.atMs).toISOString(), channel: own, text: words, edited: false }
    return { ...base, nick: 'chanop', ...(letter.reply === null ? {} : { answers: letter.reply }) }
  })
  return { messages, next: letters.at(-1)?.id ?? Number(page.after ?? newest ?? 0) }
}

/** Rooms by their names, for programs that read and speak there: in the shapes of ScuttleBot, with a cursor. */
export const channelRoutes: Routes = (app, house) => {
  listing(app, house)
  reading(app, house)
  saying(app, house)
  people(app, house)
  presence(app, house)
}

const meant = ({ interior: { ledger, rooms } }: House, request: FastifyRequest, written: string): Room =>
  ledger.readNow(tx => roomMeant(tx, holderOf(request), rooms, written, Date.now()))

const listing: Routes = (app, house) => {
  const { ledger, rooms } = house.interior
  app.get(
    '/v1/channels',
    {
      config: { scope: 'read' },
      schema: { summary: 'Rooms that this key may read', tags, response: { 200: channelsAnswer, ...problems } },
    },
    async request =>
      ledger.readNow(tx => {
        const holder = holderOf(request)
        const found = roomsOf(tx, holder, rooms, visibleFor(tx, holder, rooms, Date.now()))
        const shown = found.map(room => ({ name: room.name, open: room.open, places: shownPlaces(room) }))
        return { channels: found.map(({ name }) => name), rooms: shown }
      }),
  )
}

const reading: Routes = (app, house) => {
  const { ledger, rooms } = house.interior
  app.get<{ Params: { channel: string }; Querystring: Page }>(
    '/v1/channels/:channel/messages',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'What was said in a room, as it reads now; in `@me`: what was said to this key',
        tags,
        params,
        querystring: pageSchema,
        response: { 200: pageAnswer, ...problems },
      },
    },
    async request => {
      const { params: path, query } = request
      if (path.channel === own) return lettersFor(house, request, query)
      const room = meant(house, request, path.channel)
      const page = ledger.readNow(tx => {
        const visible = visibleFor(tx, holderOf(request), rooms, Date.now())
        const newestSeq = ledger.newestSeq()
        const after = afterOf(tx, query, newestSeq)
        const found = messagesIn(tx, room, query, after)
        const next = found.at(-1)?.seq ?? after ?? newestSeq
        return { messages: found.filter(message => maySee(visible, message)).map(shownMessage), next }
      })
      // A number that was told is never another fact's.
      await ledger.kept()
      return page
    },
  )
}

const saying: Routes = (app, house) => {
  const { ledger, rooms } = house.interior
  app.post<{ Params: { channel: string }; Body: { text: string } }>(
    '/v1/channels/:channel/messages',
    {
      config: { scope: 'say' },
      schema: {
        summary: 'Says something in a room, once for each Idempotency-Key; in `@me`: to the bots',
        tags,
        params,
        body: sayBody,
        response: { 201: sayAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const holder = holderOf(request)
      const { text: said } = request.body
      if (visible(said) === '') throw new Problem(400, 'usage', 'text: say something')
      reply.code(201)
      if (request.params.channel === own) {
        const { id, seq } = await say(house, request, holder, ownPlace(house.network, holder.account), said)
        return { id: seq, request: id }
      }
      const room = meant(house, request, request.params.channel)
      const why = ledger.readNow(tx => silenced(tx, holder, room, rooms, Date.now()))
      if (why !== null) {
        house.refused(request, why)
        throw new Problem(403, 'denied', `nothing may be said there: ${why}`)
      }
      const { id, seq } = await say(house, request, holder, doorTo(house.network, room), said)
      return { id: seq, request: id }
    },
  )
}

const people: Routes = (app, house) => {
  const { ledger } = house.interior
  app.get<{ Params: { channel: string } }>(
    '/v1/channels/:channel/users',
    {
      config: { scope: 'read' },
      schema: { summary: 'Who is in a room', tags, params, response: { 200: usersAnswer, ...problems } },
    },
    async request => {
      const room = meant(house, request, request.params.channel)
      return ledger.readNow(tx => ({
        users: room.places.flatMap(place =>
          membersOf(tx, place).map(({ user, name }) => ({
            nick: name,
            account: `${place.network}:${user}`,
            modes: [],
          })),
        ),
      }))
    },
  )
}

const presence: Routes = (app, house) => {
  app.post<{ Params: { channel: string } }>(
    '/v1/channels/:channel/presence',
    {
      config: { scope: 'say' },
      schema: {
        summary: 'A sign of life of the agent that the key acts for',
        tags,
        params,
        body: { type: 'object', properties: { nick: { type: 'string', maxLength: 200 } }, additionalProperties: true },
        response: { 204: { type: 'null' }, ...problems },
      },
    },
    async (request, reply) => {
      const { agent } = holderOf(request)
      if (!agent) throw new Problem(403, 'denied', 'a person shows signs of life by themselves: this is for agents')
      const room = meant(house, request, request.params.channel)
      const place = room.places.find(({ network }) => network === agent.network)
      const at = place ?? { network: agent.network, channel: '' as ChannelId, private: true as const }
      const sender = { id: agent.name as never, name: agent.name, kind: 'bot' as const, verified: true }
      await house.signs?.([{ kind: 'life', place: at, sender, what: 'heartbeat', atMs: Date.now() }])
      return reply.code(204).send()
    },
  )
}

const channelsAnswer = {
  type: 'object',
  required: ['channels', 'rooms'],
  properties: {
    channels: { type: 'array', items: { type: 'string' } },
    rooms: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'open', 'places'],
        properties: {
          name: { type: 'string' },
          open: { type: 'boolean' },
          places: { type: 'array', items: { type: 'string' } },
        },
      },
    },
  },
} as const

const sayBody = {
  type: 'object',
  required: ['text'],
  properties: {
    text: { type: 'string', minLength: 1, maxLength: 20_000 },
    nick: { type: 'string', maxLength: 200, description: 'of no effect: the key says who speaks' },
    meta: { type: 'object', additionalProperties: true, description: 'of no effect' },
  },
  additionalProperties: false,
} as const

const sayAnswer = {
  type: 'object',
  required: ['id', 'request'],
  properties: { id: { type: 'integer', description: 'its number in the record' }, request: { type: 'string' } },
} as const

const usersAnswer = {
  type: 'object',
  required: ['users'],
  properties: {
    users: {
      type: 'array',
      items: {
        type: 'object',
        required: ['nick', 'account', 'modes'],
        properties: {
          nick: { type: 'string' },
          account: { type: 'string' },
          modes: { type: 'array', items: { type: 'string' } },
        },
      },
    },
  },
} as const
