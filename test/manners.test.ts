/** What people meet in their first hour, on real IRC servers: who answers, what is a command, what is counted as what. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { availableServers, startErgo, startInspircd, type TestServer } from '../adapters/irc/server/testing.ts'
import { Guest } from '../adapters/irc/testing/trial.ts'
import type { Line } from '../adapters/irc/text/line.ts'
import { runAdmin } from '../bots/admin/admin.ts'
import { enrol } from '../bots/admin/fleet/testing.ts'
import { runBridge } from '../bots/bridge/run.ts'
import { runScribe } from '../bots/scribe/scribe.ts'
import { House } from './house.ts'
import { auditLines } from './talk.ts'

const starters = { ergo: startErgo, inspircd: startInspircd } as const
const ends = { after: () => undefined }

const rooms = (network: string): string => `
rooms:
  general: { places: ['${network}:#general'], open: true }
commands: { perMinute: 6000, burst: 1000 }
`
const managed = ({ host, port, control }: TestServer): string => `
owner: irc:owner
networks:
  irc: { kind: irc, managed: true, listen: { plain: '${host}:${port}', tls: '${control?.tls.host}:${control?.tls.port}' }, channels: ['#general'] }
${rooms('irc')}`
/** The same server, entered as any other is: one nick for all bots. */
const oneNick = ({ host, port }: TestServer): string => `
owner: ext:owner
networks:
  ext: { kind: irc, host: '${host}', port: ${port}, tls: false, nick: butler, sasl: { account: butler, password: 'env:BUTLER' }, personas: false, channels: ['#general'] }
${rooms('ext')}`

const ours = new Set(['admin', 'bridge', 'scribe', 'butler'])

/** Somebody who talks to bots, one answer at a time. */
class Talker {
  readonly guest: Guest
  readonly name: string

  constructor(guest: Guest, name: string) {
    this.guest = guest
    this.name = name
  }

  static async enter(server: TestServer, account: string, password: string): Promise<Talker> {
    const { host, port } = server
    return new Talker(
      await Guest.join({ host, port, nick: account, account: { account, password } }, '#general'),
      account,
    )
  }

  /** Resolves once a bot is in the channel: before it nobody hears what is said there. */
  async sees(bot: string): Promise<void> {
    const isThere = ({ command, nick, params }: Line): boolean =>
      command === 'JOIN' ? nick === bot : command === '353' && (params.at(-1) ?? '').split(/[ ~&@%+]+/).includes(bot)
    await this.guest.wait(isThere, `${bot} in the channel`)
  }

  /** Says it, and resolves with who answers (`in`: in a channel or, with the own name, privately) and what. */
  async ask(to: string, words: string, where: string = to): Promise<{ by: string; text: string }> {
    const from = this.guest.lines.length
    this.guest.say(`PRIVMSG ${to} :${words}`)
    const line = await this.guest.wait(
      found =>
        this.guest.lines.indexOf(found) >= from &&
        /^(PRIVMSG|NOTICE)$/.test(found.command) &&
        ours.has(found.nick) &&
        found.params[0] === where &&
        !found.params.at(-1)?.endsWith('→ in your DM'),
      `an answer to ${words}`,
      15_000,
    )
    return { by: line.nick, text: line.params.at(-1) ?? '' }
  }

  /** Resolves once a line of admin's has come in the room, after those that were there. */
  async admins(from: number, said: RegExp): Promise<void> {
    const { lines } = this.guest
    const fits = (line: Line): boolean => line.nick === 'admin' && said.test(line.params.at(-1) ?? '')
    await this.guest.wait(line => lines.indexOf(line) >= from && line.params[0] === '#general' && fits(line), `${said}`)
  }

  async until(to: string, words: string, wanted: RegExp): Promise<string> {
    for (let n = 0; n < 40; n++) {
      const { text } = await this.ask(to, words)
      if (wanted.test(text)) return text
    }
    throw new Error(`${words} never answered ${wanted}`)
  }
}

