import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { UserId } from '../../core/event.ts'
import { availableServers, startErgo, startInspircd, type TestServer } from './server/testing.ts'
import { Guest, place, Trial } from './testing/trial.ts'

const bots = ['bridge', 'admin', 'oracle']
const ops = place('#ops')
const accounts = (...names: string[]): UserId[] => names as UserId[]

/** Everything the server answers to some lines in one packet. */
async function answers(who: Guest, ...lines: string[]): Promise<string[]> {
  const from = who.lines.length
  const token = `end-${from}`
  who.say(...lines, `PING :${token}`)
  await who.wait(line => line.command === 'PONG' && line.params.at(-1) === token, 'an answer')
  return who.lines.slice(from).map(line => `${line.command} ${line.params.join(' ')}`)
}

for (const { kind, reason } of await availableServers()) {
  if (kind === 'ngircd') continue
  describe(`closed channels on ${kind}`, { skip: reason ?? false, timeout: 90_000 }, () => {
    let server: TestServer
    let trial: Trial
    const guests: Guest[] = []

    const enter = async (name: string): Promise<Guest> => {
      const account = { account: name, password: await server.account(name) }
      const guest = await Guest.join({
        host: server.host,
        port: server.port,
        nick: name,
        account,
        capabilities: ['message-tags', 'server-time', 'batch', 'draft/chathistory', 'account-tag'],
      })
      guests.push(guest)
      return guest
    }
    const admit = (...names: string[]): Promise<void> | undefined =>
      trial.adapter.channels?.admit?.(ops, accounts(...names))

    before(async () => {
      server = await (kind === 'ergo' ? startErgo : startInspircd)(null, { bots })
      trial = await Trial.start({
        config: { kind: 'irc', managed: true, channels: ['#ops'] },
        dataDir: server.dataDir,
        personas: bots,
      })
      await trial.ready('#ops')
      await trial.ready('#ops', 'admin')
      await trial.adapter.channels?.keep?.(ops, { modes: '', topic: '' })
    })
    after(async () => {
      for (const guest of guests) guest.leave()
      await trial?.stop()
      await server?.stop()
    })

    it('let in who is admitted, and refuse others before a line of history, in one packet or several', async () => {
      await admit('alice')
      const [alice, mallory] = [await enter('alice'), await enter('mallory')]
      alice.say('JOIN #ops', 'PRIVMSG #ops :the code is 4711')
      await trial.message('the code is 4711')
      const told = await answers(
        mallory,
        'JOIN #ops',
        'CHATHISTORY LATEST #ops * 100',
        'NAMES #ops',
        'WHO #ops',
        'LIST',
      )
      assert.equal(
        told.some(line => line.includes('4711')),
        false,
        told.join('\n'),
      )
      assert.ok(
        told.some(line => line.startsWith('473 mallory #ops ')),
        told.join('\n'),
      )
      assert.equal(
        told.some(line => /^(?:322|353|352) .*#ops/.test(line)),
        false,
        told.join('\n'),
      )
    })

    it('follow the list: who is taken off is put out, whatever the nick, and can not come back', async () => {
      const bob = await enter('bob')
      await admit('alice', 'bob')
      bob.say('JOIN #ops')
      await bob.wait(line => line.command === '366' && line.params[1] === '#ops', 'to be in')
      if (kind === 'inspircd') bob.say('NICK robert')
      await admit('alice')
      await bob.wait(line => line.command === 'KICK' && line.params[0] === '#ops', 'to be put out')
      assert.ok((await answers(bob, 'JOIN #ops')).some(line => line.startsWith('473 ')))
      const alice = guests[0] as Guest
      assert.equal(
        alice.lines.some(line => line.command === 'KICK' && line.params[1] === 'alice'),
        false,
      )
    })

    it('hold five hundred names, and change one of them at once', async () => {
      const many = Array.from({ length: 500 }, (_, at) => `worker-${at}`)
      await admit('alice', ...many)
      const carol = await enter('carol')
      assert.ok((await answers(carol, 'JOIN #ops')).some(line => line.startsWith('473 ')))
      await admit('alice', ...many, 'carol')
      assert.equal(
        (await answers(carol, 'JOIN #ops')).some(line => line.startsWith('473 ')),
        false,
      )
      await admit('alice')
      await carol.wait(line => line.command === 'KICK', 'to be put out')
    })

    it('are closed when the server comes back, before anybody of ours is', async () => {
      await new Promise(resolve => setTimeout(resolve, 1500)) // InspIRCd writes kept channels down once a second.
      await trial.stop()
      await server.kill('SIGTERM')
      await server.restart()
      const password = (name: string): string => `pw-${name}-0123456789`
      const join = (nick: string): Promise<Guest> =>
        Guest.join({ host: server.host, port: server.port, nick, account: { account: nick, password: password(nick) } })
      const [mallory, alice] = [await join('mallory'), await join('alice')]
      guests.push(mallory, alice)
      assert.ok((await answers(mallory, 'JOIN #ops')).some(line => line.startsWith('473 ')))
      assert.equal(
        (await answers(alice, 'JOIN #ops')).some(line => line.startsWith('473 ')),
        false,
      )
    })

    it('are open again when nobody is to be kept out', async () => {
      trial = await Trial.start({
        config: { kind: 'irc', managed: true, channels: ['#ops'] },
        dataDir: server.dataDir,
        personas: bots,
      })
      await trial.ready('#ops')
      await trial.adapter.channels?.admit?.(ops, null)
      const dora = await enter('dora')
      const told = await answers(dora, 'LIST', 'JOIN #ops')
      assert.ok(
        told.some(line => line.startsWith('322 dora #ops ')),
        told.join('\n'),
      )
      assert.ok(
        told.some(line => line.startsWith('366 dora #ops ')),
        told.join('\n'),
      )
    })
  })
}
