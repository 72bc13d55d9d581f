import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Trouble } from '../../core/adapter.ts'
import type { ChanopError } from '../../core/error.ts'
import { type Content, text } from '../../core/event.ts'
import { sleep } from '../../core/retry.ts'
import { type FakeOptions, FakeServer } from './testing/fake.ts'
import { place, Trial } from './testing/trial.ts'

const capabilities = ['message-tags', 'batch', 'labeled-response', 'echo-message']
const general = place('#general')
const turn = (): Promise<void> => sleep(5)
type Context = { after(done: () => unknown): void }

async function setUp(t: Context, fake: FakeOptions, channels = ['#general'], places = channels) {
  const server = await FakeServer.start(t, { capabilities, ...fake })
  const config = { kind: 'irc', host: '127.0.0.1', port: server.port, tls: false, nick: 'bridge', channels, flood: null, personas: false } // biome-ignore format: one line
  const trial = await Trial.start({ config, places: places.map(place) })
  t.after(() => trial.stop())
  await trial.up()
  const trouble = async (): Promise<Trouble> => {
    for (;;) {
      const [first] = trial.adapter.status().troubles ?? []
      if (first) return first
      await turn()
    }
  }
  const sound = async (): Promise<void> => {
    while (trial.adapter.status().troubles) await turn()
  }
  const count = (line: string): number => server.lines.filter(each => each === line).length
  return { server, trial, trouble, sound, count }
}

