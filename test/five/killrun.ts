/** People of five platforms talk in one room while its bridge, Redis and the connections between are broken. */
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisServer } from '../../core/bus/testing.ts'
import { connect } from '../../core/ledger/sqlite.ts'
import { sleep } from '../../core/retry.ts'
import { readRecord } from '../kill/record.ts'
import { type Blow, Breaks } from './breaks.ts'
import { BridgeProcess } from './process.ts'
import { type IrcServer, meet, openSides, roomOf } from './room.ts'
import type { Side } from './sides.ts'
import { type Case, evidence, tally, type Verdict } from './tally.ts'

export interface KillOptions {
  readonly messages: number
  readonly blows: number
  readonly everyMs: number
  readonly seed: number
  readonly irc: IrcServer
  readonly say: (text: string) => void
}

export interface Outcome {
  readonly verdict: Verdict
  readonly blows: readonly Blow[]
  readonly talkedMs: number
  /** Everything to know about each finding. */
  readonly evidence: string
}

/** The last copies may wait for a reconnect, a lookup and a limit. */
const quietMs = 30_000
const lookMs = 1000
const mostEvidence = 20

interface Stage {
  readonly sides: readonly Side[]
  readonly bridge: BridgeProcess
  readonly redis: RedisServer
  readonly ledger: string
  close(): Promise<void>
}

/** Everything but the bridge. */
async function openStage(irc: IrcServer): Promise<Stage> {
  const [redis, sides] = await Promise.all([RedisServer.open(), openSides(irc)])
  const { config, env } = roomOf(sides)
  const dataDir = await mkdtemp(join(tmpdir(), 'chanop-five-'))
  await symlink(redis.folder, join(dataDir, 'redis'))
  const bridge = new BridgeProcess({ dataDir, config: join(dataDir, 'chanop.yaml'), env })
  await writeFile(join(dataDir, 'chanop.yaml'), config)
  const close = async (): Promise<void> => {
    await bridge.kill()
    await Promise.all([redis.close(), ...sides.map(side => side.stop())])
    await rm(dataDir, { recursive: true, force: true, maxRetries: 3 })
  }
  return { sides, bridge, redis, ledger: join(dataDir, 'ledger.db'), close }
}

export async function killRun(options: KillOptions): Promise<Outcome> {
  const stage = await openStage(options.irc)
  const stop = new AbortController()
  try {
    await stage.bridge.start()
    await meet(stage.sides)
    options.say('all five are met')
    return await talkAndBreak(stage, options, stop.signal)
  } finally {
    stop.abort()
    await stage.close()
  }
}

async function talkAndBreak(stage: Stage, options: KillOptions, signal: AbortSignal): Promise<Outcome> {
  const beganMs = Date.now()
  const told = ({ what, atMs }: Blow): void =>
    options.say(`${((atMs - beganMs) / 1000).toFixed(1).padStart(7)} s  ${what}`)
  const breaks = new Breaks({ ...options, bridge: stage.bridge, redis: stage.redis, sides: stage.sides, told })
  const count = Math.ceil(options.messages / stage.sides.length)
  const perSecond = (count * 1000) / (options.blows * options.everyMs)
  const talk = stage.sides.map(async side => [side.network, await speak(side, count, perSecond)] as const)
  const [said] = await Promise.all([Promise.all(talk), breaks.run(signal)])
  const talkedMs = Date.now() - beganMs
  options.say(`all said after ${(talkedMs / 1000).toFixed(0)} s; waiting for the last copies`)
  const what = await settled(stage, { said: new Map(said), blows: breaks.blows, beganMs })
  const verdict = tally(what)
  const shown = verdict.findings
    .slice(0, mostEvidence)
    .map(({ what: kind, token, why }) => `  ${kind}: ${token}: ${why}\n${evidence(what, token)}`)
  return { verdict, blows: breaks.blows, talkedMs, evidence: shown.join('\n') }
}

/** Says numbered messages, each once the one before is accepted. Resolves with their tokens. */
async function speak(side: Side, count: number, perSecond: number): Promise<string[]> {
  const tokens: string[] = []
  const beganMs = performance.now()
  for (let n = 0; n < count; n++) {
    await sleep(Math.max(0, beganMs + (n * 1000) / perSecond - performance.now()))
    const token = `${side.network}:${n}.0`
    await side.say(`the quick brown fox of this room k:${token}`)
    tokens.push(token)
  }
  return tokens
}

/** Resolves once nothing is missing, or nothing has moved for a while. Looks seldom: the servers live in this process. */
async function settled({ sides, ledger }: Stage, run: Pick<Case, 'said' | 'blows' | 'beganMs'>): Promise<Case> {
  const spoken = [...run.said.values()].reduce((sum, { length }) => sum + length, 0)
  for (let state = '', movedMs = performance.now(); ; ) {
    const now = progress(ledger)
    const over = performance.now() - movedMs > quietMs
    if (over || (now.open === 0 && now.messages >= spoken)) {
      const texts = sides.map(async side => [side.network, (await side.copies()).map(({ text }) => text)] as const)
      const shown = new Map(await Promise.all(texts))
      const what: Case = { ...run, facts: readRecord<string>(ledger), shown }
      if (over || !tally(what).findings.some(finding => finding.what === 'lost')) return what
    }
    const seen = JSON.stringify(now)
    if (seen !== state) movedMs = performance.now()
    state = seen
    await sleep(lookMs)
  }
}

function progress(path: string): { readonly messages: number; readonly open: number } {
  const db = connect(path, { readonly: true })
  try {
    const count = (query: string): number => Number(db.prepare(query).pluck().get())
    return {
      messages: count("SELECT count(*) FROM event WHERE kind = 'message'"),
      open: count('SELECT count(*) FROM delivery WHERE state < 10'),
    }
  } finally {
    db.close()
  }
}
