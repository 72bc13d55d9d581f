import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { WebSocket } from 'ws'
import { runBridge } from '../../bots/bridge/run.ts'
import { until } from '../../bots/bridge/testing.ts'
import type { UserId } from '../../core/event.ts'
import { revokeKey } from '../../core/ledger/settings/api-keys.ts'
import { House } from '../../test/house.ts'
import { Source } from './testing/source.ts'
import { config, openWorld, World, web } from './testing/world.ts'

describe('the live stream', () => {
  it('has what is said in rooms that the key may see, numbered, and nothing else', async t => {
    const world = await openWorld(t)
    const alice = await world.key('alice', 'member')
    const source = await new Source().open(world, alice)
    const bob = world.house.server('a').user('bob')
    bob.join('#general')
    bob.join('#den')
    bob.say('#den', 'not for alice')
    bob.say('#general', 'for all')
    await until(() => source.texts.includes('for all'), 'the message')
    assert.deepEqual(source.texts, ['for all'])
    assert.ok(source.events.every(({ id }, at) => id > (source.events[at - 1]?.id ?? 0)))
    const one = await new Source().open(world, alice, '/v1/stream?rooms=general&after=0')
    await until(() => one.texts.includes('for all'), 'the message from the record')
    assert.equal((await world.call('GET', '/v1/stream?rooms=chat:%23den', alice)).status, 404)
    assert.equal((await world.call('GET', '/v1/stream', undefined)).status, 401)
    source.close()
    one.close()
  })

  it('goes on where it was, over a restart, without loss and without a double', async t => {
    const house = new House(t, { config: config({}) })
    const stop = await house.run('bridge', runBridge)
    const world = new World(house)
    await world.up()
    const alice = await world.key('alice', 'member')
    const source = await new Source().open(world, alice)
    const bob = house.server('a').user('bob')
    bob.join('#general')
    for (let n = 0; n < 20; n++) bob.say('#general', `n ${n}`)
    await until(() => source.texts.length >= 10, 'the first of them')
    await stop()
    await until(() => source.ended, 'the end of the stream')
    for (let n = 20; n < 40; n++) bob.say('#general', `n ${n}`)
    await house.run('bridge', runBridge)
    await world.up()
    const again = await new Source().open(world, alice, '/v1/stream', { 'last-event-id': source.lastId })
    await until(() => again.texts.includes('n 39'), 'all of them')
    assert.deepEqual(
      [...source.texts, ...again.texts],
      Array.from({ length: 40 }, (_, n) => `n ${n}`),
    )
    again.close()
    const path = `/v1/stream?after=${source.lastId}`
    const first = await new Source().open(world, alice, path, { 'last-event-id': '' })
    await until(() => first.texts.includes('n 39'), 'all that came after')
    assert.deepEqual(first.texts, again.texts)
    first.close()
  })

  it('ends with its key, with a reason', async t => {
    const world = await openWorld(t)
    const alice = await world.key('alice', 'member', { account: 'brief' as never })
    const source = await new Source().open(world, alice)
    await world.house.ledger.write(tx => revokeKey(tx, { network: web, account: 'brief' as never }, Date.now()))
    await until(() => source.ended, 'the end')
    assert.deepEqual(source.events.at(-1)?.data, { reason: 'the key counts no more' })
    assert.equal((await world.call('GET', '/v1/stream', alice)).status, 401)
  })

  it('goes by WebSocket too, for browsers with the key as a subprotocol', async t => {
    const world = await openWorld(t)
    const alice = await world.key('alice', 'member')
    const url = `${world.url.replace('http', 'ws')}/v1/stream?rooms=general`
    const socket = new WebSocket(url, ['chanop.v1', `bearer.${alice}`])
    const got: { id: number; kind: string; text?: string }[] = []
    socket.on('message', data => got.push(JSON.parse((data as Buffer).toString())))
    await until(() => got.some(({ kind }) => kind === 'begin'), 'the beginning')
    assert.equal(socket.protocol, 'chanop.v1')
    const bob = world.house.server('a').user('bob')
    bob.join('#general')
    bob.say('#general', 'by socket')
    const found = await until(() => got.find(({ text }) => text === 'by socket'), 'the message')
    assert.ok(found.id > 0)
    socket.close()
    const refused = new WebSocket(url, ['chanop.v1', 'bearer.nope'])
    const error = await new Promise<Error>(resolve => refused.once('error', resolve))
    assert.match(error.message, /401/)
  })

  it('keeps nothing for a reader that takes nothing, and serves the others', async t => {
    const world = await openWorld(t)
    const alice = await world.key('alice', 'member')
    const { port } = new URL(world.url)
    const slow = connect(Number(port), '127.0.0.1')
    slow.on('error', () => undefined)
    slow.write(`GET /v1/stream?after=0 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${alice}\r\n\r\n`)
    slow.pause()
    const source = await new Source().open(world, alice)
    const bob = world.house.server('a').user('bob')
    bob.join('#general')
    const long = 'x'.repeat(3900)
    for (let n = 0; n < 400; n++) bob.say('#general', `${n} ${long}`)
    await until(() => source.texts.length === 400, 'all of them at the other reader', 20_000)
    let bytes = 0
    slow.on('data', chunk => (bytes += chunk.length))
    slow.resume()
    await until(() => bytes > 400 * 3900, 'all of them at the slow one, later')
    slow.destroy()
    source.close()
  })

  it('gives those who are behind all that they lack, however far, beside those who are not', async t => {
    const world = await openWorld(t)
    const alice = await world.key('alice', 'member')
    for (const name of ['alice', 'bob']) world.house.server('a').user(name).join('#ops')
    const bob = world.house.server('a').user('bob')
    // More than is kept at hand.
    const count = 2300
    const live = await new Source().open(world, alice, '/v1/stream?rooms=ops')
    for (let n = 0; n < count; n++) bob.say('#ops', `n ${n}`)
    await until(() => live.texts.length === count, 'all of them, live', 20_000)
    const wanted = Array.from({ length: count }, (_, n) => `n ${n}`)
    const behind = [0, 1, 250, 2000, count - 1].map(async at => {
      const after = at === 0 ? 0 : (live.events[at - 1]?.id ?? 0)
      const source = await new Source().open(world, alice, `/v1/stream?rooms=ops&after=${after}`)
      await until(() => source.texts.length === count - at, `what came after ${at}`, 20_000)
      assert.deepEqual(source.texts, wanted.slice(at))
      source.close()
    })
    await Promise.all(behind)
    assert.deepEqual(live.texts, wanted)
    live.close()
  })

  it('lets go of a reader that takes nothing, not even why it is cut', async t => {
    const world = await openWorld(t, { http: 'connections: 4, perAddressPerMinute: 1000000' })
    const account = 'stuck' as UserId
    const alice = await world.key('alice', 'member', { account })
    for (const name of ['alice', 'bob']) world.house.server('a').user(name).join('#ops')
    const port = Number(new URL(world.url).port)
    const ask = (path: string) => {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined)
      t.after(() => socket.destroy())
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${alice}\r\n\r\n`)
      return socket
    }
    const isServed = (socket: Socket): Promise<boolean> =>
      new Promise(resolve => {
        socket
          .once('data', chunk => resolve(String(chunk).startsWith('HTTP/1.1 200')))
          .once('close', () => resolve(false))
      })
    const stuck = await until(async () => {
      const socket = ask('/v1/stream?rooms=ops')
      if (await isServed(socket)) return socket
      socket.destroy()
      return null
    }, 'a stream')
    stuck.pause()
    const live = await new Source().open(world, alice, '/v1/stream?rooms=ops')
    // More than the kernel keeps for it.
    const said = 800
    for (let n = 0; n < said; n++)
      world.house
        .server('a')
        .user('bob')
        .say('#ops', `${n} ${'x'.repeat(16_000)}`)
    await until(() => live.texts.length === said, 'all of them at another reader', 20_000)
    live.close()
    await world.house.ledger.write(tx => revokeKey(tx, { network: web, account }, Date.now()))
    await until(async () => {
      const all = Array.from({ length: 4 }, () => ask('/healthz'))
      const served = await Promise.all(all.map(isServed))
      for (const socket of all) socket.destroy()
      return served.every(Boolean)
    }, 'its connection to be free')
  })
})
