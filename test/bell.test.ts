/** A whole instance whose Redis is killed or hangs: nobody notices, neither in commands nor at a start. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Talker } from '../bench/talk.ts'
import { Instance, killNow, until } from './instance.ts'

const rounds = 50
const p99Ms = 100

describe('without Redis', { concurrency: false }, () => {
  let instance: Instance
  let asker: Talker
  let answered: () => void = () => undefined

  before(async () => {
    instance = await Instance.start({
      managed: 'inspircd',
      external: null,
      config: 'commands: { perMinute: 6000, burst: 1000 }\n',
    })
    asker = new Talker(await instance.account('irc', 'asker'), instance.channel, line => {
      if (line.includes('chanop')) answered()
    })
    await asker.entered
    await roundTrips(10)
  })
  after(async () => {
    asker?.socket.destroy()
    await instance?.close()
  })

  async function roundTrips(count: number, each: () => Promise<void> = async () => undefined): Promise<number[]> {
    const tookMs: number[] = []
    for (let n = 0; n < count; n++) {
      await each()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const timer = setTimeout(() => reject(new Error('!version was not answered')), 10_000)
      answered = resolve
      const beganMs = performance.now()
      asker.say('!version')
      await promise
      clearTimeout(timer)
      tookMs.push(performance.now() - beganMs)
    }
    return tookMs.sort((one, other) => one - other)
  }

  const quick = (tookMs: readonly number[]): void =>
    assert.ok((tookMs.at(-1) as number) < p99Ms, `ms: ${tookMs.map(ms => ms.toFixed(0)).join(' ')}`)

  it('a command takes no longer while Redis is killed again and again', async () => {
    quick(
      await roundTrips(rounds, async () => {
        killNow(await instance.redisPid())
      }),
    )
  })

  it('a bot that is killed whenever it is ready comes back as quickly each time', async () => {
    for (let n = 0; n < 8; n++) {
      const before = await until('admin', 10_000, async () => {
        const now = await instance.bot('admin')
        return now?.state === 'ready' && now
      })
      killNow(before.pid)
      const beganMs = performance.now()
      await until('the next process', 10_000, async () => (await instance.bot('admin'))?.pid !== before.pid)
      assert.ok(performance.now() - beganMs < 1200, `${n}: ${performance.now() - beganMs} ms`)
    }
    await until('admin', 10_000, async () => (await instance.bot('admin'))?.state === 'ready')
  })

  it('a command takes no longer while Redis hangs, and a bot starts and stops as quickly', async () => {
    const pid = await until('Redis', 10_000, async () => (await instance.redisPid()) || null)
    process.kill(pid, 'SIGSTOP')
    try {
      quick(await roundTrips(rounds))
      const first = await instance.bot('admin')
      const beganMs = performance.now()
      killNow(first?.pid ?? 0)
      await until('admin', 10_000, async () => {
        const now = await instance.bot('admin')
        return now !== null && now.pid !== first?.pid && now.state === 'ready'
      })
      assert.ok(performance.now() - beganMs < 5000)
      quick(await roundTrips(rounds))
    } finally {
      process.kill(pid, 'SIGCONT')
    }
  })
})
