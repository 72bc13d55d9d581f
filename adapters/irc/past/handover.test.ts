import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../../core/log.ts'
import { sleep } from '../../../core/retry.ts'
import { Session } from '../link/session.ts'
import { type FakeOptions, FakeServer } from '../testing/fake.ts'
import { Trial, textOf } from '../testing/trial.ts'

const capabilities = ['message-tags', 'server-time', 'batch', 'labeled-response', 'echo-message', 'draft/chathistory']

const batch = (label: string | undefined, ...lines: readonly string[]): string[] => [
  `@label=${label} BATCH +h chathistory #general`,
  ...lines,
  'BATCH -h',
]

const config = (server: FakeServer) => ({
  kind: 'irc',
  host: '127.0.0.1',
  port: server.port,
  tls: false,
  nick: 'bridge',
  channels: ['#general'],
  flood: null,
  personas: false,
})
const heardBefore = () => new Map([['newest #general', `m0 ${Date.now() - 3_600_000}`]])

/** Puts us out, with something said just before, while it is asked for the first time what we missed. */
const puttingOut = (ban: { on: boolean }): NonNullable<FakeOptions['answer']> => {
  let kicked = false
  return ({ command, params: [verb, , point = ''], tags: { label } }) => {
    if (command === 'JOIN' && ban.on && kicked) return [':fake 474 bridge #general :Cannot join channel (+b)']
    if (command !== 'CHATHISTORY') return null
    const id = point.replace('msgid=', '')
    if (verb === 'AROUND') return batch(label, `@batch=h;msgid=${id} :al!u@h PRIVMSG #general :known`)
    if (verb !== 'AFTER' || id !== 'm0') return batch(label)
    const missed = batch(label, '@batch=h;msgid=m1 :al!u@h PRIVMSG #general :missed')
    if (kicked) return missed
    kicked = true
    return ['@msgid=m2 :al!u@h PRIVMSG #general :live', ':op!u@h KICK #general bridge :out', ...missed]
  }
}

test('who is put out while it fetches what it missed begins there again', { timeout: 30_000 }, async t => {
  const server = await FakeServer.start(t, { capabilities, answer: puttingOut({ on: false }) })
  const trial = await Trial.start({ config: config(server), cursors: heardBefore() })
  t.after(() => trial.stop())
  await trial.message('live')
  await trial.message('missed')
})

test('what it heard before that stays live, however slow the disk is', { timeout: 30_000 }, async t => {
  let kicked = false
  const both = [
    '@batch=h;msgid=m1 :al!u@h PRIVMSG #general :missed',
    '@batch=h;msgid=m2 :al!u@h PRIVMSG #general :live',
  ]
  const answer: FakeOptions['answer'] = ({ command, params: [verb, , point = ''], tags: { label } }) => {
    if (command !== 'CHATHISTORY') return null
    if (verb === 'AROUND') return batch(label, '@batch=h;msgid=m0 :al!u@h PRIVMSG #general :known')
    if (verb !== 'AFTER' || !point.endsWith('m0')) return batch(label)
    if (kicked) return batch(label, ...both)
    kicked = true
    return ['@msgid=m2 :al!u@h PRIVMSG #general :live', ':op!u@h KICK #general bridge :out', ...batch(label)]
  }
  const server = await FakeServer.start(t, { capabilities, answer })
  const written = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const disk = (): Promise<void> => (kicked && asked.resolve(), kicked ? written.promise : Promise.resolve())
  const trial = await Trial.start({ config: config(server), cursors: heardBefore(), disk })
  t.after(() => trial.stop())
  await asked.promise
  for (let n = 0; n < 10; n++) {
    server.tell(`:al!u@h PRIVMSG #elsewhere :turn ${n}`)
    await trial.message(`turn ${n}`)
  }
  written.resolve()
  await trial.message('missed')
  const first = trial.events.find(event => event.kind === 'message' && textOf(event) === 'live')
  assert.equal(first?.origin, 'live')
})

test('so does who comes back in another run, and only once', { timeout: 30_000 }, async t => {
  const ban = { on: true }
  const server = await FakeServer.start(t, { capabilities, answer: puttingOut(ban) })
  const cursors = heardBefore()
  const run = () => Trial.start({ config: config(server), cursors })
  const first = await run()
  await first.message('live')
  await first.stop()
  assert.equal(
    first.events.some(event => event.kind === 'message' && textOf(event) === 'missed'),
    false,
  )
  ban.on = false
  const second = await run()
  await second.message('missed')
  server.tell('@msgid=m3 :al!u@h PRIVMSG #general :later')
  await second.message('later')
  await second.stop()
  const third = await run()
  await third.ready('#general')
  server.tell('@msgid=m4 :al!u@h PRIVMSG #general :much later')
  await third.message('much later')
  await third.stop()
  assert.deepEqual(third.events.filter(event => event.kind === 'message').map(textOf), ['much later'])
})

test('without labels what answers nothing, or another request, is not taken for the answer', {
  timeout: 30_000,
}, async t => {
  const page = (target: string, ...lines: readonly string[]) => [
    `BATCH +${target} chathistory ${target}`,
    ...lines.map(line => `@batch=${target};${line}`),
    `BATCH -${target}`,
  ]
  const answer: FakeOptions['answer'] = ({ command, params: [verb, target = '', point = ''] }) => {
    if (command !== 'CHATHISTORY') return null
    const id = point.replace('msgid=', '')
    const other = page('#other', 'msgid=x1 :al!u@h PRIVMSG #other :unasked')
    const unknown = ':fake 421 bridge WHATEVER :Unknown command'
    if (verb === 'AROUND') return page(target, `msgid=${id} :al!u@h PRIVMSG ${target} :known`)
    if (verb === 'AFTER' && id === 'm0')
      return [unknown, ...other, ...page('#General', 'msgid=m1 :al!u@h PRIVMSG #general :missed')]
    return page(target)
  }
  const unlabelled = capabilities.filter(name => name !== 'labeled-response')
  const server = await FakeServer.start(t, { capabilities: unlabelled, answer })
  const trial = await Trial.start({ config: config(server), cursors: heardBefore() })
  t.after(() => trial.stop())
  await trial.message('missed')
  assert.equal(
    trial.events.some(({ kind }) => kind === 'gap'),
    false,
  )
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
