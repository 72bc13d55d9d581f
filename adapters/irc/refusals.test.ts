import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ChanopError } from '../../core/error.ts'
import { text } from '../../core/event.ts'
import { sleep } from '../../core/retry.ts'
import { type FakeOptions, FakeServer } from './testing/fake.ts'
import { place, Trial } from './testing/trial.ts'

const labels = ['message-tags', 'batch', 'labeled-response', 'echo-message']
const general = place('#general')
const draft = (words: string) => ({ content: text(words) })
const turn = (): Promise<void> => sleep(5)
type Context = { after(done: () => unknown): void }

async function setUp(t: Context, fake: FakeOptions) {
  const server = await FakeServer.start(t, { capabilities: labels, ...fake })
  const config = { kind: 'irc', host: '127.0.0.1', port: server.port, tls: false, nick: 'bridge', channels: ['#general'], flood: null, personas: false } // biome-ignore format: one line
  const trial = await Trial.start({ config })
  t.after(() => trial.stop())
  await trial.ready('#general')
  const said = (words: string): number => server.lines.filter(line => line.endsWith(` :${words}`)).length
  return { server, trial, said }
}

describe('what a server has against a message', { timeout: 30_000, concurrency: true }, () => {
  for (const [numeric, code] of [
    ['716', 'send-refused'],
    ['707', 'send-later'],
    ['486', 'send-refused'],
    ['263', 'send-later'],
    ['439', 'send-later'],
  ] as const)
    for (const capabilities of [labels, []])
      it(`is heard: ${numeric}${capabilities.length > 0 ? '' : ', no labels'}`, async t => {
        const answer: FakeOptions['answer'] = ({ command, tags, params }) => {
          if (command !== 'PRIVMSG' || params[0] !== 'al') return null
          const label = tags['label'] === undefined ? '' : `@label=${tags['label']} `
          return [`${label}:fake ${numeric} bridge al :does not take it`]
        }
        const { trial } = await setUp(t, { capabilities, answer })
        await assert.rejects(trial.adapter.send(place('@~al'), draft('psst'), 'd1'), { code })
      })

  it('is not what it has against an act', async t => {
    const answer: FakeOptions['answer'] = ({ command, params }) =>
      command === 'PRIVMSG' && params[1] === 'said' ? [":fake 482 bridge #general :You're not channel operator"] : null
    const { trial } = await setUp(t, { capabilities: [], answer })
    assert.equal((await trial.adapter.send(general, draft('said'), 'd1')).length, 1)
  })

  it('does not double the lines that went out before', async t => {
    let refusing = true
    const answer: FakeOptions['answer'] = ({ command, tags, params }) => {
      if (command !== 'PRIVMSG' || params[1] !== 'two' || !refusing) return null
      refusing = false
      return [`@label=${tags['label']} :fake 439 bridge #general :Too fast`]
    }
    const { trial, said } = await setUp(t, { answer })
    const lines = draft('one\ntwo')
    await assert.rejects(trial.adapter.send(general, lines, 'd1'), { code: 'send-later' })
    assert.equal((await trial.adapter.send(general, lines, 'd1')).length, 2)
    assert.deepEqual([said('one'), said('two')], [1, 2])
  })

  it('does not drop a line because one like it went out', async t => {
    let asked = 0
    const answer: FakeOptions['answer'] = ({ command, params }) =>
      command === 'PRIVMSG' && params[1] === 'ha' && ++asked === 1 ? [':fake 439 bridge #general :Too fast'] : null
    const { trial, said } = await setUp(t, { capabilities: [], answer })
    const lines = draft('ha\nha')
    await assert.rejects(trial.adapter.send(general, lines, 'd1'), { code: 'send-later' })
    assert.equal((await trial.adapter.send(general, lines, 'd1')).length, 2)
    assert.equal(said('ha'), 3)
  })

  it('is found out anew on the next connection', async t => {
    let strict = true
    const answer: FakeOptions['answer'] = ({ command, tags, params }) => {
      if (command !== 'PRIVMSG' || !strict || !params[1]?.includes('\x02')) return null
      return [`@label=${tags['label']} :fake 404 bridge #general :Cannot send (+c)`]
    }
    const { server, trial, said } = await setUp(t, { answer })
    const bold = { content: { segments: [{ kind: 'text' as const, text: 'bold', marks: ['bold' as const] }] } }
    await trial.adapter.send(general, bold, 'd1')
    assert.equal(said('bold'), 1)
    strict = false
    server.clients.at(-1)?.socket.destroy()
    while (trial.adapter.status().state === 'up') await turn()
    await trial.ready('#general')
    await trial.adapter.send(general, bold, 'd2')
    assert.equal(said('bold'), 1)
  })

  it('is asked anew of whoever has the nick now, where we do not see who that is', async t => {
    let account = 'bob'
    const answer: FakeOptions['answer'] = ({ command }) =>
      command === 'WHOIS'
        ? [
            ':fake 311 bridge bob u h * :b',
            `:fake 330 bridge bob ${account} :is logged in as`,
            ':fake 318 bridge bob :End',
          ]
        : null
    const { trial, said } = await setUp(t, { answer })
    const bob = place('@bob')
    await trial.adapter.send(bob, draft('for bob'), 'd1')
    account = 'mallory'
    const failed = await trial.adapter.send(bob, draft('for bob alone'), 'd2').catch((error: ChanopError) => error.code)
    assert.equal(failed, 'send-refused')
    assert.equal(said('for bob alone'), 0)
  })
})

