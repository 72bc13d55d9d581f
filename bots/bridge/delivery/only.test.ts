import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import { type ChannelId, type NetworkId, nowhere, type Place, text, type UserId } from '../../../core/event.ts'
import { recent } from '../../../core/ledger/record/events.ts'
import { loneRoom } from '../../../core/rooms.ts'
import { say } from '../../../core/say.ts'
import { House } from '../../../test/house.ts'
import { hall, settled, until } from '../testing.ts'

const network = 'a' as NetworkId
const general: Place = { network, channel: hall as ChannelId }

async function open(t: TestContext, ephemeral: boolean): Promise<{ house: House; a: MemoryPlatform }> {
  const house = new House(t, {
    config: `
owner: a:olga
networks:
  a: { kind: memory, server: '{server}-a', channels: ['${hall}'], ephemeral: ${ephemeral} }
rooms:
  hall: { places: ['a:${hall}'], open: true }
`,
  })
  await house.bridge()
  const a = house.server('a')
  await a.ready()
  for (const name of ['ann', 'bob']) a.user(name).join(hall)
  return { house, a }
}

const tell = (house: House, words: string, place = general): Promise<unknown> =>
  house.ledger.write(db =>
    say(db, { bot: 'admin', content: text(words), in: loneRoom(place), only: 'ann' as UserId, key: words }, Date.now()),
  )

test('where the platform can, one person alone sees it in the channel', async t => {
  const { house, a } = await open(t, true)
  await tell(house, 'just ann')
  const heard = await a.user('ann').hears(hall, 'just ann')
  assert.equal(heard.only, 'ann')
  assert.equal(a.user('bob').reads(hall).length, 0)
})

test('elsewhere it is said in their direct conversation, in its order, and what others say goes on', async t => {
  const { house, a } = await open(t, false)
  for (let n = 0; n < 5; n++) await tell(house, `for ann ${n}`)
  await until(() => a.user('ann').reads('@admin').length === 5, 'all five')
  assert.deepEqual(
    a
      .user('ann')
      .reads('@admin')
      .map(({ text: said }) => said),
    [0, 1, 2, 3, 4].map(n => `for ann ${n}`),
  )
  await settled(house)
  assert.equal(a.channel(hall).messages.length, 0, 'nobody else heard of it')
})

test('so is what belongs to no place, and what the platform refuses to show to one person here', async t => {
  const { house, a } = await open(t, true)
  await tell(house, 'from nowhere', nowhere(network))
  await a.user('ann').hears('@admin', 'from nowhere')
  a.faults.refuseSends(1, 'send-refused')
  await tell(house, 'refused')
  await a.user('ann').hears(hall, 'could not be said: The server does not take this message.')
})

test('it is in no room’s record', async t => {
  const { house, a } = await open(t, false)
  a.user('bob').say(hall, 'in the room')
  await tell(house, 'just ann')
  await a.user('ann').hears('@admin', 'just ann')
  await settled(house)
  const said = await house.ledger.read(db => recent(db, 'hall', 100).map(({ event }) => event.sender.name))
  assert.deepEqual(said, ['bob'])
})

test('who can’t be reached alone: the room hears that, and not what it was', async t => {
  const { house, a } = await open(t, false)
  await house.ledger.write(db =>
    say(
      db,
      {
        bot: 'admin',
        content: text('secret words'),
        in: loneRoom(general),
        only: 'ghost' as UserId,
        key: 'g',
      },
      Date.now(),
    ),
  )
  await a.user('bob').hears(hall, 'what was meant for you alone could not be said')
  await settled(house)
  assert.equal(a.transcript().includes('secret words'), false)
})

test('a process that died on the way says it once', async t => {
  const { house, a } = await open(t, false)
  const release = a.faults.hold()
  await tell(house, 'once')
  a.cut('gone')
  release()
  await a.user('ann').hears('@admin', 'once')
  await settled(house)
  assert.equal(a.transcript().split('once').length - 1, 1)
})
