import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MessageId, text } from '../../../core/event.ts'
import type { DiscordFake } from '../testing/fake.ts'
import type { Channel } from '../testing/objects.ts'
import { Suite } from '../testing/suite.ts'
import { placeAt } from '../testing/trial.ts'

let fake: DiscordFake
let general: Channel
const { start, say } = Suite.open(suite => {
  ;({ fake, general } = suite)
})

test('what is quoted calls nobody, also where the words of who answers may', async () => {
  const { adapter, book } = await start()
  const calling = say('hey @everyone')
  await book.hears('hey @everyone')
  const answer = { ...text('yes'), replyTo: calling.id as MessageId }
  await adapter.send(
    placeAt(general.id),
    { content: answer, as: { name: 'Bob', relayed: true }, everyone: true },
    'q-1',
  )
  const said = fake.world.messages.get(general.id) ?? []
  assert.match(said.at(-1)?.content ?? '', /^> Alice: hey @\u200beveryone\nyes$/)
})
