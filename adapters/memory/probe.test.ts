import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NetworkId } from '../../core/event.ts'
import { silentLog } from '../../core/log.ts'
import { memory } from './index.ts'
import { memoryServer } from './platform.ts'

test('a probe says who, what is off and which channels, connects nothing, and refuses a wrong token', async () => {
  const platform = memoryServer('probed')
  platform.token = 'right'
  platform.switchesOff = ['no MEMBERS intent: nobody is seen to join; turn it on under Bot']
  platform.user('alice').join('#general')
  let token = 'right'
  const look = () =>
    memory.probe?.(memory.schema.parse({ kind: 'memory', server: 'probed', token: 'secret:T' }), {
      network: 'p' as NetworkId,
      log: silentLog(),
      dataDir: '/nonexistent',
      secret: async () => token,
      signal: AbortSignal.timeout(1000),
    })
  assert.deepEqual(await look(), {
    account: 'chanop',
    server: 'memory',
    missing: platform.switchesOff,
    channels: [{ channel: '#general', name: '#general', joined: false }],
  })
  assert.equal(platform.connections, 0)
  token = 'wrong'
  await assert.rejects(async () => look(), { code: 'network-refused', message: /does not take the token/ })
  platform.down()
  token = 'right'
  await assert.rejects(async () => look(), { code: 'network-down' })
})
