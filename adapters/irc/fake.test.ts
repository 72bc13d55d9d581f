import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ChanopError } from '../../core/error.ts'
import { text } from '../../core/event.ts'
import { silentLog } from '../../core/log.ts'
import { sleep } from '../../core/retry.ts'
import { type Fault, Session } from './link/session.ts'
import { type FakeOptions, FakeServer } from './testing/fake.ts'
import { place, Trial, type TrialOptions } from './testing/trial.ts'

const full = [
  'message-tags',
  'server-time',
  'account-tag',
  'batch',
  'labeled-response',
  'echo-message',
  'cap-notify',
  'draft/multiline=max-bytes=400,max-lines=5',
]
const general = place('#general')
const draft = (words: string) => ({ content: text(words) })
const turn = (): Promise<void> => sleep(5)
type Context = { after(done: () => unknown): void }

async function setUp(t: Context, fake: FakeOptions, config: object = {}, more: Partial<TrialOptions> = {}) {
  const server = await FakeServer.start(t, fake)
  const common = {
    kind: 'irc',
    host: '127.0.0.1',
    port: server.port,
    tls: false,
    nick: 'bridge',
    channels: ['#general'],
    flood: null,
    personas: false,
  }
  const trial = await Trial.start({ config: { ...common, ...config }, ...more })
  t.after(() => trial.stop())
  return { server, trial }
}

const malformed = [
  '', ' ', ':', '@', '@ ', '@a', '@a=b', '@=x PING', ':x', ': ', ':x ', '\x00\x01\x02', 'CAP', 'CAP *', 'CAP * LS', 'CAP * ACK', 'CAP * NEW', 'CAP * NAK :',
  'CAP * DEL :x', ':s 001', ':s 005', ':s 005 bridge CHANTYPES PREFIX CHANMODES STATUSMSG CASEMAPPING= CLIENTTAGDENY', ':s 353', ':s 366', ':s 433', ':s 900',
  'AUTHENTICATE', 'BATCH', 'BATCH +', 'BATCH -nope', 'BATCH +b', '@batch=zz :a!u@h PRIVMSG #general', ':a!u@h PRIVMSG', ':a!u@h NOTICE', ':a!u@h JOIN', ':a!u@h PART',
  ':a!u@h KICK #general', ':a!u@h NICK', ':a!u@h QUIT', ':a!u@h TOPIC', ':a!u@h MODE', ':a!u@h REDACT', ':a!u@h TAGMSG', ':!@ PRIVMSG #general :', 'PING', 'PONG',
  '@time=yesterday;msgid= :a!u@h PRIVMSG', ':s FAIL', '@label=nope :s FAIL X', ':s 999 x', '12345', `:s ${'x'.repeat(5000)}`, `@${'a=b;'.repeat(3000)} PING`, 'CHATHISTORY',
] // biome-ignore format: a list

