import { after, type TestContext } from 'node:test'
import { busContract, isUp } from '../contract/bus.ts'
import { temporaryFolder } from '../ledger/testing.ts'
import { silentLog } from '../log.ts'
import { BothBuses } from './both.ts'
import { DirectBus } from './direct.ts'
import { MemoryBus } from './memory.ts'
import { RedisBus } from './redis.ts'
import { noRedis, RedisServer } from './testing.ts'

busContract('memory', async () => {
  const bus = new MemoryBus()
  return [bus, bus.peer()]
})

async function direct(t: TestContext): Promise<readonly [DirectBus, DirectBus]> {
  const folder = `${temporaryFolder(t)}/bell`
  const ends = [new DirectBus(folder, 'one', silentLog()), new DirectBus(folder, 'two', silentLog())] as const
  for (const end of ends) {
    end.start()
    // The second one is up when both are linked.
    await isUp(end)
  }
  return ends
}

busContract('direct', direct)

// One server for all; each test has an instance of its own, and hears nothing of the others.
let server: Promise<RedisServer> | undefined
let instances = 0
after(async () => (await server)?.close())

async function redis(): Promise<readonly [RedisBus, RedisBus]> {
  const { address } = await (server ??= RedisServer.open())
  const instance = `test${instances++}`
  const ends = [new RedisBus(address, instance, silentLog()), new RedisBus(address, instance, silentLog())] as const
  for (const end of ends) end.start()
  return ends
}

busContract('Redis', redis, { skip: noRedis })

busContract(
  'direct and Redis',
  async t => {
    const [[a, b], [c, d]] = await Promise.all([direct(t), redis()])
    await Promise.all([isUp(c), isUp(d)])
    return [new BothBuses(a, c), new BothBuses(b, d)]
  },
  { skip: noRedis },
)
