/**
 * `npm stop` and `npm start` while people talk in two rooms that span two servers:
 * `node test/stop.ts [--servers inspircd,ergo] [--rounds 3] [--history disk]`.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { settingsPath } from '../adapters/irc/server/settings.ts'
import { sleep } from '../core/retry.ts'
import { Instance, type ServerKind, type Side } from './instance.ts'
import { Judge, type Verdict } from './kill/judge.ts'
import type { Blow } from './kill/killer.ts'
import { type Gap, readGaps, readRecord, settled } from './kill/record.ts'
import { type Attempt, Observer, Sender, unseen } from './kill/stream.ts'
import { optionsOf, twoServers } from './options.ts'

export interface StopOptions {
  readonly servers: readonly [ServerKind, ServerKind]
  readonly rounds: number
  /** Where a managed Ergo keeps its history. */
  readonly history: 'memory' | 'disk'
  readonly say: (text: string) => void
}

export interface Outcome {
  readonly accepted: number
  /** Each is a line that says what is wrong; none: it held. */
  readonly faults: readonly string[]
  readonly gaps: readonly Gap[]
  readonly labelled: number
}

const sides = ['irc', 'ext'] as const
const channels = ['#general', '#second']
/** Two on each side of two rooms: forty lines a second in all. */
const perSecond = 5
const talkMs = 3000

/** One room while it is talked in. */
interface Talk {
  readonly channel: string
  readonly senders: readonly Sender[]
  readonly observers: Readonly<Record<Side, Observer>>
}

export async function stopRun(options: StopOptions): Promise<Outcome> {
  const [managed, external] = options.servers
  const instance = await Instance.start({ managed, external, channels: channels.slice(1) })
  const stop = new AbortController()
  const mute = new AbortController()
  try {
    if (managed === 'ergo' && options.history === 'memory') await keepInMemory(instance)
    const talks = await Promise.all(channels.map(channel => talkIn(instance, channel)))
    await Promise.all(talks.flatMap(({ observers }) => sides.map(side => watch(observers[side], stop.signal))))
    const saying = Promise.all(talks.flatMap(({ senders }) => senders.map(sender => sender.run(mute.signal))))
    const ends = await stopAndStart(instance, options)
    mute.abort()
    await saying
    await settled(join(instance.data, 'ledger.db'), facts =>
      talks.reduce((sum, { senders, observers }) => sum + unseen(factsOf(facts, senders), observers), 0),
    )
    return await outcome(instance, talks, ends)
  } finally {
    mute.abort()
    stop.abort()
    await instance.close()
  }
}

/** What a start takes that was asked once whether the build can keep its history on disk. */
async function keepInMemory(instance: Instance): Promise<void> {
  await instance.run('stop')
  const path = settingsPath(instance.data)
  const settings = JSON.parse(await readFile(path, 'utf8')) as object
  await writeFile(path, JSON.stringify({ ...settings, diskHistory: false }))
  await instance.run('start')
}

async function talkIn(instance: Instance, channel: string): Promise<Talk> {
  const tag = channel.slice(1, 2)
  const person = async (side: Side, name: string) => ({
    login: await instance.account(side, `${name}${side}${tag}`), side, channel,
  }) // biome-ignore format: plain
  const [here, there] = [await person('irc', 'seer'), await person('ext', 'seer')]
  const senders = []
  for (const side of sides)
    for (const n of [0, 1]) senders.push(new Sender({ ...(await person(side, `s${n}`)), count: 1_000_000, perSecond }))
  return { channel, senders, observers: { irc: new Observer(here), ext: new Observer(there) } }
}

async function watch(observer: Observer, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  observer.run(signal, resolve).catch(reject)
  await promise
}

/** Resolves with when the managed server was ended. */
async function stopAndStart(instance: Instance, { rounds, say }: StopOptions): Promise<Blow[]> {
  const ends: Blow[] = []
  for (let round = 0; round < rounds; round++) {
    await sleep(talkMs)
    const printed = await instance.run('stop')
    say(printed.trim().replaceAll('\n', ' · '))
    if (printed.includes('left over')) throw new Error(`something came up again while it was ended: ${printed}`)
    ends.push({ target: 'ircd', pid: 0, atMs: Date.now() })
    await instance.run('start')
    say(`round ${round + 1} of ${rounds}`)
  }
  await sleep(talkMs)
  return ends
}

