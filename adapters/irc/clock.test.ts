import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Caller } from '../../core/command/command.ts'
import { inert, stale } from '../../core/command/visit/gate.ts'
import type { GapEvent, MessageEvent } from '../../core/event.ts'
import { Clock } from './link/clock.ts'
import { FakeServer } from './testing/fake.ts'
import { Trial } from './testing/trial.ts'
import { type Line, parseLine } from './text/line.ts'

const capabilities = ['message-tags', 'server-time', 'account-tag', 'batch', 'labeled-response', 'echo-message']
const caller = { verified: true, role: 'member', agent: null } as unknown as Caller
type Context = { after(done: () => unknown): void }

async function setUp(t: Context, aheadMs: number, cursors = new Map<string, string>()) {
  const server = await FakeServer.start(t, { capabilities, aheadMs })
  const config = { kind: 'irc', host: '127.0.0.1', port: server.port, tls: false, nick: 'bridge', channels: ['#general'], flood: null, personas: false } // biome-ignore format: one line
  const trial = await Trial.start({ config, cursors })
  t.after(() => trial.stop())
  await trial.ready('#general')
  return { server, trial }
}

/** What law 4 has against a message that was taken in at once. */
const against = (event: MessageEvent, receivedMs = Date.now()): string | null =>
  inert({ event, receivedMs, seq: 1, placeId: 1, room: 'general' }, caller, receivedMs)

/** A clock that shows what can't be: what it stamps is kept by ours. */
const impossible = [1000 - Date.now(), Date.UTC(2100, 0, 1) - Date.now(), 30 * 86_400_000]

const at = (ms: number): string => new Date(ms).toISOString()

describe('a server whose clock is not ours', { timeout: 30_000 }, () => {
  for (const aheadMs of [-86_400_000, -3_600_000, -61_000, 61_000, 3_600_000, 80_000_000, 0, ...impossible]) {
    it(`${aheadMs / 1000} s ahead: what is said is live and may be a command, before and after a restart`, async t => {
      const cursors = new Map<string, string>()
      for (const words of ['!status', '!help']) {
        const { server, trial } = await setUp(t, aheadMs, cursors)
        server.tell(`@msgid=${words};account=al :al!u@h PRIVMSG #general :${words}`)
        const heard = await trial.message(words)
        assert.equal(heard.origin, 'live')
        assert.equal(against(heard), null)
        assert.equal(heard.key, `irc:${words}`)
        const keptMs = impossible.includes(aheadMs) ? 0 : aheadMs
        assert.ok(Math.abs(heard.atMs - Date.now() - keptMs) < 3_000, 'it stays as the server stamped it')
        const told = trial.adapter.status().aheadMs ?? 0
        assert.ok(Math.abs(told - aheadMs) < 1_000, `${told}`)
        await trial.stop()
      }
    })

    it(`${aheadMs / 1000} s ahead: what could not be had is named by our clock`, async t => {
      const cursors = new Map<string, string>()
      const first = await setUp(t, aheadMs, cursors)
      first.server.tell('@msgid=m1;account=al :al!u@h PRIVMSG #general :hello')
      await first.trial.message('hello')
      await first.trial.stop()
      const { trial } = await setUp(t, aheadMs, cursors)
      const gap = await trial.event((event): event is GapEvent => event.kind === 'gap', 'the gap')
      assert.ok(gap.fromMs <= gap.atMs && gap.atMs - gap.fromMs < 30_000, `${gap.fromMs} to ${gap.atMs}`)
      assert.ok(Math.abs(gap.atMs - Date.now()) < 30_000)
    })

    it(`${aheadMs / 1000} s ahead: what was said before we came is history, and what is late is late`, async t => {
      const { server, trial } = await setUp(t, aheadMs)
      const now = Date.now() + aheadMs
      server.tell(
        `@time=${at(now - 120_000)};msgid=o1 :al!u@h PRIVMSG #general :old`,
        `BATCH +p znc.in/playback #general`,
        `@batch=p;time=${at(now)};msgid=o2 :al!u@h PRIVMSG #general :replayed`,
        `BATCH -p`,
        `@time=${at(now - 40_000)};msgid=o3;account=al :al!u@h PRIVMSG #general :slow`,
      )
      assert.equal((await trial.message('old')).origin, 'backfill')
      assert.equal((await trial.message('replayed')).origin, 'backfill')
      const slow = await trial.message('slow')
      assert.equal(against(slow), null)
      assert.equal(against(slow, Date.now() + 25_000), stale)
    })
  }

  it('takes stamps that can not be true for none', async t => {
    const { server, trial } = await setUp(t, 0)
    for (const time of [at(Date.now() + 2 * 86_400_000), '1970-01-01T00:00:00.000Z', '+275760-09-13T00:00:00.000Z']) {
      server.tell(`@time=${time};msgid=x${time} :al!u@h PRIVMSG #general :at ${time}`)
      const heard = await trial.message(`at ${time}`)
      assert.equal(heard.origin, 'live')
      assert.ok(Math.abs(heard.atMs - Date.now()) < 5_000)
    }
  })

  it('that is set while we listen is measured again', () => {
    const clock = new Clock()
    const pong = (aheadMs: number): Line => parseLine(`@time=${at(Date.now() + aheadMs)} :s PONG s :x`) as Line
    const words = (aheadMs: number): Line =>
      parseLine(`@time=${at(Date.now() + aheadMs)} :al!u@h PRIVMSG #c :x`) as Line
    clock.heard(words(-90_000))
    assert.equal(clock.aheadMs, 0, 'one line of somebody may be a replay')
    clock.answered(pong(0), 10)
    clock.heard(words(-90_000))
    assert.equal(clock.aheadMs, 0, 'a late line says nothing of the clock')
    clock.answered(pong(-90_000), 10)
    assert.ok(Math.abs(clock.aheadMs + 90_000) < 100)
    clock.answered(pong(-900_000), 20_000)
    assert.ok(Math.abs(clock.aheadMs + 90_000) < 100, 'an answer that took long says nothing')
    clock.heard(words(30_000))
    assert.ok(Math.abs(clock.aheadMs - 30_000) < 100, 'no line comes before it was said')
    assert.equal(clock.due(), true)
    assert.equal(clock.due(), false)
  })
})
