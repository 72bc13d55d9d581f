import assert from 'node:assert/strict'
import { test } from 'node:test'
import { text } from '../../../core/event.ts'
import type { DiscordFake } from '../testing/fake.ts'
import { Suite } from '../testing/suite.ts'
import { placeAt } from '../testing/trial.ts'

let fake: DiscordFake
const { start } = Suite.open(suite => {
  ;({ fake } = suite)
})

test('what an edit added reads as the text does by the time that it is tried again', async () => {
  const room = fake.world.channel('room')
  const place = placeAt(room.id)
  const trial = await start({ channels: [room.id] })
  const { adapter } = trial
  const ids = await adapter.send(place, { content: text('short') }, 'g-1')
  const words = (count: number): string => Array.from({ length: count }, (_, n) => `w${n}`).join(' ')
  const edit = async (count: number) => adapter.edit?.(place, ids, { content: text(words(count)) }, 'g-2')
  const said = () => fake.world.messages.get(room.id) ?? []
  const whole = (): string =>
    said()
      .map(({ content }) => content)
      .join(' ')
  fake.loses = (method, path) => method === 'POST' && path === `/channels/${room.id}/messages`
  await assert.rejects(edit(500), { code: 'network-down' })
  await trial.back(fake)
  assert.equal((await edit(700))?.length, 2)
  assert.equal(whole(), words(700))
  // Somebody takes it away: it is said anew.
  const [, second] = said()
  if (second) fake.world.remove(second)
  assert.equal((await edit(750))?.length, 2)
  assert.equal(whole(), words(750))
})