describe('adapter against a fake server', { timeout: 30_000 }, () => {
  it(`lives through ${malformed.length} malformed lines`, async t => {
    const { server, trial } = await setUp(t, { capabilities: full })
    await trial.ready('#general')
    for (const line of malformed) server.tell(line)
    server.tell('@msgid=ok1;account=al :al!u@h PRIVMSG #general :still here?')
    const heard = await trial.message('still here?')
    assert.equal(heard.sender.verified, true)
    assert.deepEqual(await trial.adapter.send(general, draft('yes'), 'd1'), ['m2'])
    assert.equal(server.connections, 1)
  })

  it('lives through them before and during the login as well', async t => {
    const greeting = malformed.filter(line => !/^:s (?:001|433|900)|^CAP \* LS/.test(line))
    const { server, trial } = await setUp(t, { capabilities: full, greeting })
    await trial.ready('#general')
    assert.equal(server.connections, 1)
  })

  it('loses only the capability that is refused', async t => {
    const { server, trial } = await setUp(t, { capabilities: full, naks: ['draft/multiline'] })
    await trial.ready('#general')
    const { lacks } = trial.adapter.status()
    assert.ok(lacks.some(line => line.startsWith('no multiline')))
    assert.ok(!lacks.some(line => line.startsWith('no message tags')))
    assert.ok(server.lines.filter(line => line.startsWith('CAP REQ')).length > 1)
    assert.ok(!server.lines.includes('CAP REQ :'))
  })

  it('answers a new capability only when it wants it', async t => {
    const { server, trial } = await setUp(t, { capabilities: ['message-tags'] })
    await trial.ready('#general')
    server.tell(':fake CAP bridge NEW :unheard-of', ':fake CAP bridge NEW :server-time', ':al!u@h PRIVMSG #general :go')
    await trial.message('go')
    await trial.adapter.send(general, draft('x'), 'd1')
    assert.deepEqual(server.lines.filter(line => line.startsWith('CAP REQ')).slice(1), ['CAP REQ :server-time'])
  })

  it('ends the negotiation at 903, not at 900', async t => {
    const sasl = [':fake 900 * * al :You are now logged in', ':fake 903 * :done']
    const config = { sasl: { account: 'al', password: 'env:PW' } }
    const { server, trial } = await setUp(t, { capabilities: ['sasl=PLAIN'], sasl: [sasl[0] as string] }, config)
    while (!server.lines.some(line => /^AUTHENTICATE \S{8}/.test(line))) await turn()
    server.tell('PING :still')
    while (!server.lines.some(line => line.startsWith('PONG'))) await turn()
    assert.ok(!server.lines.includes('CAP END'))
    server.tell(sasl[1] as string)
    await trial.ready('#general')
    assert.equal(
      server.lines.find(line => /^AUTHENTICATE \S{8}/.test(line)),
      `AUTHENTICATE ${Buffer.from('al\0al\0PW').toString('base64')}`,
    )
  })

  it('does not hammer a server that refuses the login, and says what to do', async t => {
    const config = { sasl: { account: 'al', password: 'env:PW' } }
    const { server, trial } = await setUp(
      t,
      { capabilities: ['sasl'], sasl: [':fake 904 * :Invalid password'] },
      config,
    )
    while (!trial.adapter.status().reason) await turn()
    assert.equal(trial.adapter.status().state, 'down')
    assert.match(trial.adapter.status().reason ?? '', /Invalid password; correct the account or its password/)
    assert.equal(server.connections, 1)
  })

  it('comes back however often the server slams the door', async t => {
    const { server, trial } = await setUp(t, { capabilities: full, slams: 4 })
    await trial.ready('#general')
    assert.equal(server.connections, 5)
    server.clients.at(-1)?.socket.destroy()
    await trial.event(event => event.kind === 'gap', 'a named gap').catch(() => undefined)
    await trial.ready('#general')
    assert.equal(server.connections, 6)
  })

  it('loses nothing of what is said while it fetches a history that never comes', async t => {
    const answer: FakeOptions['answer'] = ({ command, tags }) =>
      command === 'CHATHISTORY'
        ? [
            '@msgid=mw :al!u@h PRIVMSG #general :said meanwhile',
            `@label=${tags['label']} FAIL CHATHISTORY MESSAGE_ERROR :No`,
          ]
        : null
    const { trial } = await setUp(t, { capabilities: [...full, 'draft/chathistory'], answer })
    await trial.event(event => event.kind === 'gap', 'a named gap')
    await trial.message('said meanwhile')
  })

  it('is outside when it was put out while it fetched what it had missed, and tries to come back', async t => {
    let joins = 0
    let label = ''
    const answer: FakeOptions['answer'] = ({ command, tags }) => {
      if (command === 'JOIN' && ++joins > 1) return []
      if (command !== 'CHATHISTORY') return null
      label = tags['label'] ?? ''
      return []
    }
    const { server, trial } = await setUp(t, { capabilities: [...full, 'draft/chathistory'], answer })
    while (label === '') await turn()
    server.tell(':op!u@h KICK #general bridge :out')
    while (joins < 2) await turn()
    server.tell(`@label=${label} BATCH +1 chathistory #general`, 'BATCH -1', 'PING :and')
    while (!server.lines.some(line => /^PONG :?and$/.test(line))) await turn()
    server.tell(':fake 474 bridge #general :Banned')
    const troubles = (): string => (trial.adapter.status().troubles ?? []).map(({ reason }) => reason).join()
    while (!troubles().includes('can not join: Banned')) await turn()
  })

  it('tells what nobody can know from what was not sent', async t => {
    const { server, trial } = await setUp(t, { capabilities: full, mute: true })
    await trial.up()
    const dark = (): Promise<unknown> => {
      const attempt = trial.adapter.send(general, draft('into the dark'), 'd1')
      return attempt.catch((error: ChanopError) =>
        error.code === 'send-later' ? turn().then(dark) : Promise.reject(error),
      )
    }
    const sent = dark()
    while (!server.lines.some(line => line.includes('into the dark'))) await turn()
    server.clients.at(-1)?.socket.destroy()
    await assert.rejects(sent, { code: 'network-down' })
    await assert.rejects(trial.adapter.send(general, draft('later'), 'd2'), { code: 'send-later' })
  })

  it('has only a few messages under way that nobody can know of, where nothing is echoed', async t => {
    const { server, trial } = await setUp(t, { capabilities: null })
    await trial.ready('#general')
    server.frozen = true
    const ended = Array.from({ length: 400 }, (_, at) =>
      trial.adapter.send(general, draft(`line ${at}`), `f${at}`).then(
        () => 'sent',
        (error: ChanopError) => error.code,
      ),
    )
    while (!server.lines.some(line => line.includes('line 7'))) await turn()
    server.clients.at(-1)?.socket.destroy()
    const codes = await Promise.all(ended)
    assert.equal(codes.filter(code => code === 'network-down').length, 8)
    assert.equal(codes.filter(code => code === 'send-later').length, 392)
  })

  it('gives up a silent connection', async t => {
    const server = await FakeServer.start(t, { capabilities: [] })
    const timing = { quietMs: 40, deadMs: 120, registerMs: 5_000 }
    const endpoint = { host: '127.0.0.1', port: server.port, tls: false }
    const fault = await new Promise<Fault>(resolve => {
      const options = {
        endpoint,
        nick: 'b',
        realname: 'b',
        sasl: null,
        flood: null,
        deaf: false,
        log: silentLog(),
        timing,
      }
      const quiet = () => undefined
      const ready = (): void => {
        for (const { socket } of server.clients) socket.removeAllListeners('data')
      }
      new Session(options, { ready, line: quiet, batch: quiet, flush: quiet, closed: resolve }).connect()
    })
    assert.match(fault.reason, /no answer for/)
  })

  it('works with a server that knows no capabilities', async t => {
    const { server, trial } = await setUp(t, { capabilities: null, refuse: { '#shut': '404' } })
    await trial.ready('#general')
    server.tell(':al!u@h PRIVMSG #general :plain')
    assert.equal((await trial.message('plain')).sender.verified, false)
    const [shut, open] = await Promise.allSettled([
      trial.adapter.send(place('#shut'), draft('a'), 'd1'),
      trial.adapter.send(general, draft('b'), 'd2'),
    ])
    assert.equal(shut.status === 'rejected' && (shut.reason as { code: string }).code, 'send-refused')
    assert.equal(open.status, 'fulfilled')
    assert.equal(await trial.adapter.find?.(general, 'd2', { do: 'send', ...draft('b') }), 'cannot-tell')
    assert.equal('react' in trial.adapter, false)
  })

  it('keeps to the lines a second that the network takes', async t => {
    const { trial } = await setUp(t, { capabilities: full }, { flood: { linesPerSecond: 50, burst: 2 } })
    await trial.ready('#general')
    const began = performance.now()
    await Promise.all(
      Array.from({ length: 12 }, (_, index) => trial.adapter.send(general, draft(`f${index}`), `f${index}`)),
    )
    assert.ok(performance.now() - began > 150)
  })

  it('lets nothing that is said add a line', async t => {
    const { server, trial } = await setUp(t, { capabilities: full.slice(0, -1) })
    await trial.ready('#general')
    const evil = 'a\r\nQUIT :x\0\nNICK evil'
    await trial.adapter.send(general, draft(evil), evil)
    await trial.adapter
      .send({ ...general, channel: `#general\r\nQUIT` as never }, draft('x'), 'd2')
      .catch(() => undefined)
    await trial.adapter.react?.(general, `m1\r\nQUIT` as never, { emoji: '👍\r\nQUIT' }, 'd3\r\nQUIT')
    trial.adapter.typing?.(general, 'bridge\r\nQUIT', true)
    trial.adapter.away?.('bridge', 'gone\r\nQUIT')
    await trial.adapter.send(general, draft('end'), 'd4')
    assert.deepEqual(
      server.lines.filter(line => /^(?:QUIT|NICK evil)/.test(line)),
      [],
    )
  })
})
