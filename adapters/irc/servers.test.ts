import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ChanopError } from '../../core/error.ts'
import { type Draft, type MessageEvent, text } from '../../core/event.ts'
import { availableServers, startErgo, startInspircd, startNgircd, type TestServer } from './server/testing.ts'
import { firstId, Guest, place, Trial, type TrialOptions, textOf } from './testing/trial.ts'

const starts = { ergo: startErgo, inspircd: startInspircd, ngircd: startNgircd }
const channels = ['#general', '#ops']
const general = place('#general')
const draft = (words: string, more: Partial<Draft> = {}): Draft => ({ content: text(words), ...more })

const optionsFor = (server: TestServer): TrialOptions =>
  server.control
    ? { config: { kind: 'irc', managed: true, channels }, dataDir: server.dataDir, personas: ['bridge', 'oracle'] }
    : {
        config: {
          kind: 'irc',
          host: server.host,
          port: server.port,
          tls: false,
          nick: 'bridge',
          channels,
          flood: null,
        },
        personas: ['bridge', 'oracle'],
      }

async function guestOf(server: TestServer, nick: string): Promise<Guest> {
  const account = server.control ? { account: { account: nick, password: await server.account(nick) } } : {}
  return Guest.join({ host: server.host, port: server.port, nick, ...account }, ...channels)
}

const isMessage = (event: { kind: string }): event is MessageEvent => event.kind === 'message'

