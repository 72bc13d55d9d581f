import { strict as assert } from 'node:assert'
import { type TestContext, test } from 'node:test'
import { publish } from '../../../core/command/help/published.ts'
import { Reader } from '../../../core/command/visit/reading.ts'
import type { ChannelId, ChatEvent, MessageId, NetworkId, UserId } from '../../../core/event.ts'
import { text } from '../../../core/event.ts'
import { after, newest } from '../../../core/ledger/record/events.ts'
import { plain } from '../../../core/text/text.ts'
import { House } from '../../../test/house.ts'
import { adminCommands } from '../../admin/admin.ts'
import { Echoes } from '../relay/echoes.ts'
import { deliveries } from '../testing.ts'
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

test('a private command of a platform’s menu, which showed it to nobody, is passed on to nobody; what others saw is', async t => {
  const { house, take } = await setUp(t)
  await house.ledger.write(db => publish(db, 'admin', adminCommands as never))
  await take(
    said('!whoami', { unlisted: true }),
    said('a form', { unlisted: true, asked: { name: 'whoami', args: {} } }),
    said('!status', { unlisted: true }),
    said('!audit'),
    said('/me waves', { unlisted: true }),
  )
  const acts = (await deliveries(house)).map(({ act }) => plain(JSON.parse(act).content))
  assert.deepEqual(acts, ['!status', '!audit', '/me waves'])
})
