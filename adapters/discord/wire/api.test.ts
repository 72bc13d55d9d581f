import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Api } from './api.ts'

test('what brings files may take its time', async t => {
  const server = createServer((request, response) => {
    request.resume()
    const answer = (): unknown => response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"1"}')
    request.on('end', () => setTimeout(answer, 400))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const api = new Api({ api: address, signal: AbortSignal.timeout(10_000), answerMs: 100 })
  t.after(() => api.close())
  api.token('x.y.z')
  await assert.rejects(api.post('/channels/1/messages', { body: {} }), { code: 'network-down' })
  const files = [{ name: 'a.txt', data: Buffer.from('hi') }]
  assert.deepEqual(await api.post('/channels/2/messages', { body: {}, files }), { id: '1' })
})
