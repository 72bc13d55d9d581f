import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { RedisClient } from './client.ts'
import { noRedis, RedisServer } from './testing.ts'

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

describe('a connection to Redis', { skip: noRedis }, () => {
  it('logs in by what its address says, and says why it can not', async t => {
    const server = await RedisServer.start(t)
    const port = await freePort()
    await server.command(`CONFIG SET port ${port}`)
    await server.command('ACL SETUSER bell on >p%40ss allchannels +@all')
    await server.command('CONFIG SET requirepass s3cret')
    const open = (login: string): RedisClient => {
      const client = new RedisClient({ url: `redis://${login}127.0.0.1:${port}/0` })
      t.after(() => client.close())
      return client
    }
    for (const login of [':s3cret@', 'bell:p%2540ss@']) {
      const client = open(login)
      client.start()
      await once(client, 'ready')
      assert.equal(await client.send('PUBLISH', 'a', 'b'), 0)
    }
    for (const [login, words] of [
      ['', /NOAUTH/],
      [':wrong@', /WRONGPASS/],
    ] as const) {
      const client = open(login)
      client.start()
      const [error] = (await once(client, 'error')) as [Error]
      assert.match(error.message, words)
      await assert.rejects(client.send('PING'), /away/)
    }
  })

  it('hears what others say, also after Redis was killed; what has no answer then is rejected', async t => {
    const server = await RedisServer.start(t)
    const client = new RedisClient(server.address)
    t.after(() => client.close())
    client.on('error', () => undefined).start()
    await once(client, 'ready')
    const heard = async (): Promise<unknown[]> => {
      await client.send('PSUBSCRIBE', 'x*')
      const message = once(client, 'message')
      await server.command('PUBLISH xy zé')
      return message
    }
    assert.deepEqual(await heard(), ['xy', 'zé'])
    server.freeze()
    const unanswered = assert.rejects(client.send('PING'), /lost/)
    // Not `once` of node:events, for which the lost connection were the end.
    const again = new Promise<void>(resolve => client.once('ready', resolve))
    await server.kill()
    await unanswered
    await server.start()
    await again
    assert.deepEqual(await heard(), ['xy', 'zé'])
  })
})

it('what is no address is refused, and what is not Redis is said', async t => {
  for (const url of ['http://127.0.0.1:6379', 'redis://', 'a b'])
    assert.throws(() => new RedisClient({ url }), { code: 'config-invalid' })
  const server = createServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const client = new RedisClient({ url: `127.0.0.1:${port}` })
  t.after(() => client.close())
  client.start()
  const [error] = (await once(client, 'error')) as [Error]
  assert.match(error.message, /not Redis/)
})
