import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../core/log.ts'
import { telegram } from './index.ts'
import { network, Trial } from './testing/trial.ts'

const contextOf = (token: string) => ({
  network,
  log: silentLog(),
  dataDir: '/nonexistent',
  secret: async () => token,
  signal: AbortSignal.timeout(10_000),
})

test('a look from outside says who we are, what is switched off, and leaves who runs with the token alone', async t => {
  const trial = await Trial.open(t, { privacy: true })
  const { server, room } = trial
  const { adapter } = await trial.start(t)
  const away = server.world.group('Away', {}, 'left')
  const channels = [room.chat.id, away.chat.id, -1_009_999_999_999]
  const config = telegram.schema.parse({ kind: 'telegram', token: 'env:T', api: server.url, channels })
  const seen = await telegram.probe?.(config, contextOf(server.token))
  assert.equal(seen?.account, '@chanop_bot')
  assert.match(seen?.missing[0] ?? '', /privacy mode.*\/setprivacy/)
  assert.match(seen?.missing[1] ?? '', /Away: @chanop_bot is not in it/)
  assert.match(seen?.missing[2] ?? '', /-1009999999999: .*chat not found.*add @chanop_bot/)
  assert.deepEqual(
    seen?.channels.map(({ name, joined }) => [name, joined]),
    [
      ['Trial', true],
      ['Away', false],
      ['-1009999999999', false],
    ],
  )
  assert.equal(adapter.status().state, 'up')
  assert.equal(server.journal.filter(({ answer }) => answer['error_code'] === 409).length, 0)
})

test('a wrong token says what to do, and a server that is not there is tried later', async t => {
  const trial = await Trial.open(t)
  const parse = (api: string) => telegram.schema.parse({ kind: 'telegram', token: 'env:T', api })
  const here = parse(trial.server.url)
  for (const token of ['7000000001:AAwrongTokenThatIsLongEnough', 'nonsense', '', 'a/../../b', '1:\u0000']) {
    await assert.rejects(
      async () => telegram.probe?.(here, contextOf(token)),
      (thrown: Error & { code?: string }) => {
        assert.equal(thrown.code, 'network-refused', `${token}: ${thrown.message}`)
        assert.match(thrown.message, /@BotFather/)
        return true
      },
    )
  }
  await assert.rejects(async () => telegram.probe?.(parse('http://127.0.0.1:9'), contextOf('1:a')), { retry: 'later' })
})