describe('a server with little room', { timeout: 30_000 }, () => {
  const config = (server: FakeServer, more: object) => ({ kind: 'irc', host: '127.0.0.1', port: server.port, tls: false, nick: 'bridge', flood: null, ...more }) // biome-ignore format: one line

  it('is not asked much at once', async t => {
    const server = await FakeServer.start(t, { capabilities: ['message-tags'] })
    const channels = Array.from({ length: 40 }, (_, at) => `#room${at}`)
    const trial = await Trial.start({ config: config(server, { channels }), personas: ['bridge', 'admin'] })
    t.after(() => trial.stop())
    await trial.ready('#room39', 'admin')
    const pings = server.lines.filter(line => line.startsWith('PING :chanop-') && !line.includes('sent'))
    assert.ok(pings.length < 20, `${pings.length} PINGs`)
    const joins = server.clients.map(({ lines }) => lines.filter(line => line.startsWith('JOIN')).length)
    assert.ok(Math.max(...joins) < 20, `${joins.join()} JOINs`)
  })

  it('is given another nick where the end of a long one is cut off', async t => {
    const server = await FakeServer.start(t, {
      answer: ({ command, params: [first = ''] }) => {
        if (command === 'CAP' && first === 'END') return []
        if (command !== 'NICK') return null
        const nick = first.slice(0, 9)
        return nick === 'mychanopb' ? [`:fake 433 * ${nick} :In use`] : [`:fake 001 ${nick} :Welcome`]
      },
    })
    const trial = await Trial.start({ config: config(server, { nick: 'mychanopbot', personas: false }) })
    t.after(() => trial.stop())
    await trial.up(5_000)
  })

  it('tells that our host is longer now, and gets shorter lines', async t => {
    const server = await FakeServer.start(t, { capabilities: ['chghost'] })
    const trial = await Trial.start({ config: config(server, { channels: ['#general'], personas: false }) })
    t.after(() => trial.stop())
    await trial.ready('#general')
    const before = trial.adapter.limits.textBytes
    server.tell(`:bridge!u@h CHGHOST u ${'h'.repeat(41)}`)
    while (trial.adapter.limits.textBytes === before) await turn()
    assert.equal(trial.adapter.limits.textBytes, before - 40)
  })
})
