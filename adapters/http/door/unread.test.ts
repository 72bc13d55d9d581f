import assert from 'node:assert/strict'
import { request } from 'node:http'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { openWorld, type World } from '../testing/world.ts'

const upgrade = 'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n'
const handshake = `${upgrade}sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n`

describe('what reaches no route', () => {
  let world: World
  let key = ''
  const closing: (() => void | Promise<void>)[] = []

  before(async () => {
    world = await openWorld({ after: done => closing.push(done) })
    key = await world.key('mia', 'member')
  })
  after(async () => {
    for (const done of closing) await done()
  })

  /** All that comes back until the other side closes, which it must. */
  function exchange(written: string): Promise<string> {
    const socket = connect(Number(new URL(world.url).port), '127.0.0.1')
    socket.setTimeout(5000, () => socket.destroy(new Error('it stays open')))
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    let heard = ''
    socket.on('data', chunk => (heard += chunk.toString()))
    socket.once('error', reject)
    socket.once('close', () => resolve(heard))
    socket.write(written)
    return promise
  }

  async function problem(written: string, status: number): Promise<string> {
    const [head = '', body = ''] = (await exchange(written)).split('\r\n\r\n')
    assert.match(head, new RegExp(`^HTTP/1.1 ${status} \\S`), written)
    assert.match(head, /content-type: application\/problem\+json/i, written)
    const told = JSON.parse(body.replace(/^[0-9a-f]+\r\n/, '').replace(/\r\n0$/, '')) as {
      status: number
      detail: string
    }
    assert.equal(told.status, status)
    assert.ok(told.detail.length > 0)
    return head
  }

  it('is told what is wrong where it is no HTTP', async () => {
    await problem('nonsense\r\n\r\n', 400)
    await problem('FETCH /v1/status HTTP/1.1\r\nhost: x\r\n\r\n', 400)
    await problem('GET /v1/status HTTP/1.1\r\nhost: x\r\ncontent-length: a\r\n\r\n', 400)
    await problem('POST /v1/status HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n', 400)
    await problem(`GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(20_000)}\r\n\r\n`, 431)
    await problem('CONNECT example.org:443 HTTP/1.1\r\nhost: example.org\r\n\r\n', 405)
    await problem('GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n', 400)
    await problem('POST /v1/status HTTP/1.1\r\nhost: x\r\nexpect: the-best\r\n\r\n', 417)
    const mine = `authorization: Bearer ${key}\r\n`
    for (const twice of ['host: y\r\n', `${mine}Authorization: Bearer other\r\n`])
      await problem(`GET /v1/status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${twice}\r\n`, 400)
  })

  it('ends refused upgrades with a reason, and the connection', async () => {
    const to = (path: string, more: string): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n${more}\r\n`
    const mine = `authorization: Bearer ${key}\r\n`
    await problem(to('/v1/stream', handshake), 401)
    await problem(to('/v1/stream?rooms=secret', mine + upgrade), 400)
    assert.match(
      await problem(to('/v1/stream', mine + handshake.replace('13', '7')), 426),
      /sec-websocket-version: 13/i,
    )
    await problem(to('/v1/stream?much=1', mine + handshake), 400)
  })

  it('answers where nothing is opened as if no upgrade had been asked for', async () => {
    for (const [path, protocol, body] of [
      ['/healthz', 'websocket', ''],
      ['/healthz', 'h2c', ''],
      ['/v1/nothing', 'websocket', ''],
      ['/v1/commands/whoami', 'h2c', '{}'],
    ] as const) {
      const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
      const headers = {
        authorization: `Bearer ${key}`,
        connection: 'upgrade',
        upgrade: protocol,
        'content-type': 'application/json',
        ...(body === '' ? {} : { 'content-length': '2' }),
      }
      const asked = request(world.url + path, { method: body === '' ? 'GET' : 'POST', headers }, answer => {
        answer.resume()
        resolve(answer.statusCode)
      })
      asked.once('error', reject)
      asked.once('upgrade', () => reject(new Error('it was upgraded')))
      asked.end(body)
      assert.equal(await promise, path === '/v1/nothing' ? 404 : 200, `${path} ${protocol}`)
    }
  })

  it('does not speak into an answer that is under way', async () => {
    const heard = await exchange(
      `GET /v1/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n\r\nnonsense\r\n\r\n`,
    )
    assert.ok(!heard.includes('problem+json'), heard)
  })
})
