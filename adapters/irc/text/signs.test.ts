import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { LifeSign, MemberEvent, NetworkId, RosterSign, Sign } from '../../../core/event.ts'
import type { Session } from '../link/session.ts'
import { availableServers, startErgo, startInspircd, startNgircd, type TestServer } from '../server/testing.ts'
import { Guest, Trial, type TrialOptions } from '../testing/trial.ts'
import type { LineContext } from './inbound.ts'
import { type Line, parseLine } from './line.ts'
import { foldFor } from './names.ts'
import { changesOf, Roll } from './signs.ts'

const starts = { ergo: startErgo, inspircd: startInspircd, ngircd: startNgircd }
const channels = ['#general']

const optionsFor = (server: TestServer): TrialOptions =>
  server.control
    ? { config: { kind: 'irc', managed: true, channels }, dataDir: server.dataDir, personas: ['bridge', 'admin'] }
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
        personas: ['bridge'],
      }

async function agentOf(server: TestServer, nick: string): Promise<Guest> {
  const account = server.control ? { account: { account: nick, password: await server.account(nick) } } : {}
  return Guest.join({ host: server.host, port: server.port, nick, ...account }, ...channels)
}

const whole = (sign: Sign): sign is RosterSign => sign.kind === 'roster' && sign.whole === true
const idsOf = (sign: RosterSign): string[] =>
  sign.present
    .filter(({ kind }) => kind !== 'self')
    .map(({ id, verified }) => `${id}${verified ? ' verified' : ''}`)
    .sort()

const heard: LineContext = {
  network: 'irc' as NetworkId,
  instance: 'abcdefghijkl',
  persona: null,
  calledAs: () => null,
  nonce: 'n',
  connectedMs: 0,
  clock: { aheadMs: 0 },
  placeOf: folded => folded,
  fold: foldFor('ascii'),
  isChannel: name => name.startsWith('#'),
  isOwn: nick => nick === 'bridge',
  isFace: () => false,
  channelsOf: nick => (nick === 'away' ? [] : ['#a', '#b']),
  accountOf: nick => (nick === 'Known' ? 'account' : null),
}
const changes = (raw: string) =>
  changesOf(parseLine(raw) as Line, heard).map(({ place, present, gone }) => [
    place.channel,
    present.map(({ id, name, verified }) => `${id} ${name}${verified ? ' verified' : ''}`).join(),
    gone.join(),
  ])

describe('changes of how somebody is known', () => {
  it('follows a login and a logout', () => {
    assert.deepEqual(changes(':Some!u@h ACCOUNT Alice'), [
      ['#a', 'alice Some verified', '~some'],
      ['#b', 'alice Some verified', '~some'],
    ])
    assert.deepEqual(changes(':Known!u@h ACCOUNT *')[0], ['#a', '~known Known', 'account'])
    assert.deepEqual(changes(':away!u@h ACCOUNT Alice'), [])
  })
  it('follows a nick', () => {
    assert.deepEqual(changes(':Some!u@h NICK Other')[0], ['#a', '~other Other', '~some'])
    assert.deepEqual(changes(':Known!u@h NICK Other')[0], ['#a', 'account Other verified', ''])
  })
  it('takes nothing from elsewhere', () => {
    assert.deepEqual(changes(':Some!u@h PRIVMSG #a :NICK Other'), [])
    assert.deepEqual(changes(':server.example NICK'), [])
  })
})