for (const { kind, reason } of await availableServers()) {
  describe(`adapter on ${kind}`, { skip: reason ?? false, timeout: 60_000 }, () => {
    const tags = kind !== 'ngircd'
    // ngIRCd takes one line a second.
    const manyLines = tags ? 2_000 : 4
    let server: TestServer
    let trial: Trial
    let alice: Guest

    before(async () => {
      server = await starts[kind](null)
      trial = await Trial.start(optionsFor(server))
      await trial.ready('#general')
      await trial.ready('#general', 'oracle')
      alice = await guestOf(server, 'alice')
    })
    after(async () => {
      alice?.leave()
      await trial?.stop()
      await server?.stop()
    })

    it('hears who speaks, and whether the server vouches for it', async () => {
      alice.say('PRIVMSG #general :hello there')
      const heard = await trial.message('hello there')
      assert.equal(heard.place.channel, '#general')
      assert.deepEqual([heard.sender.id, heard.sender.verified], tags ? ['alice', true] : ['~alice', false])
      assert.equal(heard.origin, 'live')
    })

    it('speaks by the main connection and by a persona, and does not hear itself', async () => {
      const ids = await trial.adapter.send(general, draft('good day'), 'd1')
      assert.equal(ids.length, 1)
      assert.equal(firstId(ids).startsWith('~'), !tags)
      assert.equal((await alice.hears('good day')).nick, 'bridge')
      await trial.adapter.send(general, draft('I am the oracle', { as: { name: 'oracle' } }), 'd2')
      assert.equal((await alice.hears('I am the oracle')).nick, 'oracle')
      alice.say('PRIVMSG #general :after the oracle')
      await trial.message('after the oracle')
      assert.deepEqual(
        trial.events.filter(isMessage).filter(event => event.sender.name !== 'alice'),
        [],
      )
    })

    it('answers a private message from whoever was asked', async () => {
      alice.say('PRIVMSG oracle :psst oracle', 'PRIVMSG bridge :psst bridge')
      const oracle = await trial.message('psst oracle')
      const bridge = await trial.message('psst bridge')
      const id = tags ? 'alice' : '~alice'
      assert.equal(oracle.place.channel, `@${id}/oracle`)
      assert.equal(bridge.place.channel, `@${id}`)
      assert.equal(oracle.place.private, true)
      await trial.adapter.send(oracle.place, draft('yes?', { as: { name: 'oracle' } }), 'd3')
      assert.equal((await alice.hears('yes?')).nick, 'oracle')
      await trial.adapter.send(bridge.place, draft('secret word', { secret: true }), 'd4')
      assert.equal((await alice.hears('secret word')).nick, 'bridge')
      assert.equal(await trial.adapter.secure?.(bridge.place), tags)
    })

    it('keeps long text whole, in order and within the line', async () => {
      const words = Array.from({ length: tags ? 400 : 60 }, (_, index) => `wörd${index}`).join(' ')
      const ids = await trial.adapter.send(general, draft(`${words} END`), 'd5')
      assert.ok(ids.length >= 1)
      await alice.wait(line => line.params.at(-1)?.endsWith(' END') === true, 'the end of the long text')
      const said = alice.lines
        .filter(line => /w\u00f6rd\d/.test(line.params.at(-1) ?? ''))
        .map(line => line.params.at(-1))
      assert.equal(said.join(' ').replace(/ +/g, ' '), `${words} END`)
    })

    it('never lets a relayed person speak as another', async () => {
      const as = { name: 'Eve <root>\r\nQUIT', relayed: true as const }
      await trial.adapter.send(general, draft('hi\n<owner> !restart\r\nPRIVMSG #ops :bad\0 end', { as }), 'd6')
      await alice.wait(line => line.params.at(-1)?.includes('bad') === true, 'the last line')
      const lines = alice.lines.filter(line => /!restart|bad/.test(line.params.at(-1) ?? ''))
      for (const line of lines) {
        assert.equal(line.params[0], '#general')
        if (line.nick === 'bridge') assert.match(line.params.at(-1) ?? '', /^<E\u2060ve ‹root› QUIT> /)
        else assert.match(line.nick, /^EverootQUIT\//)
      }
      assert.equal(lines.length, 2)
    })

    it('carries replies, reactions, actions and notices', {
      skip: tags ? false : 'no tags on this server',
    }, async () => {
      alice.say('@+reply=abc PRIVMSG #general :\x01ACTION waves \x02now\x02\x01', 'NOTICE #general :note this')
      const action = await trial.event(event => isMessage(event) && event.content.style === 'action', 'action')
      assert.ok(isMessage(action))
      assert.equal(action.content.replyTo, 'abc')
      assert.deepEqual(action.content.segments[1], { kind: 'text', text: 'now', marks: ['bold'] })
      assert.equal((await trial.message('note this')).content.style, 'notice')
      alice.say(`@+draft/react=👍;+draft/reply=${action.id} TAGMSG #general`)
      const reaction = await trial.event(event => event.kind === 'reaction', 'reaction')
      assert.equal(reaction.kind === 'reaction' && reaction.target, action.id)
      await trial.adapter.react?.(general, action.id, { emoji: '✅' }, 'd7')
      const shown = await alice.wait(line => line.tags['+draft/react'] === '✅', 'our reaction')
      assert.equal(shown.tags['+reply'], action.id)
      await trial.adapter.send(general, { content: { ...text('indeed'), replyTo: action.id } }, 'd8')
      assert.equal((await alice.hears('indeed')).tags['+reply'], action.id)
    })

    it('trusts no client tag', { skip: tags ? false : 'no tags on this server' }, async () => {
      const mallory = await guestOf(server, 'mallory')
      mallory.say('@+account=owner;+chanop/i=abcdefghijkl;+chanop/d=d1 PRIVMSG #general :I am the owner')
      const heard = await trial.message('I am the owner')
      assert.equal(heard.sender.id, 'mallory')
      mallory.leave()
    })

    it('says what the server refuses', async () => {
      await assert.rejects(trial.adapter.send(place('#nowhere-at-all'), draft('hello?'), 'd9'), (error: unknown) => {
        assert.ok(error instanceof ChanopError)
        assert.equal(error.code, 'send-refused')
        return true
      })
      await assert.rejects(trial.adapter.send(place('@nobodyhere'), draft('hello?'), 'd10'), { code: 'send-refused' })
    })

    it('finds what it sent', async () => {
      const [id] = await trial.adapter.send(general, draft('find me'), 'd11')
      const found = await trial.adapter.find?.(general, 'd11', { do: 'send', ...draft('find me') })
      const never = await trial.adapter.find?.(general, 'never', { do: 'send', ...draft('never') })
      assert.deepEqual(found, tags ? [id] : 'cannot-tell')
      assert.equal(never, tags ? 'not-sent' : 'cannot-tell')
    })

    it('takes its words back where the server can', async () => {
      const ids = await trial.adapter.send(general, draft('a mistake'), 'd12')
      assert.equal(trial.adapter.remove !== undefined, kind === 'ergo')
      await trial.adapter.remove?.(general, ids, 'wrong room', 'd13')
    })

    it('keeps the order of many messages and loses none', async () => {
      const started = performance.now()
      const many = Array.from({ length: manyLines }, (_, index) => `n${index}`)
      const ids = await Promise.all(many.map(words => trial.adapter.send(general, draft(words), `many-${words}`)))
      await alice.hears(`n${manyLines - 1}`)
      const heard = alice.lines.map(line => line.params.at(-1) ?? '').filter(words => /^n\d+$/.test(words))
      assert.deepEqual(heard, many)
      assert.equal(new Set(ids.flat()).size, many.length)
      assert.ok(performance.now() - started < 20_000)
    })

    it('says which abilities are missing', () => {
      const { lacks, server: name } = trial.adapter.status()
      assert.ok(name)
      assert.equal(
        lacks.some(line => line.startsWith('no message tags')),
        !tags,
      )
      assert.equal(
        lacks.some(line => line.startsWith('no multiline')),
        kind !== 'ergo',
      )
    })

    it('fills the gap of an outage, or names it', async () => {
      alice.say('PRIVMSG #general :before the outage')
      await trial.message('before the outage')
      const { cursors } = trial
      await trial.stop()
      alice.say('PRIVMSG #general :during 1', 'PRIVMSG #general :during 2')
      alice.say('PING :said')
      await alice.wait(line => line.command === 'PONG' && line.params.at(-1) === 'said', 'PONG')
      trial = await Trial.start({ ...optionsFor(server), cursors })
      await trial.ready('#general')
      alice.say('PRIVMSG #general :after the outage')
      await trial.message('after the outage')
      const told = trial.events.map(event => (isMessage(event) ? `${textOf(event)} (${event.origin})` : event.kind))
      const talk = told.filter(line => line !== 'member' && line !== 'topic' && line !== 'reaction')
      const missed = kind === 'ngircd' ? ['gap'] : ['during 1 (backfill)', 'during 2 (backfill)']
      assert.deepEqual(talk, [...missed, 'after the outage (live)'])
    })

    it('comes back when the server was killed', async () => {
      await server.kill('SIGKILL')
      await assert.rejects(
        trial.adapter.send(general, draft('nobody hears'), 'd14'),
        (error: unknown) => error instanceof ChanopError && error.retry === 'later',
      )
      await server.restart()
      await trial.ready('#general')
      await trial.ready('#general', 'oracle')
      const bob = await guestOf(server, 'bob')
      bob.say('PRIVMSG #general :are you back?')
      await trial.message('are you back?')
      bob.leave()
    })
  })
}
