import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../../core/log.ts'
import { sleep } from '../../../core/retry.ts'
import { Session } from '../link/session.ts'
import { type FakeOptions, FakeServer } from '../testing/fake.ts'
import { Trial } from '../testing/trial.ts'

const capabilities = ['message-tags', 'server-time', 'batch', 'labeled-response', 'echo-message', 'draft/chathistory']

const batch = (label: string | undefined, ...lines: readonly string[]): string[] => [
  `@label=${label} BATCH +h chathistory #general`,
  ...lines,
  'BATCH -h',
]

test('who is put out while it fetches what it missed begins there again', { timeout: 30_000 }, async t => {
  let kicked = false
  const answer: FakeOptions['answer'] = ({ command, params: [verb, , point = ''], tags: { label } }) => {
    if (command !== 'CHATHISTORY') return null
    const id = point.replace('msgid=', '')
    if (verb === 'AROUND') return batch(label, `@batch=h;msgid=${id} :al!u@h PRIVMSG #general :known`)
    if (verb !== 'AFTER' || id !== 'm0') return batch(label)
    const missed = batch(label, '@batch=h;msgid=m1 :al!u@h PRIVMSG #general :missed')
    if (kicked) return missed
    kicked = true
    return ['@msgid=m2 :al!u@h PRIVMSG #general :live', ':op!u@h KICK #general bridge :out', ...missed]
  }
  const server = await FakeServer.start(t, { capabilities, answer })
  const config = { kind: 'irc', host: '127.0.0.1', port: server.port, tls: false, nick: 'bridge', channels: ['#general'], flood: null, personas: false } // biome-ignore format: one line
  const cursors = new Map([['newest #general', `m0 ${Date.now() - 3_600_000}`]])
  const trial = await Trial.start({ config, cursors })
  t.after(() => trial.stop())
  await trial.message('live')
  await trial.message('missed')
})

test('what we do not read ourselves is not late', { timeout: 30_000 }, async t => {
  const server = await FakeServer.start(t, { capabilities })
  const endpoint = { host: '127.0.0.1', port: server.port, tls: false }
  const options = { endpoint, nick: 'b', realname: 'b', sasl: null, flood: null, deaf: false, log: silentLog() }
  const quiet = () => undefined
  const session = await new Promise<Session>(resolve => {
    const made: Session = new Session(options, {
      ready: () => resolve(made),
      line: quiet,
      batch: quiet,
      flush: quiet,
      closed: quiet,
    })
    made.connect()
  })
  t.after(() => session.quit('done'))
  session.pause(true)
  const asked = session.ask('PING :there', line => (line.command === 'PONG' ? 'there' : undefined), 40)
  await sleep(150)
  session.pause(false)
  assert.equal(await asked, 'there')
})
