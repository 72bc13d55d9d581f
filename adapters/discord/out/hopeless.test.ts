import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChanopError } from '../../../core/error.ts'
import { text } from '../../../core/event.ts'
import type { DiscordFake } from '../testing/fake.ts'
import { Suite } from '../testing/suite.ts'
import { placeAt } from '../testing/trial.ts'

let fake: DiscordFake
const { start } = Suite.open(suite => {
  ;({ fake } = suite)
})

for (const type of [0, 15])
  test(`a message that what stands before Discord never takes is given up in the end, and not while nothing is answered (${type})`, async t => {
    const room = fake.world.channel('room', type)
    const { adapter } = await start({ channels: [room.id] })
    const place = placeAt(room.id)
    const isSaid = (method: string, path: string): boolean =>
      method === 'POST' && path.startsWith(`/channels/${room.id}/`)
    const page = { status: 403, headers: { 'content-type': 'text/html' }, body: '<html>blocked</html>' }
    const tries = async (times: number): Promise<string[]> => {
      const codes = new Set<string>()
      for (let n = 0; n < times; n++)
        await adapter
          .send(place, { content: text('cat /etc/passwd') }, 'h-1')
          .catch((error: ChanopError) => codes.add(error.code))
      return [...codes]
    }
    t.after(() => {
      fake.odd = null
    })
    fake.odd = (method, path) => (isSaid(method, path) ? page : null)
    assert.deepEqual(await tries(6), ['send-later'])
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 600_001 })
    fake.odd = () => page
    assert.deepEqual(await tries(1), ['send-later'])
    fake.odd = (method, path) => (isSaid(method, path) ? page : null)
    assert.deepEqual(await tries(5), ['send-later'])
    t.mock.timers.setTime(Date.now() + 600_001)
    assert.deepEqual(await tries(1), ['send-refused'])
    fake.odd = null
    await adapter.send(place, { content: text('next') }, 'h-2')
  })
