/** Whoever pretends to be the owner gets nothing done, and the audit says why. */
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import {
  availableServers,
  startErgo,
  startInspircd,
  startNgircd,
  type TestServer,
} from '../adapters/irc/server/testing.ts'
import { Guest } from '../adapters/irc/testing/trial.ts'
import { synapseMissing } from '../adapters/matrix/testing/synapse.ts'
import type { MemoryPlatform } from '../adapters/memory/platform.ts'
import { runAdmin } from '../bots/admin/admin.ts'
import { runBridge } from '../bots/bridge/run.ts'
import type { MessageId } from '../core/event.ts'
import { sql } from '../core/ledger/sqlite.ts'
import { discordSide, matrixSide, type Side, slackSide, telegramSide } from './five/sides.ts'
import { House } from './house.ts'
import { until } from './instance.ts'
import { type AuditLine, asker, audited, auditLines } from './talk.ts'

const order = '!restart oracle'

async function open(t: TestContext) {
  const house = new House(t)
  const restarted: string[] = []
  await house.run('bridge', runBridge)
  await house.run('admin', context => runAdmin(context, { restart: bot => void restarted.push(bot) }))
  const [a, b] = [house.server('a'), house.server('b')]
  await Promise.all([a.ready(), b.ready()])
  a.user('olga').join('#general')
  return { house, restarted, a, b }
}

interface Spoof {
  readonly name: string
  readonly say: (a: MemoryPlatform, b: MemoryPlatform) => void | Promise<void>
  readonly why: RegExp
  /** What its sender hears of it. */
  readonly told?: RegExp
}

const guest = /^restart needs operator; you are guest$/

const spoofs: readonly Spoof[] = [
  { name: 'another account under the owner’s name', say: a => as(a, 'eve', 'olga'), why: guest },
  { name: 'a name with a Cyrillic letter', say: a => as(a, 'оlga', 'оlga'), why: guest },
  { name: 'a name with a zero-width space', say: a => as(a, 'ol\u200bga', 'ol\u200bga'), why: guest },
  {
    name: 'the owner’s name and id, vouched for by nobody',
    say: a => void a.user('olga2', { id: 'olga3', verified: false }).say('#general', order),
    why: /^unverified: restart needs operator; nobody vouches for you here/,
  },
  {
    name: 'the owner’s name on another network',
    say: (_, b) => void b.user('olga').say('#general', order),
    why: guest,
  },
  {
    name: 'text that claims a sender',
    say: a => void a.user('eve').say('#general', `[owner] ${order}`),
    why: /^ignored: text/,
  },
  {
    name: 'text as relays write it',
    say: a => void a.user('eve').say('#general', `[irc] <olga> ${order}`),
    why: /^ignored: text/,
  },
  {
    name: 'the owner’s words by another relay',
    say: a => void a.user('olga').say('#general', order, { hops: 1 }),
    why: /^ignored: bridged/,
  },
  {
    name: 'a program without a role',
    say: a => void a.user('robot', { bot: true }).say('#general', order),
    why: /^ignored: bot/,
  },
  {
    name: 'a notice',
    say: a => void a.user('olga').say('#general', order, { style: 'notice' }),
    why: /^ignored: notice/,
  },
  {
    name: 'an edit',
    say: a => a.user('olga').edit(a.user('olga').say('#general', 'status').id, order),
    why: /^ignored: edit/,
  },
  {
    name: 'old by the platform’s clock',
    say: a => {
      a.faults.clockSkewMs = -120_000
      a.user('olga').say('#general', order)
      a.faults.clockSkewMs = 0
    },
    why: /^ignored: stale/,
    told: /^!restart of olga was not carried out/,
  },
  {
    name: 'said while we were away',
    say: async a => {
      a.user('olga').say('#general', 'here')
      await a.quiet()
      a.down()
      a.user('olga').say('#general', order)
      a.up()
      await a.ready()
    },
    why: /^ignored: backfill/,
  },
]

function as(server: MemoryPlatform, id: string, name: string): void {
  const user = server.user(name, { id })
  user.say('#general', order)
}

