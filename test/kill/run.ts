/** One run: a whole instance, people who talk on both sides, kills, and the verdict. */
import { join } from 'node:path'
import { Instance, type ServerKind, type Side } from '../instance.ts'
import { Judge, type Verdict } from './judge.ts'
import { type Blow, Killer } from './killer.ts'
import { readGaps, readRecord, settled } from './record.ts'
import { Observer, Sender, unseen } from './stream.ts'

export interface RunOptions {
  readonly messages: number
  readonly kills: number
  readonly seed: number
  /** The managed server and the one beside it. */
  readonly servers: readonly [ServerKind, ServerKind]
  /** Between two kills, on average. */
  readonly everyMs: number
  readonly say: (text: string) => void
}

export interface Outcome {
  readonly verdict: Verdict
  readonly blows: readonly Blow[]
  readonly tookMs: number
  /** Everything to know about each finding. */
  readonly evidence: string
  readonly noHistory: readonly string[]
}

const sides = ['irc', 'ext'] as const
const sendersPerSide = 2
const mostEvidence = 20

export async function killRun(options: RunOptions): Promise<Outcome> {
  const instance = await Instance.start({ managed: options.servers[0], external: options.servers[1] })
  const stop = new AbortController()
  try {
    return await talkAndKill(instance, options, stop)
  } finally {
    stop.abort()
    await instance.close()
  }
}

async function talkAndKill(instance: Instance, options: RunOptions, stop: AbortController): Promise<Outcome> {
  const observers = { irc: await observerOf(instance, 'irc'), ext: await observerOf(instance, 'ext') }
  await Promise.all(sides.map(side => watch(observers[side], stop.signal, options)))
  const senders = await sendersOf(instance, options)
  const beganMs = performance.now()
  const killer = new Killer({ instance, ...options, told: blow => options.say(shown(blow, beganMs)) })
  const talk = Promise.all(senders.map(sender => sender.run(stop.signal)))
  await Promise.all([talk, killer.run(stop.signal)])
  const tookMs = performance.now() - beganMs
  const attempts = senders.flatMap(sender => sender.attempts)
  options.say(`all said after ${(tookMs / 1000).toFixed(0)} s; waiting for the last copies`)
  const path = join(instance.data, 'ledger.db')
  await settled(path, facts => unseen(facts, observers))
  const judge = new Judge({
    attempts, observers, facts: readRecord(path), gaps: readGaps(path), blows: killer.blows, bridgeNick: { irc: 'bridge', ext: 'relay' },
  }) // biome-ignore format: plain
  const verdict = await judge.verdict()
  const evidence = verdict.findings.slice(0, mostEvidence).map(({ what, token, why, other }) => {
    const more = other === undefined ? '' : `\n${judge.evidence(other)}`
    return `  ${what}: ${token}: ${why}\n${judge.evidence(token)}${more}`
  })
  const noHistory = sides.filter(side => !observers[side].keepsHistory).map(side => serverName(options, side))
  return { verdict, blows: killer.blows, tookMs, evidence: evidence.join('\n'), noHistory }
}

const serverName = ({ servers }: RunOptions, side: Side): string =>
  side === 'irc' ? `${servers[0]} (managed)` : `${servers[1]} (external)`

const shown = ({ target, atMs, pid }: Blow, beganMs: number): string =>
  `${((performance.now() - beganMs) / 1000).toFixed(1).padStart(6)} s  ${target}${pid ? ` (${pid})` : ''}  ${new Date(atMs).toISOString()}`

/** Resolves once the observer is in the channel; it stays until the signal aborts. */
async function watch(observer: Observer, signal: AbortSignal, { say }: RunOptions): Promise<void> {
  const entered = Promise.withResolvers<void>()
  observer.run(signal, entered.resolve).catch((error: unknown) => say(`observer on ${observer.side}: ${String(error)}`))
  await entered.promise
}

async function observerOf(instance: Instance, side: Side): Promise<Observer> {
  return new Observer({ login: await instance.account(side, `seer${side}`), side, channel: instance.channel })
}

async function sendersOf(instance: Instance, { messages, kills, everyMs }: RunOptions): Promise<Sender[]> {
  const all = sides.flatMap(side => Array.from({ length: sendersPerSide }, (_, n) => ({ side, name: `s${side}${n}` })))
  const count = Math.ceil(messages / all.length)
  const perSecond = count / ((kills * everyMs) / 1000)
  return Promise.all(
    all.map(async ({ side, name }) => {
      const login = await instance.account(side, name)
      return new Sender({ login, side, channel: instance.channel, count, perSecond })
    }),
  )
}
