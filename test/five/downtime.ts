/** For suites: what is said while somebody is away. With `CHANOP_DOWNTIME_S=600` it lasts so long; else seconds stand for minutes. */
import { strict as assert } from 'node:assert'
import { after, before, describe, it } from 'node:test'
import { usualLateMs } from '../../bots/bridge/relay/dated.ts'
import { sleep } from '../../core/retry.ts'
import { copyIn, type FiveRoom } from './room.ts'
import type { discordSide, Side, telegramSide } from './sides.ts'

const awayMs = Number(process.env['CHANOP_DOWNTIME_S'] ?? '4') * 1000
const lateMs = Math.min(usualLateMs, awayMs / 2)
const waitMs = 20_000 + awayMs / 2

/** The times of day at which something may have been said, as they are shown. */
const minutes = (fromMs: number, toMs: number): string[] =>
  [fromMs, toMs].map(ms => new Date(ms).toISOString().slice(11, 16))

const all = async (sides: readonly Side[], word: string): Promise<string[]> => {
  const fromMs = Date.now()
  for (const side of sides) await side.say(`${word} ${side.network}.`)
  return minutes(fromMs, Date.now())
}

interface Said {
  readonly words: readonly string[]
  /** When the first of them may have been said. */
  readonly at: readonly string[]
  /** They were there at once, as far as the machine let them. */
  readonly live?: true
  /** Cannot be had any more. */
  readonly lost?: string
}

/** Each has come to each other, once and in this order; the first of them shows when it was said. */
async function came(sides: readonly Side[], { words, at, live, lost }: Said): Promise<void> {
  for (const to of sides) {
    for (const from of sides.filter(each => each !== to)) {
      const wanted = words.map(word => `${word} ${from.network}.`).filter(said => said !== lost)
      await copyIn(to, ({ text }) => text.includes(wanted.at(-1) ?? ''), wanted.join(', '), waitMs)
      const texts = (await to.copies()).map(({ text }) => text)
      const found = texts.flatMap(text => wanted.filter(said => text.includes(said)))
      assert.deepEqual(found, wanted, `${from.network} → ${to.network}`)
      const first = texts.find(text => text.includes(`${words[0]} ${from.network}.`))
      const shown = /\[(?:[\d-]+ )?(\d\d:\d\d) UTC\]/.exec(first ?? '')?.[1]
      if (first !== undefined) assert.ok(shown === undefined ? live : at.includes(shown), first)
    }
  }
}

export function downtimes(room: () => FiveRoom): void {
  void describe('what is said while somebody is away', () => {
    before(() => room().restart(undefined, { lateMs }))
    after(() => room().restart())

    void it('the bridge: it comes later, in order and with its time; what Telegram has no more is named', async () => {
      const { sides } = room()
      const { server } = sides.find(({ network }) => network === 'tg') as Awaited<ReturnType<typeof telegramSide>>
      let at: string[] = []
      await room().restart(
        async () => {
          at = await all(sides, 'first')
          server.world.expire()
          await sleep(awayMs)
          await all(sides, 'second')
        },
        { lateMs },
      )
      await came(sides, { words: ['first', 'second'], at, lost: 'first tg.' })
      for (const to of sides) await copyIn(to, ({ text }) => /may be missing/.test(text), 'the gap')
      await came(sides, { words: ['back'], at: await all(sides, 'back'), live: true })
    })

    void it('the platforms: what is said on each, and what waits for each, comes once it is back', async () => {
      const { sides } = room()
      const { fake } = sides.find(({ network }) => network === 'dc') as Awaited<ReturnType<typeof discordSide>>
      // After so long no session is resumed.
      fake.gateway.forgets = true
      let at: string[] = []
      const away = sides.reduceRight<() => Promise<void>>(
        (work, each) => () => each.offline(work),
        async () => {
          at = await all(sides, 'third')
          await sleep(awayMs)
          await all(sides, 'fourth')
        },
      )
      await away()
      fake.gateway.forgets = false
      await came(sides, { words: ['third', 'fourth'], at })
      await came(sides, { words: ['again'], at: await all(sides, 'again'), live: true })
    })
  })
}