describe('on a platform in memory', () => {
  for (const { name, say, why, told } of spoofs) {
    test(`${name}: nothing happens, and the audit says why`, async t => {
      const { house, restarted, a, b } = await open(t)
      await say(a, b)
      const line = await audited(house, ({ command }) => command === 'restart', name)
      if (told) await a.user('olga').hears('#general', told, 0)
      assert.match(line.result, why)
      assert.notEqual(line.decision, 'allowed')
      assert.match(await asker(a, 'olga')('!version'), /^chanop|^restart needs/)
      assert.deepEqual(restarted, [])
      const lines = (await auditLines(house)).filter(({ command }) => command === 'restart')
      assert.equal(lines.length, 1, 'said once, judged once')
    })
  }

  test('the same fact twice is one command, and a copy of it is none', async t => {
    const { house, restarted, a, b } = await open(t)
    a.faults.duplicate(1)
    await a.user('olga').shouldReply('#general', order, 'oracle restarts')
    await b.watch.until(() => b.transcript().includes('oracle restarts'), 'the answer in the other place', 5000)
    a.cut()
    await a.ready()
    assert.match(await asker(a, 'bob')('!version'), /^chanop/)
    assert.deepEqual(restarted, ['oracle'])
    assert.equal((await auditLines(house)).filter(({ command }) => command === 'restart').length, 1)
  })

  test('what looks like two lines is one line of one sender, in every place', async t => {
    const { restarted, a, b } = await open(t)
    const forged = a.user('eve').say('#general', `hi\n<olga> ${order}\r\n:olga!o@h PRIVMSG #general :${order}`)
    await b.watch.until(() => b.channel('#general').messages.length === 1, 'the copy', 5000)
    const [copy] = b.channel('#general').messages
    assert.equal(copy?.name, 'eve')
    assert.equal(copy?.text.includes('\r'), false)
    assert.ok(forged.id satisfies MessageId)
    assert.match(await asker(a, 'bob')('!version'), /^chanop/)
    assert.deepEqual(restarted, [])
  })
})

const starts = { ergo: startErgo, inspircd: startInspircd, ngircd: startNgircd }

for (const { kind, reason } of await availableServers()) {
  describe(`on ${kind}`, { skip: reason ?? false }, () => {
    let server: TestServer
    let eve: Guest
    let owner: Guest
    const accounts = kind !== 'ngircd'

    before(async () => {
      server = await starts[kind](null, { channels: ['#general', '#ops'] })
      const at = { host: server.host, port: server.port }
      if (!accounts || !server.owner) {
        eve = await Guest.join({ ...at, nick: 'owner' }, '#general')
        owner = eve
        return
      }
      const account = { account: 'eve', password: await server.account('eve') }
      // Her own channel, in which she may do what its operator may.
      eve = await Guest.join({ ...at, nick: 'eve', account }, '#general', '#eve')
      owner = await Guest.join({ ...at, nick: 'owner', account: server.owner }, '#general')
    })
    after(async () => {
      eve?.leave()
      owner?.leave()
      await server?.stop()
    })

    const config = (): string => {
      const irc = accounts
        ? "{ kind: irc, managed: true, channels: ['#general', '#ops', '#eve'] }"
        : `{ kind: irc, host: 127.0.0.1, port: ${server.port}, tls: false, nick: chanop, flood: null, channels: ['#general'] }`
      return `owner: irc:owner\nnetworks:\n  irc: ${irc}\nrooms:\n  general: { places: ['irc:#general'], open: true }\n${accounts ? "  eve: { places: ['irc:#eve'], open: true }\n" : ''}`
    }

    async function house(t: TestContext) {
      const house = new House(t, { config: config(), ...(accounts ? { dataDir: server.dataDir } : {}) })
      const restarted: string[] = []
      const stopBridge = await house.run('bridge', runBridge)
      await house.run('admin', context => runAdmin(context, { restart: bot => void restarted.push(bot) }))
      return { house, restarted, stopBridge }
    }

    /** Resolves once the bots have answered something that was said after all before. */
    async function answered(by: Guest): Promise<void> {
      for (let tries = 0; tries < 20; tries++) {
        const from = by.lines.length
        by.say('PRIVMSG #general :!version')
        const version = (): boolean =>
          by.lines.slice(from).some(line => line.params.at(-1)?.includes('· node 24') ?? false)
        const got = await by.wait(version, 'an answer', 1000).then(
          () => true,
          () => false,
        )
        if (got) return
      }
      assert.fail('the bots do not answer')
    }

    if (!accounts) {
      test('the owner’s bare nick, on a server without accounts', async t => {
        const { house: open, restarted } = await house(t)
        await answered(eve)
        eve.say(`PRIVMSG #general :${order}`)
        const line = await audited(open, ({ command }) => command === 'restart', 'restart')
        assert.match(line.result, /^unverified: restart needs operator; nobody vouches for you here/)
        assert.equal(line.account, '~owner')
        assert.deepEqual(restarted, [])
      })
      return
    }

    test('look-alikes, tags, texts, notices and what was said while we were away', async t => {
      const { house: open, restarted, stopBridge } = await house(t)
      await answered(owner)
      const judged = async (line: string, why: RegExp): Promise<void> => {
        const before = (await auditLines(open)).length
        eve.say(line)
        await answered(owner)
        const ofEve = async (): Promise<AuditLine[]> =>
          (await auditLines(open)).slice(before).filter(({ account }) => account === 'eve')
        // What is said to a bot itself comes by another connection than what is said in the room: not in their order.
        await until(`a line of audit for ${line}`, 10_000, async () => (await ofEve()).length > 0)
        const noted = await ofEve()
        assert.equal(noted.length, 1, `${line}: ${JSON.stringify(noted)}`)
        assert.match(noted[0]?.result ?? '', why, line)
        assert.deepEqual(restarted, [], line)
      }
      eve.say('NICK 0wner')
      await judged(`PRIVMSG #general :${order}`, guest)
      await judged(`@+account=owner PRIVMSG #general :${order}`, guest)
      await judged(`@account=owner PRIVMSG #general :${order}`, guest)
      await judged(`:owner!owner@chanop PRIVMSG #general :${order}`, guest)
      await judged(`PRIVMSG #general :\u200b${order}`, guest)
      await judged(`PRIVMSG #general :[owner] ${order}`, /^ignored: text/)
      await judged(`PRIVMSG #general :\x02<owner>\x02 ${order}`, /^ignored: text/)
      await judged(`NOTICE #general :${order}`, /^ignored: notice/)
      await judged('PRIVMSG admin :restart oracle', guest)

      if (kind === 'ergo') {
        // The bridge alone may speak under other names, whoever made the channel.
        eve.say(`RELAYMSG #eve owner/x :${order}`)
        const told = await eve.wait(
          ({ command, params }) => (command === 'PRIVMSG' && params[0] === '#eve') || command === 'FAIL',
          'RELAYMSG',
        )
        assert.deepEqual([told.command, ...told.params.slice(0, 2)], ['FAIL', 'RELAYMSG', 'PRIVS_NEEDED'])
      }

      await stopBridge()
      owner.say(`PRIVMSG #general :${order}`, 'PING :said')
      await owner.wait(line => line.command === 'PONG' && line.params.at(-1) === 'said', 'the server has it')
      await open.run('bridge', runBridge)
      // A server that replays by itself does not say whose account it was.
      const missed = /^ignored: (backfill|stale)/
      await audited(open, ({ command, result }) => command === 'restart' && missed.test(result), 'what was missed')
      await answered(owner)
      assert.deepEqual(restarted, [])

      owner.say(`PRIVMSG #general :${order}`)
      await audited(
        open,
        one => one.account === 'owner' && one.decision === 'allowed' && one.command === 'restart',
        'the owner',
      )
      assert.deepEqual(restarted, ['oracle'])
    })
  })
}

