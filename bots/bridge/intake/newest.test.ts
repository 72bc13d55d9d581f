import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { Reader } from '../../../core/command/visit/reading.ts'
import type { ChannelId, ChatEvent, MessageId, NetworkId, UserId } from '../../../core/event.ts'
import { text } from '../../../core/event.ts'
import { newest } from '../../../core/ledger/record/events.ts'
import { House } from '../../../test/house.ts'
import { Echoes } from '../relay/echoes.ts'
import { ingest } from './ingest.ts'

test('a backfill goes on from what the platform has in its history, not from a slash command', async t => {
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
  const newestId = () => house.ledger.read(db => newest(db, place)?.id)
  await take(said('1'))
  await take(said('3', { unlisted: true }))
  assert.equal(await newestId(), '1')
  await take(said('2', { origin: 'backfill' }), said('4', { unlisted: true }))
  assert.equal(await newestId(), '2')
})
