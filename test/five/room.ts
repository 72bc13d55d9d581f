/** For suites: one room over all five platforms, with a bridge at work. */
import type { BridgeOptions } from '../../bots/bridge/bridge.ts'
import { runBridge } from '../../bots/bridge/run.ts'
import { deadline, sleep } from '../../core/retry.ts'
import { House } from '../house.ts'
import { type Copy, discordSide, ircSide, matrixSide, type Side, slackSide, telegramSide } from './sides.ts'

export interface FiveRoom {
  readonly house: House
  readonly sides: readonly Side[]
  /** Stops the bridge and starts it again on the same ledger; `away` happens between. */
  restart(away?: () => Promise<void>, options?: BridgeOptions): Promise<void>
  close(): Promise<void>
}

/** A copy in a place that fits, as it is now; waits for it. */
export async function copyIn(
  side: Side,
  fits: (copy: Copy) => boolean,
  what: string,
  deadlineMs = 45_000,
): Promise<Copy> {
  const end = deadline(deadlineMs)
  // Whoever waits long asks less often: looking costs the homeserver as much as a message.
  for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 1.2, 500)) {
    const copies = await side.copies()
    const found = copies.find(fits)
    if (found) return found
    if (end.aborted)
      throw new Error(
        `did not come to ${side.network} in ${deadlineMs} ms: ${what}\n${JSON.stringify(copies.slice(-4).map(({ files, ...copy }) => ({ ...copy, files: files.length })))}`,
      )
    await sleep(pauseMs, end)
  }
}

/** Resolves once something said on each side has come to all others: everything is connected. */
export async function meet(sides: readonly Side[]): Promise<void> {
  for (const side of sides) {
    const words = `hello from ${side.network}`
    const end = deadline(30_000)
    for (;;) {
      await side.say(words)
      const others = sides.filter(other => other !== side)
      const came = await Promise.all(
        others.map(other =>
          copyIn(other, ({ text }) => text.includes(words), words, 2000).then(
            () => true,
            () => false,
          ),
        ),
      )
      if (came.every(Boolean)) break
      if (end.aborted)
        throw new Error(`${words}: ${others.map(({ network }, at) => `${network} ${came[at]}`).join(', ')}`)
    }
  }
}

export type IrcServer = 'ergo' | 'inspircd'

export const openSides = (irc: IrcServer) =>
  Promise.all([ircSide(irc), discordSide(), slackSide(), telegramSide(), matrixSide()])

/** The whole configuration, as JSON (which is YAML), and the tokens that it names. */
export function roomOf(sides: readonly Pick<Side, 'network' | 'channel' | 'config' | 'env'>[]): {
  readonly config: string
  readonly env: Readonly<Record<string, string>>
} {
  const networks = Object.fromEntries(sides.map(({ network, config }) => [network, config]))
  const places = sides.map(({ network, channel }) => `${network}:${channel}`)
  const config = JSON.stringify({ owner: 'irc:ivy', networks, rooms: { five: { places, open: true } } })
  return { config, env: Object.assign({}, ...sides.map(side => side.env)) as Record<string, string> }
}

export async function openFive(irc: IrcServer = 'inspircd'): Promise<FiveRoom> {
  const sides: readonly Side[] = await openSides(irc)
  const { config, env } = roomOf(sides)
  const house = new House({ after: () => undefined }, { config, env })
  const run = (options: BridgeOptions): Promise<() => Promise<void>> =>
    house.run('bridge', context => runBridge(context, options))
  let stop = await run({})
  const restart = async (away?: () => Promise<void>, options: BridgeOptions = {}): Promise<void> => {
    await stop()
    await away?.()
    stop = await run(options)
  }
  const close = async (): Promise<void> => {
    await house.close()
    await Promise.all(sides.map(side => side.stop()))
  }
  try {
    await meet(sides)
  } catch (error) {
    await close()
    throw error
  }
  return { house, sides, restart, close }
}