describe('a channel that does not work while the network is up', { timeout: 30_000, concurrency: true }, () => {
  for (const numeric of ['403', '405', '437', '471', '473', '474', '475', '477', '489', '520']) {
    it(`is one that ${numeric} keeps us out of, until we get in`, async t => {
      let shut = true
      const { trouble, trial, sound } = await setUp(t, {
        answer: ({ command, params }) =>
          command === 'JOIN' && shut ? [`:fake ${numeric} bridge ${params[0]} :Not now`] : null,
      })
      const { channel, reason, sinceMs } = await trouble()
      assert.deepEqual([channel, reason], ['#general', `can not join: Not now (${numeric})`])
      assert.ok(Date.now() - sinceMs < 10_000)
      assert.equal(trial.adapter.status().state, 'up')
      shut = false
      await sound()
      await trial.ready('#general')
    })
  }

  it('is one that leads elsewhere: we do not stay there', async t => {
    const { server, trouble, count } = await setUp(t, {
      answer: ({ command, params }) =>
        command === 'JOIN' && params[0] === '#general'
          ? [':fake 470 bridge #general ##other :Forwarding to another channel', ':bridge!u@h JOIN ##other']
          : null,
    })
    assert.match((await trouble()).reason, /can not join: the network leads us to ##other instead \(470\)/)
    while (count('PART ##other :not meant') === 0) await turn()
    assert.ok(!server.lines.some(line => line.startsWith('JOIN ##other')))
  })

  for (const end of [':bridge!u@h PART #general :by services', ':op!u@h KICK #general bridge :out']) {
    it(`is one that we are taken from (${end.split(' ')[1]}): we come back at once`, async t => {
      const { server, trial, sound, count } = await setUp(t, {})
      await trial.ready('#general')
      server.tell(end)
      while (count('JOIN #general') < 2) await turn()
      await sound()
      await trial.ready('#general')
      server.tell(':al!u@h PRIVMSG #GENERAL :back')
      assert.equal((await trial.message('back')).place.channel, '#general')
    })
  }

  for (const numeric of ['442', '403']) {
    for (const labels of [true, false]) {
      it(`is one that we are not in after all (${numeric}${labels ? '' : ', no labels'}): we go back in and say it then`, async t => {
        let gone = true
        const { trial, count } = await setUp(t, {
          ...(labels ? {} : { capabilities: [] }),
          answer: ({ command, tags, params }) => {
            const label = labels ? `@label=${tags['label']} ` : ''
            if (command !== 'PRIVMSG' || params[1] !== 'x' || !gone) return null
            gone = false
            return [`${label}:fake ${numeric} bridge ${params[0]} :You're not on that channel`]
          },
        })
        await trial.ready('#general')
        const said = trial.adapter.send(general, { content: text('x') }, 'd1')
        await assert.rejects(said, { code: 'send-later' })
        while (count('JOIN #general') < 2) await turn()
        await trial.ready('#general')
        assert.equal((await trial.adapter.send(general, { content: text('x') }, 'd1')).length, 1)
        assert.equal(trial.adapter.status().troubles, undefined)
      })
    }
  }

  it('is one that a 442 out of the blue says we are not in', async t => {
    const { server, trial, count } = await setUp(t, {})
    await trial.ready('#general')
    server.tell(":fake 442 bridge #general :You're not on that channel")
    while (count('JOIN #general') < 2) await turn()
    await trial.ready('#general')
  })

  it('is one that refuses what is said, until it takes something', async t => {
    let moderated = true
    const { trial, trouble, sound } = await setUp(t, {
      answer: ({ command, tags, params }) =>
        command === 'PRIVMSG' && moderated
          ? [`@label=${tags['label']} :fake 404 bridge ${params[0]} :Cannot send to channel (+m)`]
          : null,
    })
    const refused = async (): Promise<boolean> =>
      trial.adapter.send(general, { content: text('x') }, 'd1').then(
        () => false,
        ({ code }: ChanopError) => code === 'send-refused' || refused(),
      )
    assert.equal(await refused(), true)
    assert.match((await trouble()).reason, /\(\+m\) \(404\)/)
    moderated = false
    await trial.adapter.send(general, { content: text('x') }, 'd2')
    await sound()
  })

  it('is none for formatting: where that is refused the words are said without', async t => {
    const { server, trial } = await setUp(t, {
      answer: ({ command, tags, params }) =>
        // biome-ignore lint/suspicious/noControlCharactersInRegex: what IRC formats with
        command === 'PRIVMSG' && /[\x02\x03\x1d]/.test(params[1] ?? '')
          ? [`@label=${tags['label']} :fake 404 bridge ${params[0]} :Cannot send to channel (+c)`]
          : null,
    })
    await trial.ready('#general')
    const content: Content = {
      segments: [
        { kind: 'text', text: 'loud', marks: ['bold'] },
        { kind: 'text', text: ' 1' },
      ],
    }
    for (const id of ['d1', 'd2']) assert.equal((await trial.adapter.send(general, { content }, id)).length, 1)
    const said = server.lines.filter(line => line.includes('loud')).map(line => line.slice(line.indexOf(' :') + 2))
    assert.deepEqual(said, ['\x02loud\x02 1', 'loud 1', 'loud 1'])
    assert.equal(trial.adapter.status().troubles, undefined)
  })

  for (const [casemapping, written, told] of [
    ['rfc1459', '#Foo[1]^', '#fOO{1}~'],
    ['rfc1459-strict', '#Foo[1]', '#FOO{1}'],
    ['ascii', '#Foo[1]', '#FOO[1]'],
    ['precis', '#Ünion', '#üNION'],
  ] as const) {
    it(`is none whose name comes back in another case (${casemapping})`, async t => {
      const { server, trial } = await setUp(
        t,
        {
          casemapping,
          answer: ({ command }) => (command === 'JOIN' ? [`:bridge!u@h JOIN ${told}`] : null),
        },
        [written],
      )
      await trial.ready(written)
      server.tell(`:al!u@h PRIVMSG ${told} :hello`)
      assert.equal((await trial.message('hello')).place.channel, written)
    })
  }
})

describe('a nick that services take from us on a network of others', { timeout: 30_000 }, () => {
  const forced = (nick: string): string => `:bridge!u@h NICK ${nick}`

  it('is asked for at once, and shown while we go by another', async t => {
    let free = false
    const server = await FakeServer.start(t, {
      capabilities,
      answer: ({ command, params }, client) => {
        if (command !== 'NICK' || client.nick === '*' || client.nick === params[0]) return null
        if (!free) return [`:fake 433 ${client.nick} ${params[0]} :Nickname is already in use.`]
        const before = client.nick
        client.nick = params[0] ?? ''
        return [`:${before}!u@h NICK ${params[0]}`]
      },
    })
    const config = { kind: 'irc', host: '127.0.0.1', port: server.port, tls: false, nick: 'bridge', channels: ['#general'], flood: null, personas: false } // biome-ignore format: one line
    const trial = await Trial.start({ config })
    t.after(() => trial.stop())
    await trial.ready('#general')
    const asked = (): number => server.lines.filter(line => line === 'NICK bridge').length
    const before = asked()
    const [client] = server.clients
    if (client) client.nick = 'Guest123'
    server.tell(forced('Guest123'))
    while (asked() === before) await turn()
    while (!/known as Guest123: the nick bridge can not be had/.test(trial.adapter.status().reason ?? '')) await turn()
    assert.equal(trial.adapter.status().state, 'up')
    // What is said meanwhile is ours, and goes out.
    assert.equal((await trial.adapter.send(general, { content: text('still me') }, 'd1')).length, 1)
    free = true
    server.tell(':bridge!x@y QUIT :gone')
    while (trial.adapter.status().reason) await turn()
    assert.equal(client?.nick, 'bridge')
  })

  it('is not fought for: whoever takes it again and again is asked now and then', async t => {
    const server = await FakeServer.start(t, {
      capabilities,
      answer: ({ command, params }, client) =>
        command === 'NICK' && client.nick !== '*' && client.nick !== params[0]
          ? [`:${client.nick}!u@h NICK bridge`, ':bridge!u@h NICK Guest123']
          : null,
    })
    const config = { kind: 'irc', host: '127.0.0.1', port: server.port, tls: false, nick: 'bridge', channels: ['#general'], flood: null, personas: false } // biome-ignore format: one line
    const trial = await Trial.start({ config })
    t.after(() => trial.stop())
    await trial.ready('#general')
    const [client] = server.clients
    if (client) client.nick = 'Guest123'
    server.tell(forced('Guest123'))
    while (!server.lines.slice(3).includes('NICK bridge')) await turn()
    const said = trial.adapter.send(general, { content: text('x') }, 'd1')
    assert.equal((await said).length, 1)
    assert.ok(server.lines.filter(line => line === 'NICK bridge').length <= 3, server.lines.join('\n'))
  })
})
