import assert from 'node:assert/strict'
import { test } from 'node:test'
import { upload } from '../../../core/contract/harness.ts'
import { text } from '../../../core/event.ts'
import { DiscordFake } from '../testing/fake.ts'
import { placeAt, Trial } from '../testing/trial.ts'

test('files go out and come in with the libraries of all four platforms in one process', async t => {
  // In this order: the first to come brings what sends the requests of all.
  await import('@slack/bolt')
  await Promise.all([import('telegraf'), import('matrix-js-sdk')])
  await import('discord.js')
  const fake = await DiscordFake.start()
  t.after(() => fake.stop())
  const room = fake.world.channel('room')
  const trial = await Trial.start(fake, { channels: [room.id] })
  t.after(() => trial.stop())
  const bytes = Uint8Array.from({ length: 300_000 }, (_, n) => n % 251)
  const draft = { content: text('with a file'), uploads: [upload('a.bin', bytes)] }
  await trial.adapter.send(placeAt(room.id), draft, 'u-1')
  await trial.adapter.send(placeAt(room.id), { ...draft, as: { name: 'Bob', relayed: true } }, 'u-2')
  const said = fake.world.messages.get(room.id) ?? []
  assert.deepEqual(
    said.map(({ files }) => Buffer.compare(files[0]?.bytes ?? new Uint8Array(), bytes)),
    [0, 0],
  )
  const ref = `${room.id}/${said[0]?.id}/${said[0]?.files[0]?.id}`
  const stream = await trial.adapter.open?.({ ref, name: 'a.bin' }, AbortSignal.timeout(5_000))
  assert.equal(
    Buffer.compare(Buffer.from(await new Response(stream as ReadableStream<Uint8Array>).arrayBuffer()), bytes),
    0,
  )
  assert.deepEqual(fake.faults, [])
})