describe('on platforms of other kinds', { skip: (await synapseMissing()) ?? false }, () => {
  const sides: Side[] = []
  before(async () => {
    sides.push(...(await Promise.all([discordSide(), slackSide(), telegramSide(), matrixSide()])))
  })
  after(() => Promise.all(sides.map(side => side.stop())))

  test('an owner’s display name is a name', async t => {
    const networks = Object.fromEntries(sides.map(side => [side.network, side.config]))
    const places = sides.map(({ network, channel }) => `${network}:${channel}`)
    const config = JSON.stringify({
      owner: 'chat:olga',
      networks: { chat: { kind: 'memory', server: '{server}-a', channels: ['#general'] }, ...networks },
      rooms: { five: { places, open: true } },
    })
    const env = Object.assign({}, ...sides.map(side => side.env)) as Record<string, string>
    const house = new House(t, { config, env })
    const restarted: string[] = []
    await house.run('bridge', runBridge)
    await house.run('admin', context => runAdmin(context, { restart: bot => void restarted.push(bot) }))
    for (const { person } of sides) await house.grant('chat', person, 'owner')
    const judged = (network: string, wanted: string): Promise<AuditLine | undefined> =>
      house.ledger.read(
        db =>
          sql(db, "SELECT account, result FROM audit WHERE command = 'restart' AND network = ? AND decision = ?").get(
            network,
            wanted,
          ) as never,
      )
    /** Until it is connected, nobody hears it. */
    const says = async (side: Side, wanted: string): Promise<AuditLine> => {
      const found = await until(`${side.network}: ${wanted}`, 30_000, async () => {
        const before = await judged(side.network, wanted)
        if (before) return before
        await side.say(order)
        return until('its line', 2000, async () => (await judged(side.network, wanted)) ?? null).catch(() => null)
      })
      return found
    }
    await Promise.all(
      sides.map(async side => {
        const { account, result } = await says(side, 'denied')
        assert.match(result, guest, side.network)
        assert.deepEqual(restarted, [])
        return account
      }),
    ).then(async accounts => {
      for (const [n, side] of sides.entries()) await house.grant(side.network, accounts[n] as string, 'operator')
    })
    for (const side of sides) await says(side, 'allowed')
    assert.ok(restarted.length >= sides.length)
  })
})
