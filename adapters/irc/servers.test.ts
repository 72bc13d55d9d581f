import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Draft, text } from '../../core/event.ts'
import { availableServers, startErgo, startInspircd, startNgircd, type TestServer } from './server/testing.ts'
import { Guest, textOf, Trial, type TrialOptions, place } from './trial.ts'

const starts = { ergo: startErgo, inspircd: startInspircd, ngircd: startNgircd }
const channels = ['#general', '#ops']
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

for (const { kind, reason } of await availableServers()) {
  describe(`adapter on ${kind}`, { skip: reason ?? false }, () => {
    it('hears and speaks, by the main connection and by a persona', async t => {
      const server = await starts[kind](t)
      const trial = await Trial.start(optionsFor(server))
      t.after(() => trial.stop())
      await trial.ready('#general')
      const alice = await guestOf(server, 'alice')
      t.after(() => alice.leave())
      alice.say('PRIVMSG #general :hello there')
      const heard = await trial.message('hello there')
      assert.equal(heard.place.channel, '#general')
      assert.equal(heard.sender.verified, server.control !== null)
      assert.equal(heard.sender.id, server.control ? 'alice' : '~alice')
      const ids = await trial.adapter.send(place('#general'), draft('good day'), 'd1')
      assert.equal(ids.length, 1)
      assert.equal((await alice.hears('good day')).nick, 'bridge')
      await trial.ready('#general', 'oracle')
      await trial.adapter.send(place('#general'), draft('I am the oracle', { as: { name: 'oracle' } }), 'd2')
      assert.equal((await alice.hears('I am the oracle')).nick, 'oracle')
      assert.deepEqual(
        trial.events.filter(event => event.kind === 'message').map(event => [event.sender.name, textOf(event)]),
        [['alice', 'hello there']],
      )
    })
  })
}
