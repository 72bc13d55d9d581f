/** Random strings from each side through the whole bridge: nothing breaks, nobody is forged, everything is recorded. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { availableServers, startErgo, startInspircd } from '../adapters/irc/server/testing.ts'
import { Guest } from '../adapters/irc/testing/trial.ts'
import type { MemoryPlatform } from '../adapters/memory/platform.ts'
import { runAdmin } from '../bots/admin/admin.ts'
import { runBridge } from '../bots/bridge/run.ts'
import { settled, until } from '../bots/bridge/testing.ts'
import { randomText, seeded, seedOf } from '../core/contract/random.ts'
import { states } from '../core/ledger/out/deliveries.ts'
import { sql } from '../core/ledger/sqlite.ts'
import { safeName } from '../core/text/text.ts'
import { House } from './house.ts'

/** `CHANOP_FUZZ=10000` says how many: twenty seconds for each thousand. */
const rounds = Number(process.env['CHANOP_FUZZ'] ?? '2000')
const batch = 250
const seed = seedOf()
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g
const clean = (text: string): string => text.toWellFormed().replace(/\r\n?/g, '\n').replace(controls, '')

async function open(t: TestContext, options: { config?: string; dataDir?: string } = {}) {
  const house = new House(t, options)
  const restarted: string[] = []
  await house.run('bridge', runBridge)
  await house.run('admin', context => runAdmin(context, { restart: bot => void restarted.push(bot) }))
  return { house, restarted }
}

/** What became of all that was said: how many facts by these people, and deliveries that are not out. */
const counted = (house: House, network: string) =>
  house.ledger.read(db => {
    const one = (text: string, ...args: unknown[]): number => Number(sql(db, text).get(...args)?.['n'])
    const from =
      "FROM event e JOIN place p ON p.id = e.place WHERE p.network = ? AND e.kind = 'message' AND e.flags & 4 = 0"
    return {
      facts: one(`SELECT count(*) AS n ${from}`, network),
      left: one(`SELECT count(*) AS n FROM delivery WHERE state <> ${states.sent} AND state <> ${states.cancelled}`),
    }
  })

/** One of five people, whose names are as random as their words. */
function speak(server: MemoryPlatform, random: () => number, said: string[]): void {
  const user = server.user(`p${Math.floor(random() * 5)}`)
  // No word of the texts: who is called by name is shown as a mention.
  if (random() < 0.02) user.rename(`${randomText(random, 4, true)}_`)
  const words = randomText(random, 10, true)
  user.say('#general', words)
  said.push(`${safeName(user.name)}: ${clean(words)}`)
}

const ours = (server: MemoryPlatform) =>
  server.channel('#general').messages.filter(({ by, relayed }) => by === 'chanop' && relayed)

describe(`fuzz (CHANOP_SEED=${seed})`, () => {
  test(`${rounds} strings from each of two platforms`, async t => {
    const random = seeded(seed)
    const config = `
networks:
  chat: { kind: memory, server: '{server}-a', channels: ['#general'] }
  other: { kind: memory, server: '{server}-b', channels: ['#general'] }
rooms:
  general: { places: ['chat:#general', 'other:#general'], open: true, names: never, everyone: true }
`
    const { house, restarted } = await open(t, { config })
    const [a, b] = [house.server('a'), house.server('b')]
    await Promise.all([a.ready(), b.ready()])
    const saidA: string[] = []
    const saidB: string[] = []
    for (let n = 0; n < rounds; n += batch) {
      for (let one = 0; one < batch; one++) {
        speak(a, random, saidA)
        speak(b, random, saidB)
      }
      await until(() => ours(a).length === saidB.length && ours(b).length === saidA.length, `round ${n}`, 20_000)
    }
    await settled(house)
    // Names that deceive are marked with where they are from.
    const bare = (name: string): string => name.replace(/ \[(?:chat|other)(?:, [a-z -]+)?\]$/, '')
    const shown = (server: MemoryPlatform): string[] => ours(server).map(({ name, text }) => `${bare(name)}: ${text}`)
    assert.deepEqual(shown(b), saidA)
    assert.deepEqual(shown(a), saidB)
    assert.deepEqual(await counted(house, 'chat'), { facts: rounds, left: 0 })
    assert.deepEqual(await counted(house, 'other'), { facts: rounds, left: 0 })
    assert.deepEqual(restarted, [])
  })

  const starts = { ergo: startErgo, inspircd: startInspircd }
  test(`${rounds} strings to and from a real IRC server`, async t => {
    const found = (await availableServers()).find(({ kind, reason }) => kind !== 'ngircd' && reason === null)
    if (!found) return t.skip('no IRC server here')
    const server = await starts[found.kind as 'ergo' | 'inspircd'](t, { channels: ['#general'] })
    const random = seeded(seed)
    const config = `
owner: irc:owner
networks:
  irc: { kind: irc, managed: true, channels: ['#general'] }
  memory: { kind: memory, server: '{server}-a', channels: ['#general'] }
rooms:
  general: { places: ['irc:#general', 'memory:#general'], open: true }
`
    const { house, restarted } = await open(t, { config, dataDir: server.dataDir })
    const a = house.server('a')
    await a.ready()
    const account = { account: 'eve', password: await server.account('eve') }
    const eve = await Guest.join({ host: server.host, port: server.port, nick: 'eve', account }, '#general')
    t.after(() => eve.leave())
    await until(
      () => {
        eve.say('PRIVMSG #general :begin')
        return ours(a).length > 0
      },
      'the bridge in the channel',
      20_000,
    )
    const begun = ours(a).length

    let sent = 0
    while (sent < rounds) {
      for (let one = 0; one < batch; one++) {
        const words = randomText(random, 10, true)
          .replace(/[\0\r\n]/g, ' ')
          .toWellFormed()
          .slice(0, 200)
        eve.say(`PRIVMSG #general :${words}`)
        sent++
        const said: string[] = []
        speak(a, random, said)
      }
      eve.say(`PRIVMSG #general :mark ${sent}`)
      await until(() => ours(a).some(({ text }) => text === `mark ${sent}`), `mark ${sent}`, 30_000)
    }
    a.user('p0').say('#general', 'the very last')
    await eve.wait(line => line.params.at(-1)?.includes('the very last') ?? false, 'the last line', 60_000)
    await settled(house)

    assert.ok(ours(a).length >= begun, 'empty lines are dropped by the server')
    for (const { name } of ours(a)) assert.equal(name, 'eve')
    const bots = new Set(['bridge', 'admin', 'oracle', 'scribe'])
    for (const line of eve.lines) {
      if (line.command !== 'PRIVMSG' || line.params[0] !== '#general' || line.nick === 'eve') continue
      assert.ok(bots.has(line.nick) || line.nick.includes('/'), `${line.nick} said: ${line.params.at(-1)}`)
      if (line.nick === 'bridge') assert.match(line.params.at(-1) ?? '', /^(<[^<>]+>|\* )/u)
    }
    const { facts, left } = await counted(house, 'memory')
    assert.deepEqual({ facts, left }, { facts: rounds + 1, left: 0 })
    assert.deepEqual(restarted, [])
  })
})
