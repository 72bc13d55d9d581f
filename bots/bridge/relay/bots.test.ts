import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import { type ChannelId, type MessageId, type NetworkId, text } from '../../../core/event.ts'
import { say } from '../../../core/say.ts'
import { copies, copyOf, hall, openHall, settled, until } from '../testing.ts'

/** A bot says something in both places of a room, in `a` in a thread; `a` takes nothing yet. */
async function open(t: TestContext) {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const root = a.user('alice').say(hall, 'root')
  await until(() => copyOf(b, 'root'), 'what opens the thread')
  await settled(house)
  const at = (network: string, thread?: MessageId) => ({
    network: network as NetworkId,
    channel: hall as ChannelId,
    ...(thread === undefined ? {} : { thread }),
  })
  const answer = (): Promise<unknown> =>
    house.ledger.write(db => {
      const places = [at('a', root.id), at('b')]
      return say(db, { bot: 'oracle', content: text('words'), in: { name: 'hall', places }, key: 'k' }, Date.now())
    })
  const inB = async () => await until(() => copyOf(b, 'words'), 'its copy in b')
  return { house, a, b, answer, inB }
}

test('what is done to a copy of what a bot says in a thread waits for it there', async t => {
  for (const act of ['react', 'remove'] as const) {
    const { house, a, b, answer, inB } = await open(t)
    const release = a.faults.hold()
    await answer()
    const { id } = await inB()
    if (act === 'react') b.user('carl').react(id, '👍')
    else b.user('carl').remove(id)
    b.user('carl').say(hall, 'next')
    await b.quiet()
    release()
    await until(() => copyOf(a, 'next'), 'what came last')
    await settled(house)
    if (act === 'remove') assert.deepEqual(copies(a), ['carl: next'])
    else assert.deepEqual(copyOf(a, 'words')?.reactions, [{ emoji: '👍', by: 'chanop' }])
  }
})

test('a reply to what a bot could not say in a place names nothing that its platform never heard of', async t => {
  const { house, a, b, answer, inB } = await open(t)
  a.faults.refuseSends(1, 'send-refused')
  await answer()
  b.user('carl').say(hall, 'why?', { replyTo: (await inB()).id })
  const asked = await until(() => copyOf(a, 'why?'), 'the reply')
  await settled(house)
  assert.equal(asked.content.replyTo, undefined)
  assert.equal(copyOf(a, 'words'), undefined)
})
