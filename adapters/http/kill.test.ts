/** The process that holds the connections is killed while programs speak, read and wait for models. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { until } from '../../bots/bridge/testing.ts'
import { answer, ModelServer, type Received } from '../../bots/oracle/models/testing-server.ts'
import { runOracle } from '../../bots/oracle/oracle.ts'
import { sleep } from '../../core/retry.ts'
import { BridgeProcess } from '../../test/five/process.ts'
import { House } from '../../test/house.ts'
import { digested, Readers } from './testing/readers.ts'
import { Source } from './testing/source.ts'
import { World } from './testing/world.ts'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

interface Stage {
  readonly world: World
  readonly bridge: BridgeProcess
}

/** An instance whose bridge is a process of its own, at one address over its restarts. */
async function openStage(t: TestContext, more = ''): Promise<Stage> {
  const port = await freePort()
  const house = new House(t, {
    config: `
owner: chat:olga
networks:
  chat: { kind: memory, server: quiet, channels: ['#general'] }
  web: { kind: http, listen: '127.0.0.1:${port}' }
rooms: { general: { places: ['chat:#general'], open: true } }
redis: { url: 'redis://127.0.0.1:1' }
${more}`,
  })
  const bridge = new BridgeProcess({ dataDir: house.dataDir, config: house.configFile, env: {} })
  t.after(() => bridge.kill())
  await bridge.start()
  const world = new World(house)
  await world.up()
  return { world, bridge }
}

const killAndStart = async (bridge: BridgeProcess): Promise<void> => {
  await bridge.kill()
  await bridge.start()
}

/** Says numbered lines, each until it is accepted, under one Idempotency-Key each. Ids by text. */
async function speak(world: World, name: string, count: number, said: Map<string, number>): Promise<void> {
  const key = await world.key(name, 'member')
  for (let n = 0; n < count; n++) {
    const text = `${name} ${n}`
    const headers = { 'idempotency-key': text }
    for (;;) {
      try {
        const answered = await world.call<{ id: number }>(
          'POST',
          '/v1/channels/general/messages',
          key,
          { text },
          headers,
        )
        assert.ok(answered.status === 201 || answered.status >= 500, `${text}: ${answered.status}`)
        if (answered.status === 201) {
          said.set(text, answered.json.id)
          break
        }
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error
        // Nobody is there, or went away in the middle: the same again.
        await sleep(20)
      }
    }
  }
}

/** Reads the live stream, and goes on where it was whenever it ends. */
async function follow(world: World, key: string, parts: Source[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const last = parts.findLast(({ lastId }) => lastId !== '')?.lastId
    const source = new Source()
    parts.push(source)
    try {
      await source.open(world, key, '/v1/stream', last === undefined ? {} : { 'last-event-id': last })
      await until(() => source.ended || signal.aborted, 'the end of a stream', 60_000)
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
      await sleep(20)
    }
    if (signal.aborted) source.close()
  }
}

const speakers = ['ann', 'ben', 'cat']
const each = 40
const crowd = 50
const crowdPath = '/v1/stream?rooms=general'
const kills = 2

describe('the bridge is killed', () => {
  it('while programs speak and read: each message once, in order, at every reader', async t => {
    const { world, bridge } = await openStage(t)
    const stop = new AbortController()
    t.after(() => stop.abort())
    const readers: Source[][] = [[], [], [], []]
    const key = await world.key('eve', 'member')
    const reading = readers.map(parts => follow(world, key, parts, stop.signal))
    await until(() => readers.every(([first]) => first && first.lastId !== ''), 'the readers')
    // A crowd that checks numbers alone.
    const many = new Readers({ url: world.url, keys: [key], count: crowd, path: crowdPath, after: 0, againMs: 200 })
    t.after(() => many.close())
    await until(() => many.connected() === crowd, 'the crowd')
    const said = new Map<string, number>()
    const all = speakers.length * each
    const speaking = Promise.all(speakers.map(name => speak(world, name, each, said)))
    for (let n = 1; n <= kills; n++) {
      await until(() => said.size >= (all / (kills + 1)) * n, `the messages before kill ${n}`, 30_000)
      await killAndStart(bridge)
    }
    await speaking
    const textsOf = (parts: readonly Source[]): string[] => parts.flatMap(({ texts }) => texts)
    await until(() => readers.every(parts => textsOf(parts).length >= all), 'all of them at every reader', 20_000)
    await until(() => many.fewest >= all, 'all of them at the crowd', 20_000)
    stop.abort()
    await Promise.all(reading)
    const digest = [...said.values()].sort((one, other) => one - other).reduce(digested, 0)
    assert.deepEqual(many.tallies(), [{ messages: all, digest, disordered: 0, readers: crowd }])
    assert.equal(many.connected(2), crowd)
    const inOrder = [...said].sort(([, one], [, other]) => one - other).map(([text]) => text)
    for (const parts of readers) {
      assert.deepEqual(textsOf(parts), inOrder)
      const ids = parts.flatMap(({ events }) => events.flatMap(({ id, event }) => (event === 'message' ? [id] : [])))
      assert.deepEqual(
        ids,
        [...said.values()].sort((one, other) => one - other),
      )
      for (const name of speakers)
        assert.deepEqual(
          textsOf(parts).filter(text => text.startsWith(name)),
          Array.from({ length: each }, (_, n) => `${name} ${n}`),
        )
    }
  })

  it('while a model answers: the same again under its Idempotency-Key is asked anew, and an answer is had again', async t => {
    const received: Received[] = []
    const service = await ModelServer.listen(t, (response, request) => {
      received.push(request)
      // The first one is never answered.
      if (received.length > 1) answer(response, [`answer ${received.length}`])
    })
    const price = '{ inputPerMillion: 1, outputPerMillion: 1 }'
    const { world, bridge } = await openStage(
      t,
      `models: { main: { provider: compatible, model: test, baseUrl: '${service.url}', price: ${price}, weight: 0 } }`,
    )
    await world.house.run('oracle', context => runOracle(context))
    const key = await world.key('ann', 'member')
    const body = { model: 'main', messages: [{ role: 'user', content: 'hello' }] }
    const ask = () => world.call('POST', '/v1/chat/completions', key, body, { 'idempotency-key': 'one' })
    const first = ask().then(
      () => assert.fail('it was answered'),
      (error: Error) => error.message,
    )
    await until(() => received.length === 1, 'it to be asked')
    await killAndStart(bridge)
    await first
    await received[0]?.hungUp
    const again = await ask()
    assert.equal(again.status, 200, JSON.stringify(again.json))
    assert.match(JSON.stringify(again.json), /answer 2/)
    await killAndStart(bridge)
    const later = await ask()
    assert.match(JSON.stringify(later.json), /answer 2/)
    assert.equal(received.length, 2)
  })
})
