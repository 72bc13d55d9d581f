/** Records of rooms as MCP reads them, with a ledger and without a server. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { McpServer } from '@modelcontextprotocol/server'
import { type ChannelId, type NetworkId, text } from '../../../core/event.ts'
import { append } from '../../../core/ledger/record/events.ts'
import { messageNumber } from '../../../core/ledger/testing.ts'
import { House } from '../../../test/house.ts'
import { type Holder, holderOf } from '../door/access.ts'
import { interiorOf } from '../testing/alone.ts'
import { config, World, web } from '../testing/world.ts'
import { registerResources } from './resources.ts'

type Read = (uri: URL, names: { room: string; day: string }) => Promise<{ contents: { text: string }[] }>

it('many long days that are asked for at once are read bit by bit, and are whole', async t => {
  const house = new House(t, { config: config({}) })
  const interior = interiorOf(await house.context('bridge'))
  const { ledger } = interior
  const key = await new World(house).key('alice')
  const holder = ledger.readNow(tx => holderOf(tx, web, key, Date.now())) as Holder
  const place = { network: 'chat' as NetworkId, channel: '#general' as ChannelId }
  const atMs = Date.now()
  await ledger.write(tx => {
    for (let n = 1; n <= 1100; n++)
      append(tx, messageNumber(n, { place, atMs, content: text(`n ${n}`) }), 'general', atMs)
  })
  const reads = new Map<string, Read>()
  const server = { registerResource: (name: string, _uri: object, _about: object, read: Read) => reads.set(name, read) }
  const left = new AbortController()
  registerResources(server as unknown as McpServer, { interior } as never, { holder, signal: left.signal })
  const day = new Date(atMs).toISOString().slice(0, 10)
  const read = async () =>
    (await reads.get('day')?.(new URL('chanop://rooms/general'), { room: 'general', day }))?.contents
  const looked = t.mock.method(ledger, 'readNow').mock
  const all = Promise.all([read(), read(), read()])
  const atOnce: number[] = []
  const goesOn = () => Promise.race([all.then(() => false), turn(true)])
  for (let before = 0; await goesOn(); before = looked.callCount()) atOnce.push(looked.callCount() - before)
  assert.ok(atOnce.length > 10 && Math.max(...atOnce) === 1, atOnce.join())
  for (const contents of await all) {
    const lines = contents?.[0]?.text.split('\n') ?? []
    assert.deepEqual([lines.length, lines.at(-1)?.endsWith('> n 1100')], [1100, true])
  }
  const gone = read()
  left.abort()
  await assert.rejects(gone, { name: 'AbortError' })
})
