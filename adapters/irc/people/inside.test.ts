import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ChanopError } from '../../../core/error.ts'
import { type Content, type Draft, text, type UserId } from '../../../core/event.ts'
import { sleep } from '../../../core/retry.ts'
import { availableServers, startErgo, startInspircd, startNgircd } from '../server/testing.ts'
import { type FakeOptions, FakeServer } from '../testing/fake.ts'
import { Guest, place, Trial } from '../testing/trial.ts'

const personas = ['bridge', 'admin']
const channel = '#doors'
const doors = place(channel)
const words = (said: string): Draft => ({ content: text(said) as Content, as: { name: 'admin' } })
const turn = (): Promise<void> => sleep(5)
type Context = { after(done: () => unknown): void }

/** As often as it is to be said later. */
async function send(trial: Trial, said: string): Promise<void> {
  try {
    await trial.adapter.send(doors, words(said), said)
  } catch (error) {
    if (!(error instanceof ChanopError) || error.code !== 'send-later') throw error
    await turn()
    await send(trial, said)
  }
}

async function setUp(t: Context, fake: FakeOptions, ready: 'in' | 'connected' = 'in') {
  const capabilities = ['message-tags', 'batch', 'labeled-response', 'echo-message']
  const server = await FakeServer.start(t, { capabilities, ...fake })
  const config = { kind: 'irc', host: '127.0.0.1', port: server.port, tls: false, nick: 'bridge', channels: [channel], flood: null } // biome-ignore format: one line
  const trial = await Trial.start({ config, personas })
  t.after(() => trial.stop())
  if (ready === 'in') await trial.ready(channel, 'admin')
  const client = (nick: string) => server.clients.find(each => each.nick === nick)
  const said = (nick: string): string[] => client(nick)?.lines.filter(line => line.includes('PRIVMSG')) ?? []
  const says = async (what: string): Promise<string> => {
    await send(trial, what)
    return personas.find(nick => said(nick).some(line => line.endsWith(what))) ?? 'nobody'
  }
  const reasons = (): string => (trial.adapter.status().troubles ?? []).map(({ reason }) => reason).join(' · ')
  return { trial, client, says, reasons }
}

describe('a persona that a channel does not take', { timeout: 60_000 }, () => {
  it('is spoken for by the main connection, shown, and lets itself in when it can', async t => {
    let shut = true
    const { client, says, reasons } = await setUp(t, {
      answer: ({ command, params }, { nick }) =>
        command === 'JOIN' && nick === 'admin' && shut ? [`:fake 474 admin ${params[0]} :Banned`] : null,
    })
    assert.equal(await says('one'), 'bridge')
    assert.match(reasons(), /^admin can not join: Banned \(474\); bridge speaks for it$/)
    shut = false
    while (reasons() !== '') await turn()
    assert.equal(await says('two'), 'admin')
    assert.equal(client('admin')?.lines.filter(line => line.startsWith('JOIN')).length, 2)
  })

  it('enters behind the main connection, which alone may make a channel', async t => {
    const { trial, reasons, client } = await setUp(t, {
      answer: ({ command, params }, { nick }) =>
        command === 'JOIN' && params[0] === '#new' && nick === 'bridge' ? [] : null,
    })
    const asked = (nick: string): boolean => client(nick)?.lines.includes('JOIN #new') ?? false
    const joined = trial.adapter.channels?.join(place('#new'))
    while (!asked('bridge')) await turn()
    client('admin')?.socket.write('PING :x\r\n')
    while (client('admin')?.lines.includes('PONG x') !== true && client('admin')?.lines.includes('PONG :x') !== true)
      await turn()
    assert.equal(asked('admin'), false)
    client('bridge')?.socket.write(':bridge!u@h JOIN #new\r\n:fake 366 bridge #new :End\r\n')
    await joined
    while (!asked('admin')) await turn()
    assert.equal(reasons(), '')
  })

  for (const [how, line] of [
    ['is in', `:bridge!u@h JOIN ${channel}`],
    ['does not get in', `:fake 474 bridge ${channel} :Banned`],
  ] as const)
    it(`comes to a channel once the main connection ${how}: who sees it is heard`, async t => {
      const answer: FakeOptions['answer'] = ({ command }, { nick }) =>
        command === 'JOIN' && nick === 'bridge' ? [] : null
      const { client } = await setUp(t, { answer }, 'connected')
      const asked = (nick: string): boolean => client(nick)?.lines.includes(`JOIN ${channel}`) ?? false
      while (!asked('bridge')) await turn()
      const answered = (): boolean => client('admin')?.lines.some(said => /^PONG :?x$/.test(said)) ?? false
      while (!client('admin')?.lines.includes('CAP END')) await turn()
      client('admin')?.socket.write('PING :x\r\n')
      while (!answered()) await turn()
      assert.equal(asked('admin'), false)
      client('bridge')?.socket.write(`${line}\r\n`)
      while (!asked('admin')) await turn()
    })

  it('comes back at once from a KICK', async t => {
    const { client, says, reasons } = await setUp(t, {})
    client('admin')?.socket.write(`:op!u@h KICK ${channel} admin :out\r\n`)
    const entered = (): number => client('admin')?.lines.filter(line => line === `JOIN ${channel}`).length ?? 0
    while (entered() < 2) await turn()
    assert.equal(await says('here'), 'admin')
    assert.equal(reasons(), '')
  })

  it('is spoken for where its words are refused', async t => {
    const { says, reasons } = await setUp(t, {
      answer: ({ command, params, tags }, { nick }) =>
        command === 'PRIVMSG' && nick === 'admin' && params[1] === 'quiet'
          ? [`@label=${tags['label']} :fake 404 admin ${params[0]} :Cannot send to channel (+m)`]
          : null,
    })
    await says('quiet')
    assert.match(reasons(), /^admin: the server refused it: Cannot send to channel \(\+m\) \(404\)$/)
    assert.equal(await says('loud'), 'admin')
    assert.equal(reasons(), '')
  })
})

for (const { kind, reason } of await availableServers()) {
  it(`a persona that is banned and put out on ${kind} is heard all the same`, {
    skip: reason ?? false,
    timeout: 60_000,
  }, async t => {
    const start = { ergo: startErgo, inspircd: startInspircd, ngircd: startNgircd }[kind]
    const server = await start(t, { channels: [], bots: personas })
    const { host, port, control } = server
    const config = control
      ? { kind: 'irc', managed: true, channels: [channel] }
      : { kind: 'irc', host, port, tls: false, nick: 'bridge', channels: [channel], flood: null }
    const trial = await Trial.start({ config, personas, ...(control ? { dataDir: server.dataDir } : {}) })
    t.after(() => trial.stop())
    await trial.ready(channel)
    await trial.ready(channel, 'admin')
    const account = control ? { account: { account: 'alice', password: await server.account('alice') } } : {}
    const alice = await Guest.join({ host, port, nick: 'alice', ...account }, channel)
    t.after(() => alice.leave())
    await trial.adapter.channels?.mode?.(doors, '+b admin!*@*')
    await trial.adapter.channels?.kick?.(doors, (control ? 'admin' : '~admin') as UserId, 'out')
    await alice.wait(({ command, params }) => command === 'KICK' && params[1] === 'admin', 'the kick')
    await send(trial, 'all the same')
    const heard = await alice.wait(({ params }) => params.at(-1)?.endsWith('all the same') ?? false, 'the words')
    assert.ok(personas.includes(heard.nick))
  })
}
