/** For suites: many messages at once, where each platform takes so many a second. `CHANOP_BURST=1000` says how many. */
import { strict as assert } from 'node:assert'
import { it, type TestContext } from 'node:test'
import { copyIn, type FiveRoom } from './room.ts'
import type { discordSide, Side, slackSide, telegramSide } from './sides.ts'

const count = Number(process.env['CHANOP_BURST'] ?? '60')
/** The platforms' own limits, so many times as fast: 5 in 2 s for each webhook of Discord, 1 a second in a channel of Slack, 20 a minute in a group of Telegram. */
const faster = { dc: 20, sl: 20, tg: 60 }
/** Discord's library waits 50 ms more at each window, whose real length is 2 s. */
const windowMs = { dc: 2000 / faster.dc + 50 }
const perSecond = { dc: 5000 / windowMs.dc, sl: faster.sl, tg: faster.tg / 3 }
const words = (n: number): string => `burst ${n}.`

interface Limited {
  readonly discord: Awaited<ReturnType<typeof discordSide>>
  readonly slack: Awaited<ReturnType<typeof slackSide>>
  readonly telegram: Awaited<ReturnType<typeof telegramSide>>
}

const limitedOf = (sides: readonly Side[]): Limited => {
  const named = (name: string): never => sides.find(({ network }) => network === name) as never
  return { discord: named('dc'), slack: named('sl'), telegram: named('tg') }
}

/** Each platform takes as much as it does, and no more, while `work` runs. */
async function limited({ discord, slack, telegram }: Limited, work: () => Promise<void>): Promise<void> {
  const hook = [...discord.fake.world.hooks.values()].find(each => each.channel_id === discord.channel)
  const route = `POST /webhooks/:id/${hook?.token ?? ''}`
  discord.fake.limits.set(route, { limit: 5, perMs: 2000 / faster.dc })
  slack.fake.rate = { perSecond: perSecond.sl, burst: perSecond.sl }
  const window = { most: perSecond.tg, windowMs: 1000 }
  telegram.server.limits.speeds = { chat: window, group: window, all: window }
  try {
    await work()
  } finally {
    discord.fake.limits.delete(route)
    slack.fake.rate = null
    telegram.server.limits.speeds = null
  }
}

/** How long it took until all were in a place, ms; each is there once, in order. */
async function arrival(to: Side, sinceMs: number, deadlineMs: number): Promise<number> {
  await copyIn(to, ({ text }) => text.includes(words(count - 1)), 'the last of the burst', deadlineMs)
  const tookMs = performance.now() - sinceMs
  const found = (await to.copies()).flatMap(({ text }) => /burst \d+\./.exec(text)?.[0] ?? [])
  assert.deepEqual(
    found,
    Array.from({ length: count }, (_, n) => words(n)),
    `each once and in order in ${to.network}`,
  )
  return tookMs
}

export function burst(room: () => FiveRoom): void {
  void it(`${count} messages at once come to each platform as fast as it takes them, each once and in order`, async t => {
    const { sides } = room()
    const irc = sides.find(({ network }) => network === 'irc') as Side
    await limited(limitedOf(sides), async () => {
      const sinceMs = performance.now()
      const deadlineMs = 45_000 + (count / 20) * 2_000
      const arriving = sides
        .filter(side => side !== irc)
        .map(async side => [side.network, await arrival(side, sinceMs, deadlineMs)] as const)
      for (let n = 0; n < count; n++) await irc.say(words(n))
      t.diagnostic(`said in ${seconds(performance.now() - sinceMs)}`)
      const took = new Map(await Promise.all(arriving))
      for (const [network, tookMs] of took) tell(t, network, tookMs, took.get('mx') as number)
    })
  })
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** Where there is a limit it takes as long as that, or as where there is none, and little more. */
function tell(t: TestContext, network: string, tookMs: number, unlimitedMs: number): void {
  const rate = perSecond[network as keyof typeof perSecond]
  const leastMs = rate === undefined ? null : (count / rate) * 1000
  const limits = leastMs === null ? '' : `; its limits, ${Math.round(rate)} a second here, take ${seconds(leastMs)}`
  t.diagnostic(`${network}: ${count} in ${seconds(tookMs)}${limits}`)
  if (leastMs !== null) assert.ok(tookMs < 1.5 * Math.max(leastMs, unlimitedMs) + 5000, `${network} took too long`)
}
