import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { ChanopError } from '../../../core/error.ts'
import type { Api } from '../link/api.ts'
import { openFile } from './files.ts'

test('how long a file is to be waited for is believed up to a day, and nothing is asked at once', async t => {
  let wait = ''
  const server = createServer((_, response) => response.writeHead(429, { 'retry-after': wait }).end())
  t.after(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const api = { patient: async () => ({ file: { url_private: url } }) } as unknown as Api
  const waited = async (said: string): Promise<number | undefined> => {
    wait = said
    const thrown = await openFile({ api, url, token: 'x' }, { ref: 'F1' } as never, AbortSignal.timeout(10_000)).catch(
      (error: unknown) => error,
    )
    assert.ok(thrown instanceof ChanopError && thrown.code === 'send-later')
    return thrown.afterMs
  }
  assert.equal(await waited('999999999999999'), 86_400_000)
  assert.equal(await waited('7'), 7000)
  assert.equal(await waited('0'), undefined)
  assert.equal(await waited('-7'), undefined)
})
