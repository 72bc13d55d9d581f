import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Control } from '../../adapters/irc/control.ts'
import { ChanopError } from '../../core/error.ts'
import { instanceOf } from '../instance.ts'
import { connectionFault } from './endpoint.ts'
import { readOptions } from './options.ts'
import { channelOrder, endpointOf, parseLogin, readSetting } from './target.ts'

const managed: Control = {
  server: 'ergo',
  version: '2',
  plain: { host: '127.0.0.1', port: 6667 },
  tls: { host: '127.0.0.1', port: 6697, fingerprint: 'ab'.repeat(32) },
  oper: { name: 'o', password: 'p' },
  accounts: {},
}

test('options: defaults, and one line for each mistake', () => {
  const none = readOptions([])
  assert.deepEqual(
    [none.server, none.account, none.channel, none.plain, none.waitMs, none.history],
    [null, null, null, false, null, null],
  )
  const some = readOptions([
    '--server',
    '[::1]:6697',
    '--channel',
    'ops',
    '--wait',
    '0.5',
    '--plain',
    '--history',
    '20',
  ])
  assert.deepEqual(some.server, { host: '::1', port: 6697, tls: null })
  assert.deepEqual([some.channel, some.waitMs, some.plain, some.history], ['#ops', 500, true, 20])
  const mistakes = [
    ['--server', 'nowhere'], ['--server', 'a:99999'], ['--server', 'irc://example.org:6667'], ['--wait', 'soon'], ['--wait', ''],
    ['--account', 'x'], ['--account', 'a b', '--password-file', 'f'], ['--channel', '#a,b'], ['--bad'], ['extra'], ['--fingerprint', 'zz'], ['--history', '-1'],
  ] // biome-ignore format: a list to read at a glance
  for (const argv of mistakes) {
    assert.throws(
      () => readOptions(argv),
      (error: unknown) => error instanceof ChanopError && error.code === 'usage' && !error.message.includes('\n'),
      argv.join(' '),
    )
  }
})

test('the managed server is pinned; another is verified, or pinned by hand', () => {
  const at = (...argv: string[]): unknown => endpointOf(readOptions(argv), managed)
  const pinned = { host: '127.0.0.1', port: 6697, tls: true, fingerprint: 'ab'.repeat(32) }
  assert.deepEqual(at(), pinned)
  assert.deepEqual(at('--server', '127.0.0.1:6697'), pinned)
  assert.deepEqual(at('--server', '127.0.0.1:6667'), { host: '127.0.0.1', port: 6667, tls: false })
  assert.deepEqual(at('--server', 'example.org:6697'), { host: 'example.org', port: 6697, tls: true })
  assert.deepEqual(at('--server', 'example.org:1', '--fingerprint', 'CD'.repeat(32)), {
    host: 'example.org',
    port: 1,
    tls: true,
    fingerprint: 'cd'.repeat(32),
  })
  assert.throws(() => endpointOf(readOptions([]), null), /npm start/)
})

test('logins: the owner’s line, or a password alone', () => {
  assert.deepEqual(parseLogin('account=owner password=a=b\n', null), { account: 'owner', password: 'a=b' })
  const said = 'account=bob password=x server=ircs://127.0.0.1:6697 fingerprint=00ff'
  assert.deepEqual(parseLogin(said, null), { account: 'bob', password: 'x' })
  assert.deepEqual(parseLogin('se cret\n', 'ann'), { account: 'ann', password: 'se cret' })
  assert.equal(parseLogin('secret', null), null)
  assert.equal(parseLogin('', 'ann'), null)
  assert.equal(parseLogin('two\nlines', 'ann'), null)
})

test('#general comes first, then the configured channels', () => {
  assert.deepEqual(channelOrder(['#ops', '#general', '#x'], null), ['#general', '#ops', '#x'])
  assert.deepEqual(channelOrder(['#a', '#b'], null), ['#a', '#b'])
  assert.deepEqual(channelOrder([], null), ['#general'])
  assert.deepEqual(channelOrder(['#general', '#ops'], '#ops'), ['#ops', '#general'])
})

test('a folder without a server, without a login, with a damaged one: what to do', async t => {
  const data = await mkdtemp(join(tmpdir(), 'chanop-chat-'))
  t.after(() => rm(data, { recursive: true }))
  const instance = instanceOf({ CHANOP_DATA: data, CHANOP_CONFIG: join(data, 'none.yaml') })
  await assert.rejects(readSetting(readOptions([]), instance), /no IRC server here yet: npm start/)
  const elsewhere = readOptions(['--server', '127.0.0.1:1'])
  await assert.rejects(readSetting(elsewhere, instance), /owner-login is not there: npm start writes it/)
  await writeFile(join(data, 'owner-login'), 'nonsense')
  await assert.rejects(readSetting(elsewhere, instance), /holds no login/)
  await writeFile(join(data, 'owner-login'), 'account=owner password=x\n')
  assert.deepEqual((await readSetting(elsewhere, instance)).channels, ['#general'])
})

test('failed connections say what to do', () => {
  const target = { endpoint: { host: '127.0.0.1', port: 6697, tls: true }, account: 'owner' }
  const lost = (error: Error | undefined, reason = 'closed', permanent = false) =>
    connectionFault({ reason, permanent, byServer: true, ...(error && { error }) }, target, false)
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  assert.match(lost(refused).message, /127\.0\.0\.1:6697: nothing listens there; npm start/)
  assert.match(lost(undefined, 'the server closed the connection').message, /before the login/)
  assert.match(lost(undefined, 'banned').message, /the server ended it: banned/)
  assert.match(lost(undefined, 'no', true).message, /refuses the login of owner \(no\)/)
  assert.equal(lost(undefined, 'no', true).retry, 'never')
  assert.equal(lost(new Error('another certificate than the pinned one')).retry, 'never')
})
