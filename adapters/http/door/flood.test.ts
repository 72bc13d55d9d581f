/** However many programs read and ask, the relay goes on and nothing of a stream is missing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../../bots/bridge/testing.ts'
import { Source } from '../testing/source.ts'
import { openWorld } from '../testing/world.ts'

const readers = 60
const askers = 12
const messages = 200

test(`${messages} messages are relayed while ${askers} programs ask without end and ${readers} read along`, async t => {
  const world = await openWorld(t)
  const keys = [await world.key('alice'), await world.key('mia'), await world.key('eve')]
  const keyOf = (n: number): string => keys[n % keys.length] as string
  const sources = await Promise.all(
    Array.from({ length: readers }, (_, n) => new Source().open(world, keyOf(n), '/v1/stream?rooms=general')),
  )
  let flooding = true
  let answered = 0
  const flood = Array.from({ length: askers }, async (_, n) => {
    const paths = ['/v1/status', '/v1/channels/general/messages?limit=50', '/v1/nothing']
    while (flooding) {
      const path = paths[n % paths.length] as string
      const { status } = await world.call('GET', path, keyOf(n))
      assert.equal(status, path === '/v1/nothing' ? 404 : 200, path)
      answered++
    }
  })
  const bob = world.house.server('a').user('bob')
  bob.join('#general')
  await until(() => answered > askers, 'the flood')
  for (let n = 0; n < messages; n++) bob.say('#general', `n ${n}`)
  const copies = (): string[] =>
    world.house
      .server('b')
      .channel('#general')
      .messages.map(({ content }) => content.segments.map(segment => ('text' in segment ? segment.text : '')).join(''))
      .filter(text => text.startsWith('n '))
  const before = answered
  // The flood goes on until the last copy stands: a relay that waited for it would wait for ever.
  await until(() => copies().length === messages, 'all copies', 60_000)
  flooding = false
  await Promise.all(flood)
  t.diagnostic(`${answered - before} answers meanwhile`)
  const wanted = Array.from({ length: messages }, (_, n) => `n ${n}`)
  assert.deepEqual(copies(), wanted)
  await until(() => sources.every(({ texts }) => texts.length >= messages), 'all of them at every reader', 60_000)
  const [first] = sources
  for (const source of sources) {
    assert.deepEqual(source.texts, wanted)
    assert.deepEqual(
      source.events.map(({ id }) => id),
      first?.events.map(({ id }) => id),
    )
    source.close()
  }
})
