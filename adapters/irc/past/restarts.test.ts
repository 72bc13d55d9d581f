import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { text } from '../../../core/event.ts'
import { sleep } from '../../../core/retry.ts'
import { readSettings } from '../server/settings.ts'
import { availableServers, startErgo, startInspircd, type TestServer } from '../server/testing.ts'
import { Guest, place, Trial } from '../testing/trial.ts'

const bots = ['bridge', 'admin']
/** Neither of them was ever named to the server: our bots have made them. */
const channels = ['#general', '#fresh']

for (const { kind, reason } of await availableServers()) {
  if (kind === 'ngircd') continue
  describe(`what is missed on ${kind}`, { skip: reason ?? false, timeout: 120_000 }, () => {
    let server: TestServer
    let trial: Trial
    const cursors = new Map<string, string>()
    const guests: Guest[] = []

    const start = async (): Promise<void> => {
      const config = { kind: 'irc', managed: true, channels }
      trial = await Trial.start({ config, dataDir: server.dataDir, personas: bots, cursors })
      for (const channel of channels) await trial.ready(channel)
    }
    const enter = async (): Promise<Guest> => {
      const account = { account: 'alice', password: 'pw-alice-0123456789' }
      const guest = await Guest.join({ host: server.host, port: server.port, nick: 'alice', account }, ...channels)
      guests.push(guest)
      return guest
    }
    /** A server tells to the second when it began, which is how its runs are told apart: the next one begins in another. */
    const again = async (signal: NodeJS.Signals): Promise<void> => {
      await server.kill(signal)
      await sleep(1000 - (Date.now() % 1000))
      await server.restart()
    }
    const gaps = () => trial.events.filter(event => event.kind === 'gap')
    /** Each line is said once the one before has come back. */
    const says = async (guest: Guest, channel: string, from: number, to: number): Promise<void> => {
      for (let n = from; n < to; n++) guest.say(`PRIVMSG ${channel} :line ${n}`)
      guest.say('PING :said')
      await guest.wait(line => line.command === 'PONG' && line.params.at(-1) === 'said', 'the end')
    }

    before(async () => {
      server = await (kind === 'ergo' ? startErgo : startInspircd)(null, { bots, channels: [] })
      await server.account('alice')
      await start()
    })
    after(async () => {
      for (const guest of guests) guest.leave()
      await trial?.stop()
      await server?.stop()
    })

    it('comes from the history of a channel that only the bots have made, more than 3,000 lines of it', async () => {
      const alice = await enter()
      await says(alice, '#fresh', 0, 1)
      await trial.message('line 0')
      await trial.stop()
      await says(alice, '#fresh', 1, 4_001)
      await start()
      await trial.message('line 4000', 30_000)
      const lines = trial.events.filter(event => event.kind === 'message' && event.place.channel === '#fresh')
      assert.equal(lines.length, 4_000)
      assert.deepEqual(gaps(), [])
      const bob = { account: 'bob', password: await server.account('bob') }
      const { host, port } = server
      const joined = await Guest.join({ host, port, nick: 'bob', account: bob }, '#fresh')
      guests.push(joined)
      assert.equal(joined.raw.filter(line => line.includes('line 3999')).length, 0, 'who joins is not sent it all')
    })

    it('is nothing when the server ended while we listened: no gap is named', async () => {
      await again('SIGTERM')
      for (const channel of channels) await trial.ready(channel)
      const alice = await enter()
      await says(alice, '#general', 5_000, 5_001)
      await trial.message('line 5000')
      assert.deepEqual(gaps(), [])
    })

    it('is not taken for unsent when the server has forgotten since: only what it remembers says so', async () => {
      const act = { do: 'send' as const, content: text('perhaps') }
      const before = Date.now()
      await again('SIGKILL')
      for (const channel of channels) await trial.ready(channel)
      const alice = await enter()
      await says(alice, '#general', 5_500, 5_501)
      await trial.message('line 5500')
      const remembers = (await readSettings(server.dataDir)).diskHistory && kind === 'ergo'
      const find = (madeMs: number, where = '#general') => trial.adapter.find?.(place(where), 'lost', act, madeMs)
      assert.equal(await find(before), remembers ? 'not-sent' : 'cannot-tell')
      await trial.stop()
      await start()
      assert.equal(await find(before), remembers ? 'not-sent' : 'cannot-tell')
      assert.equal(await find(Date.now() + 60_000), 'not-sent')
      await trial.ready('#general', 'admin')
      assert.equal(await find(before, '@alice/admin'), 'cannot-tell', 'private messages are in the memory alone')
      assert.equal(await find(Date.now() + 60_000, '@alice/admin'), kind === 'ergo' ? 'not-sent' : 'cannot-tell')
    })

    it('is named when the server ended while we were away', async () => {
      await trial.stop()
      const alice = guests.at(-1) as Guest
      await says(alice, '#general', 6_000, 6_001)
      await again('SIGKILL')
      await start()
      const gap = await trial.event(event => event.kind === 'gap' && event.place.channel === '#general', 'the gap')
      assert.equal(gap.kind === 'gap' && gap.fromMs > 0, true)
    })

    it('is not named of a channel that was new to us after that, when we leave it and come back', async () => {
      const { channels: acts } = trial.adapter
      await acts?.join?.(place('#new'))
      const alice = await enter()
      alice.say('JOIN #new')
      await says(alice, '#new', 7_000, 7_001)
      await trial.message('line 7000')
      await acts?.part?.(place('#new'), 'for now')
      await says(alice, '#new', 7_001, 7_002)
      await acts?.join?.(place('#new'))
      await trial.message('line 7001')
      assert.equal(
        gaps().some(gap => gap.place.channel === '#new'),
        false,
      )
    })
  })
}
