import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { ChanopError } from '../../../core/error.ts'
import { text } from '../../../core/event.ts'
import { silentLog } from '../../../core/log.ts'
import { placeOf, Trial } from '../testing/trial.ts'
import { Api } from './api.ts'
import { Fault } from './fault.ts'
import { loadSdk } from './sdk.ts'

test('a limit that does not say how long it lasts is waited for longer each time', async t => {
  const trial = await Trial.open(t)
  const { adapter } = await trial.up()
  const { fake, general } = trial
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const waits = async (count: number): Promise<unknown[]> => {
    const waited: unknown[] = []
    for (let n = 0; n < count; n++) {
      const refused = await adapter
        .send(placeOf(general), { content: text('x') }, 'd1')
        .catch((error: unknown) => error)
      const afterMs = refused instanceof ChanopError ? refused.afterMs : Number.NaN
      waited.push(afterMs)
      t.mock.timers.tick(afterMs ?? 0)
    }
    return waited
  }
  fake.refusals.set('chat.postMessage', 'message_limit_exceeded')
  assert.deepEqual(await waits(8), [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
  fake.refusals.delete('chat.postMessage')
  await adapter.send(placeOf(general), { content: text('x') }, 'd1')
  fake.refusals.set('chat.postMessage', 'message_limit_exceeded')
  assert.deepEqual(await waits(2), [1000, 2000], 'what went well between begins it anew')
})

test('what was asked before a limit and answered behind it ends no wait', async t => {
  const asked: ServerResponse[] = []
  const server = createServer((_request, response) => server.emit('asked', asked.push(response)))
  t.after(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`
  const { signal } = new AbortController()
  const api = new Api({ sdk: await loadSdk(), url, token: 'xoxb-fake-1', log: silentLog(), signal })
  const limitOf = (call: Promise<unknown>): Promise<unknown> =>
    call.catch((error: unknown) => (error instanceof Fault ? error.afterMs : error))
  const early = api.call('users.info')
  await once(server, 'asked')
  const late = limitOf(api.call('users.info'))
  await once(server, 'asked')
  asked[1]?.writeHead(429, { 'retry-after': '30' }).end()
  assert.equal(await late, 30_000)
  asked[0]?.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
  await early
  const next = Number(await limitOf(api.call('users.info')))
  assert.ok(next > 20_000 && next <= 30_000, `${next}`)
  assert.equal(asked.length, 2)
})
