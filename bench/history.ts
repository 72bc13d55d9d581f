/** What the history that InspIRCd keeps costs: its memory, the replay that our own connection takes, a person's JOIN. */
import { setTimeout as wait } from 'node:timers/promises'
import { history } from '../adapters/irc/server/settings.ts'
import { startInspircd } from '../adapters/irc/server/testing.ts'
import { Guest, Trial } from '../adapters/irc/testing/trial.ts'
import { say, whole } from './figures.ts'
import { megabytes, usage } from './processes.ts'

const channel = '#general'
const words = 'a line as people say it, of some eighty letters, so that its size is a usual one'

interface Closing {
  after(done: () => Promise<void>): void
}

export async function benchHistory(): Promise<void> {
  const ends: (() => unknown)[] = []
  const closing: Closing = { after: done => ends.push(done) }
  const server = await startInspircd(closing, { bots: ['bridge'], channels: [] })
  try {
    await measure(server, ends)
  } finally {
    for (const end of ends.toReversed()) await end()
  }
}

async function measure(server: Awaited<ReturnType<typeof startInspircd>>, ends: (() => unknown)[]): Promise<void> {
  const rss = (): number => usage(server.dataDir).find(({ name }) => name === 'inspircd')?.rssBytes ?? Number.NaN
  const cursors = new Map<string, string>()
  const config = { kind: 'irc', managed: true, channels: [channel] }
  const start = (): Promise<Trial> => Trial.start({ config, dataDir: server.dataDir, personas: ['bridge'], cursors })
  const first = await start()
  await first.ready(channel)
  await first.stop()
  const enter = async (name: string): Promise<Guest> => {
    const account = { account: name, password: await server.account(name) }
    const guest = await Guest.join({ host: server.host, port: server.port, nick: name, account })
    ends.push(() => guest.leave())
    return guest
  }
  const alice = await enter('alice')
  const pong = (guest: Guest, mark: string): Promise<unknown> => {
    guest.say(`PING :${mark}`)
    return guest.wait(line => line.command === 'PONG' && line.params.at(-1) === mark, mark)
  }
  alice.say(`JOIN ${channel}`)
  await pong(alice, 'in')
  const emptyBytes = rss()
  const { inspircdLines: lines } = history
  for (let n = 0; n < lines; n += 1000) {
    for (let at = n; at < n + 1000; at++) alice.say(`PRIVMSG ${channel} :${at} ${words}`)
    await pong(alice, `said ${n}`)
  }
  const fullBytes = rss()
  const perLine = (fullBytes - emptyBytes) / lines
  say(
    `InspIRCd with ${whole(lines)} lines of 85 letters`,
    `${megabytes(fullBytes - emptyBytes)} more (${whole(perLine)} bytes a line)`,
  )

  const sinceMs = performance.now()
  const again = await start()
  ends.push(() => again.stop())
  await again.message(`${lines - 1} ${words}`, 60_000)
  say('our connection: from start to the last of them', `${whole(performance.now() - sinceMs)} ms`)

  const bob = await enter('bob')
  await wait(200)
  const joinMs = performance.now()
  bob.say(`JOIN ${channel}`)
  await pong(bob, 'joined')
  say('a person: JOIN, sent nothing', `${(performance.now() - joinMs).toFixed(1)} ms`)
  bob.say(`PART ${channel}`, 'MODE bob -N')
  await pong(bob, 'parted')
  const allMs = performance.now()
  bob.say(`JOIN ${channel}`)
  await pong(bob, 'all')
  say('a person who wants all of it (/mode -N)', `${whole(performance.now() - allMs)} ms`)
}
