import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { NativeMessage } from '../../../adapters/memory/native.ts'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import { type ChannelId, type Chart, type NetworkId, text } from '../../../core/event.ts'
import { states } from '../../../core/ledger/out/deliveries.ts'
import { after } from '../../../core/ledger/record/events.ts'
import { say } from '../../../core/say.ts'
import { plain } from '../../../core/text/text.ts'
import { House } from '../../../test/house.ts'
import type { BridgeOptions } from '../bridge.ts'
import { deliveries, settled, until } from '../testing.ts'

const hall = '#hall'
const chart: Chart = { title: 'numbers', parts: [{ title: 'of all', bars: [{ name: 'one', value: 1, shown: '1' }] }] }
const picture = { ref: 'chart', name: 'numbers.png', type: 'image/png', beside: true as const, chart }

/** Two networks, the second of which shows no files; `tell` says something with a chart in both. */
async function open(t: TestContext, options: BridgeOptions = {}, fileBytes = 0) {
  const house = new House(t, {
    config: `
owner: a:olga
networks:
  a: { kind: memory, server: '{server}-a', channels: ['${hall}'] }
  b: { kind: memory, server: '{server}-b', channels: ['${hall}'], fileBytes: ${fileBytes} }
rooms:
  hall: { places: ['a:${hall}', 'b:${hall}'] }
`,
  })
  await house.bridge(options)
  const servers = [house.server('a'), house.server('b')]
  await Promise.all(servers.map(server => server.ready()))
  const places = ['a', 'b'].map(network => ({ network: network as NetworkId, channel: hall as ChannelId }))
  const tell = async (words: string, drawn: Chart = chart): Promise<void> => {
    const content = text(words)
    const contentIn = () => ({ ...content, attachments: [{ ...picture, chart: drawn }] })
    const saying = { bot: 'scribe', in: { name: 'hall', places }, content, contentIn, key: words }
    await house.ledger.write(db => say(db, saying, Date.now()))
    await settled(house)
  }
  return { house, a: servers[0] as MemoryPlatform, b: servers[1] as MemoryPlatform, tell }
}

const said = ({ content }: NativeMessage): string => plain({ segments: content.segments })

test('a chart is a picture where files are shown, nothing elsewhere, and not in the record', async t => {
  const { house, a, b, tell } = await open(t)
  await tell('see')
  await until(() => a.channel(hall).messages.length === 2, 'the picture')
  await settled(house)
  const [inA, inB] = [a.channel(hall).messages[0], b.channel(hall).messages.at(-1)]
  const [file, ...more] = a.channel(hall).messages[1]?.content.attachments ?? []
  assert.deepEqual([file?.name, file?.type, more], ['numbers.png', 'image/png', []])
  assert.deepEqual([inA?.content.attachments, a.channel(hall).messages[1]?.name], [undefined, inA?.name])
  assert.equal(Buffer.from(a.files.read(file?.ref ?? '') ?? []).toString('latin1', 1, 4), 'PNG')
  assert.equal(inB?.content.attachments, undefined)
  assert.deepEqual(
    [inA, inB].map(message => message && said(message)),
    ['see', 'see'],
  )
  const facts = await house.ledger.read(db => after(db, 0, 100))
  const kept = facts.flatMap(({ event }) => (event.kind === 'message' ? [event.content] : []))
  assert.deepEqual(kept, [text('see')])
})

test('words are not lost for a picture that is refused, or can not be drawn', async t => {
  const png = Promise.withResolvers<Uint8Array>()
  const { house, a, tell } = await open(t, {
    draw: ({ title }) => (title === 'bad' ? Promise.reject(new Error('no chart')) : png.promise),
  })
  await tell('not drawn', { ...chart, title: 'bad' })
  await tell('refused')
  a.faults.refuseSends(1, 'send-refused')
  png.resolve(Buffer.from('picture'))
  await until(async () => (await deliveries(house)).length === 5, 'the picture')
  await settled(house)
  const seen = a.channel(hall).messages.map(message => [said(message), message.content.attachments?.length ?? 0])
  assert.deepEqual(seen, [
    ['not drawn', 0],
    ['refused', 0],
  ])
  assert.ok((await deliveries(house)).every(({ state }) => state === states.sent))
})

test('words wait for no picture, and neither does what comes after them', async t => {
  const { a, b, tell } = await open(t, { draw: () => new Promise(() => undefined) })
  await tell('see')
  await tell('and this')
  for (const server of [a, b]) assert.deepEqual(server.channel(hall).messages.map(said), ['see', 'and this'])
})

test('what several places show is drawn once', async t => {
  let drawn = 0
  const png = Promise.withResolvers<Uint8Array>()
  const draw = (): Promise<Uint8Array> => {
    drawn++
    return png.promise
  }
  const { a, b, tell } = await open(t, { draw }, 1_000_000)
  await tell('see')
  png.resolve(Buffer.from('picture'))
  for (const server of [a, b]) await until(() => server.channel(hall).messages.length === 2, 'the picture')
  assert.equal(drawn, 1)
})
