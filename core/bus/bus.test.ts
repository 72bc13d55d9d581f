import { after } from 'node:test'
import { busContract } from '../contract/bus.ts'
import { silentLog } from '../log.ts'
import { MemoryBus } from './memory.ts'
import { RedisBus } from './redis.ts'
import { noRedis, RedisServer } from './testing.ts'

busContract('memory', async () => {
  const bus = new MemoryBus()
  return [bus, bus.peer()]
})

// One server for all; each test has an instance of its own, and hears nothing of the others.
let server: Promise<RedisServer> | undefined
let instances = 0
after(async () => (await server)?.close())

busContract(
  'Redis',
  async () => {
    const { address } = await (server ??= RedisServer.open())
    const instance = `test${instances++}`
    const ends = [new RedisBus(address, instance, silentLog()), new RedisBus(address, instance, silentLog())] as const
    await Promise.all(ends.map(end => end.start(10_000)))
    return ends
  },
  { skip: noRedis },
)