describe('who is in a channel', () => {
  const wrote: string[] = []
  const session = { support: () => '', write: (line: string) => void wrote.push(line) } as unknown as Session
  const roll = new Roll()
  const hear = (raw: string) => roll.take(parseLine(raw) as Line, session, heard, () => undefined)

  it('is not told by the end of what another asked', () => {
    roll.ask(session, '#a')
    roll.ask(session, '#b')
    assert.equal(hear(':s 315 bridge #a :End'), null)
    assert.equal(hear(':s 354 bridge 717 #a bridge 0'), null)
    assert.equal(hear(':s 354 bridge 717 #a al acc'), null)
    assert.deepEqual(
      hear(':s 315 bridge #a :End')?.present.map(({ id }) => id),
      ['~bridge', 'acc'],
    )
    assert.equal(hear(':s 354 bridge 717 #a al acc'), null)
    assert.equal(hear(':s 315 bridge #a :End'), null)
    assert.equal(hear(':s 354 bridge 717 #b bridge 0'), null)
    assert.deepEqual(
      hear(':s 315 bridge #b :End')?.present.map(({ id }) => id),
      ['~bridge'],
    )
    assert.deepEqual(wrote, ['WHO #a %tcna,717', 'WHO #a %tcna,717', 'WHO #b %tcna,717'])
  })

  it('is asked of the next one where we are out again', () => {
    roll.ask(session, '#gone')
    roll.ask(session, '#b')
    for (let times = 0; times < 2; times++) assert.equal(hear(':s 315 bridge #gone :End'), null)
    assert.equal(wrote.at(-1), 'WHO #b %tcna,717')
  })
})

for (const { kind, reason } of await availableServers()) {
  describe(`signs on ${kind}`, { skip: reason ?? false, timeout: 60_000 }, () => {
    const accounts = kind !== 'ngircd'
    let server: TestServer
    let trial: Trial
    const guests: Guest[] = []
    const come = async (nick: string): Promise<Guest> => {
      const guest = await agentOf(server, nick)
      guests.push(guest)
      return guest
    }
    const leaves = (name: string): Promise<MemberEvent> =>
      trial.event(
        (event): event is MemberEvent =>
          event.kind === 'member' && event.change === 'leave' && event.sender.name === name,
        `${name} leaves`,
      )

    before(async () => {
      server = await starts[kind](null, { channels })
      await come('early')
      await come('other')
      trial = await Trial.start(optionsFor(server))
      await trial.ready('#general')
    })
    after(async () => {
      for (const guest of guests) guest.leave()
      await trial?.stop()
      await server?.stop()
    })

    it('tells who was there already, with accounts', async () => {
      const roster = await trial.sign(whole, 'the roster')
      assert.equal(roster.place.channel, '#general')
      assert.deepEqual(idsOf(roster), accounts ? ['early verified', 'other verified'] : ['~early', '~other'])
    })

    it('tells joins and quits under the same id', async () => {
      const late = await come('late')
      const joined = await trial.event(
        (event): event is MemberEvent =>
          event.kind === 'member' && event.change === 'join' && event.sender.name === 'late',
        'late joins',
      )
      assert.equal(joined.sender.id, accounts ? 'late' : '~late')
      late.say('QUIT :bye')
      assert.equal((await leaves('late')).sender.id, joined.sender.id)
    })

    it('tells a quit of somebody who was there before us', async () => {
      guests[0]?.leave()
      assert.equal((await leaves('early')).sender.id, accounts ? 'early' : '~early')
    })

    it('tells who is writing and who is alive', { skip: !accounts && 'no tags' }, async () => {
      const agent = await come('alive')
      await trial.ready('#general', 'admin')
      agent.say('@+typing=active TAGMSG #general', '@+chanop/beat TAGMSG #general', '@+chanop/beat TAGMSG admin')
      const life =
        (what: string, channel: string) =>
        (sign: Sign): sign is LifeSign =>
          sign.kind === 'life' && sign.what === what && sign.place.channel === channel && sign.sender.id === 'alive'
      await trial.sign(life('typing', '#general'), 'typing')
      assert.equal((await trial.sign(life('heartbeat', '#general'), 'a heartbeat')).sender.verified, true)
      await trial.sign(life('heartbeat', '@alive/admin'), 'a heartbeat in private')
      assert.equal(trial.events.filter(event => event.kind === 'message' && event.sender.id === 'alive').length, 0)
    })
  })
}
