import { strict as assert } from 'node:assert'
import { type TestContext, test } from 'node:test'
import { Reader } from '../../../core/command/visit/reading.ts'
import type { ChannelId, ChatEvent, MessageId, NetworkId, UserId } from '../../../core/event.ts'
import { text } from '../../../core/event.ts'
import { after, newest } from '../../../core/ledger/record/events.ts'
import { House } from '../../../test/house.ts'
import { Echoes } from '../relay/echoes.ts'
import { ingest } from './ingest.ts'

const place = { network: 'chat' as NetworkId, channel: '#general' as ChannelId }
const said = (id: string, more: object = {}): ChatEvent => ({
  kind: 'message',
  key: `chat:${id}`,
  id: id as MessageId,
  place,
  sender: { id: 'alice' as UserId, name: 'alice', kind: 'person', verified: true },
  content: text(id),
  atMs: Date.now(),
  origin: 'live',
  ...more,
})

async function setUp(t: TestContext) {
  const house = new House(t)
  const { rooms, settings } = await house.context('bridge')
  const intake = {
    rooms,
    ignore: settings.current.ignore,
    reader: new Reader({ prefix: () => '!', bots: ['admin'] }),
    splitMs: 0,
    lateMs: 60_000,
    echoes: new Echoes(),
    members: new Set<string>(),
  }
  const take = (...events: ChatEvent[]) => house.ledger.write(db => ingest(db, events, intake, Date.now()))
  return { house, take }
}

test('a backfill goes on from what the platform has in its history, not from a slash command', async t => {
  const { house, take } = await setUp(t)
  const newestId = () => house.ledger.read(db => newest(db, place)?.id)
  await take(said('1'))
  await take(said('3', { unlisted: true }))
  assert.equal(await newestId(), '1')
  await take(said('2', { origin: 'backfill' }), said('4', { unlisted: true }))
  assert.equal(await newestId(), '2')
})

test('what is no time is when it came in', async t => {
  const { house, take } = await setUp(t)
  const beforeMs = Date.now()
  await take(...[9e15, -9e15, 1e300].map(atMs => said(`${atMs}`, { atMs })))
  for (const { event } of await house.ledger.read(db => after(db, 0, 10)))
    assert.ok(event.atMs >= beforeMs && event.atMs <= Date.now(), `${event.atMs}`)
})
