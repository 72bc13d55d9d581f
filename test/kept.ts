/**
 * Channels of every origin on a managed server, while people talk in all of them and `bridge` is killed again and again:
 * `node test/kept.ts [--server inspircd] [--kills 5] [--rate 60]` (lines a second in all).
 */
import { join } from 'node:path'
import { lastParam } from '../adapters/irc/text/line.ts'
import { sleep } from '../core/retry.ts'
import { Instance, killNow, type ServerKind, until } from './instance.ts'
import { Client } from './irc.ts'
import { type Fact, type Gap, readGaps, readRecord, settled } from './kill/record.ts'
import { type Attempt, Sender } from './kill/stream.ts'
import { optionsOf } from './options.ts'

export interface KeptOptions {
  readonly server: ServerKind
  readonly kills: number
  /** Lines a second, in all channels together. */
  readonly rate: number
  readonly say: (text: string) => void
}

export interface Kept {
  readonly accepted: number
  readonly lost: readonly Attempt[]
  /** What is on record more than once. */
  readonly doubled: readonly string[]
  readonly gaps: readonly Gap[]
}

/** By what each channel comes to be; null: without a command. */
const origins: Readonly<Record<string, string | null>> = {
  '#general': null,
  '#file': null,
  '#added': '!room add added irc:#added --open',
  '#linked': '!room link file irc:#linked',
  '#joined': '!join #joined',
  '#kept': '!channel add #kept',
}
const fromFile =
  'rooms: { general: { places: ["irc:#general"], open: true }, file: { places: ["irc:#file"], open: true } }\n'
const betweenMs = 2500

export async function keptRun({ server, kills, rate, say }: KeptOptions): Promise<Kept> {
  const instance = await Instance.start({ managed: server, external: null, config: fromFile })
  const over = new AbortController()
  try {
    await open(instance, say)
    const perSecond = rate / Object.keys(origins).length
    const senders = await Promise.all(
      Object.keys(origins).map(async (channel, n) => {
        const login = await instance.account('irc', `s${n}`)
        return new Sender({ login, side: 'irc', channel, count: 1_000_000, perSecond })
      }),
    )
    const saying = Promise.all(senders.map(sender => sender.run(over.signal)))
    for (let n = 0; n < kills; n++) {
      await sleep(betweenMs)
      const bridge = await until('bridge', 30_000, () => instance.bot('bridge'))
      killNow(bridge.pid)
      await until('bridge again', 30_000, async () => {
        const now = await instance.bot('bridge')
        return now !== null && now.pid !== bridge.pid && now.state === 'ready'
      })
      say(`${n + 1} of ${kills}`)
    }
    await sleep(betweenMs)
    over.abort()
    await saying
    return await taken(instance, senders)
  } finally {
    over.abort()
    await instance.close()
  }
}

async function open(instance: Instance, say: KeptOptions['say']): Promise<void> {
  const owner = new Client(await instance.owner(), { line: () => undefined, closed: () => undefined })
  await owner.login()
  owner.write(`JOIN ${instance.channel}`)
  await owner.wait(line => line.command === '366')
  for (const [channel, command] of Object.entries(origins)) {
    if (command === null) continue
    const answer = owner.wait(line => line.nick !== 'owner' && lastParam(line).includes(channel))
    owner.write(`PRIVMSG ${instance.channel} :${command}`)
    say(`${command}: ${lastParam(await answer)}`)
  }
  owner.close()
}

/** What became of all that was said, once nothing more comes. */
async function taken(instance: Instance, senders: readonly Sender[]): Promise<Kept> {
  const path = join(instance.data, 'ledger.db')
  const accepted = senders.flatMap(({ attempts }) => attempts.filter(({ acceptedMs }) => acceptedMs !== null))
  const lostOf = (facts: readonly Fact[]): Attempt[] => {
    const known = new Set(facts.map(({ token }) => token))
    return accepted.filter(({ token }) => !known.has(token))
  }
  // The history of the last outage is taken in meanwhile.
  await settled(path, facts => lostOf(facts).length)
  const facts = readRecord(path)
  const doubled = [...Map.groupBy(facts, ({ token }) => token)].flatMap(([token, all]) =>
    all.length > 1 ? [token] : [],
  )
  return { accepted: accepted.length, lost: lostOf(facts), doubled, gaps: readGaps(path) }
}

if (import.meta.main) {
  const { server, kills, rate } = optionsOf({ server: 'inspircd', kills: 5, rate: 60 })
  const kind = server === 'ergo' ? 'ergo' : 'inspircd'
  const { accepted, lost, doubled, gaps } = await keptRun({ server: kind, kills, rate, say: text => console.log(text) })
  console.log(`${accepted} accepted, ${lost.length} lost, ${doubled.length} doubled, ${gaps.length} gaps`)
  for (const gap of gaps) console.log(`gap: ${JSON.stringify(gap)}`)
  for (const each of lost.slice(0, 10)) console.log(JSON.stringify(each))
  process.exitCode = lost.length + doubled.length > 0 ? 1 : 0
}
