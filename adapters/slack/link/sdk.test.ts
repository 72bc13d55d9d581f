import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { REST } from 'discord.js'
import { loadSdk } from './sdk.ts'

const shared = Symbol.for('undici.globalDispatcher.1')

test('requests of other libraries stay as they were, uploads among them', async t => {
  await fetch('http://127.0.0.1:1').catch(() => undefined)
  const before: unknown = Reflect.get(globalThis, shared)
  await loadSdk()
  assert.equal(Reflect.get(globalThis, shared), before)
  const server = createServer((request, response) => {
    request.resume()
    const type = JSON.stringify(request.headers['content-type'])
    request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(type))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const rest = new REST({ api: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, retries: 0 }).setToken('x')
  const type = await rest.post('/channels/1/messages', { files: [{ name: 'a.txt', data: Buffer.from('hi') }] })
  assert.match(String(type), /^multipart\/form-data/)
})
