import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../core/log.ts'
import { slack } from './index.ts'
import { network, Trial } from './testing/trial.ts'

test('a probe says who we are, what is missing and which channels there are, and opens nothing', async t => {
  const trial = await Trial.open(t)
  const { fake, general } = trial
  const open = fake.workspace.channel('open', { members: ['U0000ALICE'] })
  fake.workspace.channel('hidden', { kind: 'private', members: ['U0000ALICE'] })
  const probe = (tokens: Record<string, string> = {}) => {
    const config = slack.schema.parse({ kind: 'slack', token: 'env:BOT', appToken: 'env:APP', api: fake.api })
    const known: Record<string, string> = { 'env:BOT': fake.botToken, 'env:APP': fake.appToken, ...tokens }
    const secret = async (name: string): Promise<string> => known[name] ?? ''
    return slack.probe?.(config, { network, log: silentLog(), dataDir: '', secret, signal: AbortSignal.timeout(5000) })
  }
  assert.deepEqual(await probe(), {
    account: '@chanop in Fake (T0000FAKE)',
    server: 'Slack, Socket Mode',
    missing: [],
    channels: [
      { channel: general.id, name: '#general', joined: true },
      { channel: open.id, name: '#open', joined: false },
    ],
  })
  fake.scopes.delete('reactions:read')
  fake.scopes.delete('channels:read')
  const less = await probe()
  assert.deepEqual(less?.channels, [])
  assert.match(less?.missing.join('\n') ?? '', /scope channels:read: add it at .*\n.*scope reactions:read/)
  await assert.rejects(Promise.resolve(probe({ 'env:BOT': 'xoxb-other' })), {
    code: 'network-refused',
    message: /know the token/,
  })
  await assert.rejects(Promise.resolve(probe({ 'env:APP': 'xapp-other' })), {
    code: 'network-refused',
    message: /know the token/,
  })
  assert.equal(fake.sockets, 0)
  fake.down = true
  fake.cut()
  await assert.rejects(Promise.resolve(probe()), { code: 'network-down' })
})