function factsOf<F extends { readonly token: string }>(facts: readonly F[], senders: readonly Sender[]): F[] {
  const names = new Set(senders.map(({ name }) => name))
  return facts.filter(({ token }) => names.has(token.slice(0, token.indexOf(':'))))
}

async function outcome(instance: Instance, talks: readonly Talk[], ends: readonly Blow[]): Promise<Outcome> {
  const path = join(instance.data, 'ledger.db')
  const [record, gaps] = [readRecord(path), readGaps(path)]
  const faults: string[] = []
  let [accepted, labelled] = [0, 0]
  for (const talk of talks) {
    const attempts = talk.senders.flatMap(sender => sender.attempts)
    const facts = factsOf(record, talk.senders)
    const own = gaps.filter(({ channel }) => channel === talk.channel)
    const judge = new Judge({
      attempts, facts, gaps: own, observers: talk.observers, blows: ends, bridgeNick: { irc: 'bridge', ext: 'relay' },
    }) // biome-ignore format: plain
    const verdict = await judge.verdict()
    accepted += verdict.accepted
    labelled += verdict.labelledFirsts + verdict.labelledRepeats
    const missing = attempts.filter(
      each => each.acceptedMs !== null && !facts.some(({ token }) => token === each.token),
    )
    faults.push(...unnamed(verdict, missing, own).map(fault => `${fault.why}\n${judge.evidence(fault.token)}`))
    faults.push(
      ...own.filter(gap => !missing.some(each => isIn(each, gap))).map(gap => `a gap that is none: ${shown(gap)}`),
    )
    for (const gap of own)
      for (const side of sides)
        if (!isSaid(gap, talk.observers[side])) faults.push(`not said on ${side}: ${shown(gap)}`)
  }
  return { accepted, labelled, faults, gaps }
}

/** All that is lost, doubled or out of order, save what a gap names. */
function unnamed(
  verdict: Verdict,
  missing: readonly Attempt[],
  gaps: readonly Gap[],
): { token: string; why: string }[] {
  const named = new Set(missing.filter(each => gaps.some(gap => isIn(each, gap))).map(({ token }) => token))
  const wrong = verdict.findings.map(({ what, token, why }) => ({ token, why: `${what}: ${token}: ${why}` }))
  const ended = verdict.diedBefore.map(token => ({
    token,
    why: `lost: ${token}: the server was ended before we heard it`,
  }))
  const unseen = verdict.diedAfter.map(token => ({
    token,
    why: `lost: ${token}: a copy that the server took and gave nobody`,
  }))
  return [...wrong, ...ended, ...unseen].filter(({ token }) => !named.has(token))
}

/** A server's clock and ours are the same here; a second is for what is on its way. */
const isIn = ({ side, sentMs, acceptedMs }: Attempt, gap: Gap): boolean =>
  gap.from === side && (acceptedMs ?? sentMs) >= gap.fromMs - 1000 && sentMs <= gap.toMs

const isSaid = ({ from, channel, reason }: Gap, { remarks }: Observer): boolean =>
  remarks.some(text => text.includes(`${from}:${channel}`) && text.includes('may be missing') && text.endsWith(reason))

const shown = ({ from, channel, fromMs, toMs, reason }: Gap): string =>
  `${from}:${channel} ${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString()}: ${reason}`

if (import.meta.main) {
  const { rounds, servers, history } = optionsOf({ rounds: 3, servers: 'inspircd,ergo', history: 'disk' })
  const found = await stopRun({
    rounds,
    servers: twoServers(servers),
    history: history === 'memory' ? 'memory' : 'disk',
    say: text => console.log(text),
  })
  console.log(
    `${found.accepted} accepted, ${found.labelled} labelled, gaps: ${found.gaps.map(shown).join('; ') || 'none'}`,
  )
  console.log(found.faults.slice(0, 20).join('\n') || 'nothing is lost, doubled or out of order, and no gap is named')
  if (found.faults.length > 0) console.log(`${found.faults.length} faults`)
  process.exitCode = found.faults.length > 0 ? 1 : 0
}
