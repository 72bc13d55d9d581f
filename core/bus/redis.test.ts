import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import pino from 'pino'
import { isUp, next } from '../contract/bus.ts'
import { stopwatch } from '../contract/stopwatch.ts'
import { silentLog } from '../log.ts'
import { sleep } from '../retry.ts'
import { RedisBus } from './redis.ts'
import { noRedis, RedisServer } from './testing.ts'

/** Rings until the other end hears it: the way back after an outage. Rejects after 15 s. */
async function heardAgain(from: RedisBus, to: RedisBus): Promise<void> {
  const stop = new AbortController()
  const off = to.onRing(() => stop.abort())
  const endMs = Date.now() + 15_000
  while (!stop.signal.aborted) {
    assert.ok(Date.now() < endMs, 'the bus did not come back')
    from.ring(1)
    await sleep(20, stop.signal)
  }
  off()
}

async function ends(t: TestContext): Promise<{ server: RedisServer; a: RedisBus; b: RedisBus }> {
  const server = await RedisServer.start(t)
  const make = (): RedisBus => new RedisBus(server.address, 'test', silentLog())
  const [a, b] = [make(), make()]
  t.after(() => Promise.all([a.close(), b.close()]))
  for (const end of [a, b]) end.start()
  await Promise.all([isUp(a), isUp(b)])
  return { server, a, b }
}

describe('the bus over Redis', { skip: noRedis }, () => {
  it('comes back by itself when Redis was killed, and while it is gone nothing waits or fails', async t => {
    const { server, a, b } = await ends(t)
    await server.kill()
    const tookMs = stopwatch()
    for (let n = 0; n < 1000; n++) a.ring(n)
    a.signal('settings', { by: 'x' })
    assert.ok(tookMs() < 200)
    await server.start()
    await heardAgain(a, b)
    await heardAgain(b, a)
    assert.equal(a.up && b.up, true)
  })

  it('survives that its files are deleted, and FLUSHALL', async t => {
    const { server, a, b } = await ends(t)
    await server.lose()
    await heardAgain(a, b)
    await server.flushAll()
    const heard = next<number>(listener => b.onRing(listener))
    a.ring(7)
    assert.equal(await heard, 7)
  })

  it('starts without Redis, and is there once Redis is', async t => {
    const server = await RedisServer.start(t)
    await server.kill()
    const [a, b] = [0, 1].map(() => new RedisBus(server.address, 'test', silentLog())) as [RedisBus, RedisBus]
    t.after(() => Promise.all([a.close(), b.close()]))
    for (const end of [a, b]) end.start()
    assert.equal(a.up, false)
    a.ring(1)
    await server.start()
    await heardAgain(a, b)
  })

  it('says one line for each outage', async t => {
    const server = await RedisServer.start(t)
    const lines: string[] = []
    const log = pino({ level: 'info' }, { write: line => void lines.push((JSON.parse(line) as { msg: string }).msg) })
    const a = new RedisBus(server.address, 'test', log)
    t.after(() => a.close())
    a.start()
    await isUp(a)
    for (let outage = 0; outage < 2; outage++) {
      await server.kill()
      while (lines.length < 2 * outage + 1) await sleep(5)
      await server.start()
      await heardAgain(a, a)
    }
    const [down, up] = [/^redis does not answer/, /^redis is back/]
    assert.deepEqual(
      lines.map(line => (down.test(line) ? 'down' : up.test(line) ? 'up' : line)),
      ['down', 'up', 'down', 'up'],
    )
  })

  it('two instances on one Redis hear nothing of each other', async t => {
    const { server, a, b } = await ends(t)
    const stranger = new RedisBus(server.address, 'tes', silentLog())
    t.after(() => stranger.close())
    stranger.start()
    await isUp(stranger)
    const heard: number[] = []
    stranger.onRing(seq => heard.push(seq))
    const reached = next<number>(listener => b.onRing(listener))
    a.ring(1)
    await reached
    const own = next<number>(listener => stranger.onRing(listener))
    stranger.ring(2)
    await own
    assert.deepEqual(heard, [2])
  })

  it('leaves out what is not JSON', async t => {
    const { server, a } = await ends(t)
    const heard = next<number>(listener => a.onRing(listener))
    await server.command('PUBLISH chanop:test:ring nonsense{')
    await server.command('PUBLISH chanop:test:ring 5')
    assert.equal(await heard, 5)
  })
})