for (const { kind, reason } of await availableServers()) {
  if (kind === 'ngircd') continue
  describe(`manners on ${kind}`, { skip: reason ?? false, timeout: 120_000 }, () => {
    let server: TestServer
    let house: House
    let owner: Talker
    let bob: Talker
    let worker: Talker

    before(async () => {
      server = await starters[kind](null, { channels: ['#general'] })
      const [bobs, workers] = [await server.account('bob'), await server.account('worker-1')]
      house = new House(ends, { dataDir: server.dataDir, config: managed(server) })
      await house.run('bridge', runBridge)
      await house.run('admin', runAdmin)
      await house.run('scribe', runScribe)
      owner = await Talker.enter(server, 'owner', server.owner?.password ?? '')
      bob = await Talker.enter(server, 'bob', bobs)
      worker = await Talker.enter(server, 'worker-1', workers)
      await owner.sees('admin')
      await owner.until('#general', '!version', /^chanop /)
    })
    after(async () => {
      owner?.guest.leave()
      bob?.guest.leave()
      worker?.guest.leave()
      await house?.close()
      await server?.stop()
    })

    it('goes on with an answer by who gave it', async () => {
      for (let n = 0; n < 14; n++) bob.guest.say(`PRIVMSG #general :line ${n} of many`)
      await bob.guest.wait(line => line.params.at(-1) === 'line 13 of many', 'its own echo')
      const first = await owner.ask('#general', '!last 14')
      assert.equal(first.by, 'scribe')
      await owner.guest.wait(line => line.nick === 'scribe' && /!more/.test(line.params.at(-1) ?? ''), 'the first page')
      const more = await owner.ask('#general', '!more')
      assert.equal(more.by, 'scribe')
      assert.match(more.text, /line \d+ of many/)
    })

    it('carries out what is said to a bot alone, and answers there alone', async () => {
      const [seen, owners] = [bob.guest.lines.length, owner.guest.lines.length]
      const granted = await owner.ask('admin', 'role grant irc:bob member', 'owner')
      assert.deepEqual(granted, { by: 'admin', text: 'irc:bob is member' })
      const who = await bob.ask('admin', '!whoami', 'bob')
      assert.match(who.text, /^bob · account bob · member/)
      const last = await bob.ask('scribe', 'stats', 'bob')
      assert.equal(last.by, 'scribe')
      assert.match(last.text, /messages by/)
      await bob.ask('#general', '!version')
      await owner.admins(owners, /^chanop /)
      const room = bob.guest.lines.slice(seen).filter(line => line.params[0] === '#general')
      for (const { text } of [granted, who, last]) assert.ok(!room.some(line => line.params.at(-1) === text), text)
    })

    it('takes a bare yes for the one thing that waits for it', async () => {
      assert.match((await owner.ask('#general', '!role grant irc:bob owner')).text, /!yes \w{3} within/)
      assert.match((await owner.ask('#general', '!yes')).text, /^irc:bob is owner/)
      assert.match((await owner.ask('#general', '!yes')).text, /^nothing of yours waits here/)
    })

    it('leaves what somebody does alone', async () => {
      const seen = owner.guest.lines.length
      bob.guest.say(
        'PRIVMSG #general :\x01ACTION !status\x01',
        'PRIVMSG #general :\x01ACTION !config set commands.lines 9\x01',
      )
      await owner.until('#general', '!version', /^chanop /)
      const answers = owner.guest.lines.slice(seen).filter(line => line.nick === 'admin')
      assert.deepEqual(
        answers.map(line => line.params.at(-1)),
        answers.map(() => answers.at(-1)?.params.at(-1)),
      )
      const lines = (await auditLines(house)).filter(({ account }) => account === 'bob')
      assert.deepEqual(
        lines.filter(({ command }) => command === 'status' || command === 'config set').map(({ decision }) => decision),
        ['ignored', 'ignored'],
      )
      assert.match((await owner.ask('#general', '!search "!status"')).text, /\* bob !status/)
    })

    it('counts people, bots and agents apart', async () => {
      await house.ledger.write(db => enrol(db, 'worker-1', { network: 'irc' as never }))
      owner.guest.say('PRIVMSG #general :good morning')
      worker.guest.say('PRIVMSG #general :at work')
      await owner.guest.wait(line => line.nick === 'worker-1' && line.command === 'PRIVMSG', 'the agent')
      const { text } = await owner.ask('#general', '!stats')
      assert.match(text, /2 people/)
      assert.match(text, /1 agent\b/)
    })

    it('calls an agent that was never here registered', async () => {
      await house.ledger.write(db => enrol(db, 'worker-9', { network: 'irc' as never }))
      owner.guest.say('PRIVMSG #general :!agent list')
      const line = await owner.guest.wait(found => found.params.at(-1)?.startsWith('worker-9') === true, 'its line')
      assert.match(line.params.at(-1) ?? '', /registered/)
      assert.doesNotMatch(line.params.at(-1) ?? '', /active/)
      assert.match((await owner.ask('admin', 'agent show worker-9', 'owner')).text, /^worker-9 · worker · registered/)
    })
  })

  describe(`one nick for all bots, on ${kind}`, { skip: reason ?? false, timeout: 120_000 }, () => {
    let server: TestServer
    let house: House
    let owner: Talker

    before(async () => {
      server = await starters[kind](null, { channels: ['#general'] })
      house = new House(ends, { config: oneNick(server), env: { BUTLER: await server.account('butler') } })
      await house.run('bridge', runBridge)
      await house.run('admin', runAdmin)
      await house.run('scribe', runScribe)
      owner = await Talker.enter(server, 'owner', server.owner?.password ?? '')
      await owner.sees('butler')
      await owner.until('#general', '!version', /chanop /)
    })
    after(async () => {
      owner?.guest.leave()
      await house?.close()
      await server?.stop()
    })

    for (const said of ['butler: version', 'Butler, version', '@butler version', 'butler: !version', 'admin: version'])
      it(`hears ${said}`, async () => {
        const { by, text } = await owner.ask('#general', said)
        assert.equal(by, 'butler')
        assert.match(text, /chanop \d/)
      })
    it('hears what is said to it alone, and answers there', async () => {
      assert.match((await owner.ask('butler', 'version', 'owner')).text, /chanop \d/)
      assert.match((await owner.ask('butler', '!last 1 general', 'owner')).text, /<\w+>/)
    })
    it('leaves talk about it alone', async () => {
      const seen = owner.guest.lines.length
      owner.guest.say('PRIVMSG #general :butler version 2 is better', 'PRIVMSG #general :butler: who wants tea?')
      await owner.ask('#general', '!version')
      const answers = owner.guest.lines.slice(seen).filter(line => line.nick === 'butler')
      assert.equal(answers.length, 1, answers.map(line => line.params.at(-1)).join('\n'))
    })
  })
}
