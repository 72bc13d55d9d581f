/** Many readers of the live stream beside the relay: what they get, over a death of the bridge, and what they cost it. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { digested, type ReadersOptions } from '../adapters/http/testing/readers.ts'
import { freePorts } from '../adapters/irc/server/ports.ts'
import { lastParam } from '../adapters/irc/text/line.ts'
import { Ledger } from '../core/ledger/ledger.ts'
import { after as factsAfter } from '../core/ledger/record/events.ts'
import { type Instance, killNow } from '../test/instance.ts'
import { Client } from '../test/irc.ts'
import { quantile, say, spread } from './figures.ts'
import { megabytes, usage } from './processes.ts'
import { RelayBench } from './relay.ts'
import type { Progress } from './streams.child.ts'

export interface StreamsOptions {
  readonly runs: number
  readonly readers: number
  readonly perSecond: number
}

const keys = 4
const secondsOfTalk = 10
const killAfterMs = 3000
const deadlineMs = 120_000

export async function streamsNetworks(): Promise<Record<string, string>> {
  const [port = 0] = await freePorts(1)
  return { web: `{ kind: http, listen: '127.0.0.1:${port}' }` }
}

/** Keys as people get them: asked for in chat, told in a direct message. */
async function keysOf(instance: Instance): Promise<{ url: string; keys: string[] }> {
  const made: string[] = []
  let url = ''
  const owner = new Client(await instance.owner(), { line: () => undefined, closed: () => undefined })
  await owner.login()
  for (let n = 0; n < keys; n++) {
    owner.write(`PRIVMSG admin :!key new board-${n} scope=read rate=100000`)
    const found = await owner.wait(line => / ?key=\S+ url=\S+/.test(lastParam(line)))
    const [, key = '', at = ''] = /key=(\S+) url=(\S+)/.exec(lastParam(found)) ?? []
    made.push(key)
    url = at.replace(/\/v1$/, '')
  }
  owner.close()
  return { url, keys: made }
}

const ledgerOf = <T>(instance: Instance, work: (ledger: Ledger) => T): T => {
  const ledger = Ledger.open(join(instance.data, 'ledger.db'))
  try {
    return work(ledger)
  } finally {
    ledger.close()
  }
}

const newestOf = (instance: Instance): number => ledgerOf(instance, ledger => ledger.newestSeq())

/** What each reader must have got, by what stands in the ledger. */
function expected(instance: Instance, after: number): { messages: number; digest: number } {
  const all = ledgerOf(instance, ledger => ledger.readNow(tx => factsAfter(tx, after, Number.MAX_SAFE_INTEGER)))
  const seqs = all.filter(({ room, event }) => room === 'general' && event.kind === 'message').map(({ seq }) => seq)
  return { messages: seqs.length, digest: seqs.reduce(digested, 0) }
}

async function progress(child: ChildProcess): Promise<Progress> {
  const answered = once(child, 'message', { signal: AbortSignal.timeout(deadlineMs) })
  child.send('how far')
  return (await answered)[0] as Progress
}

/** Polls until the readers are so far. */
async function readersAre(child: ChildProcess, what: string, far: (now: Progress) => boolean): Promise<Progress> {
  const endMs = performance.now() + deadlineMs
  for (;;) {
    const now = await progress(child)
    if (far(now)) return now
    if (performance.now() > endMs) throw new Error(`${what}: not within ${deadlineMs / 1000} s: ${JSON.stringify(now)}`)
    await wait(100)
  }
}

function judge(what: string, { tallies, refusals }: Progress, wanted: { messages: number; digest: number }): void {
  for (const { readers, messages, digest, disordered } of tallies) {
    const isWhole = messages === wanted.messages && digest === wanted.digest && disordered === 0
    const lacks = isWhole ? 'all in order' : `NOT the ${wanted.messages} of the record, ${disordered} out of order`
    say(`  ${what}: ${readers} readers`, `${messages} messages, ${lacks}`)
  }
  if (refusals.length > 0) say('', `refused meanwhile: ${refusals.join(', ')}`)
}

/** The bridge is killed in the middle of the talk: PM2 brings it back, and all readers go on where they were. */
async function killed(
  instance: Instance,
  bench: RelayBench,
  child: ChildProcess,
  { perSecond, readers }: StreamsOptions,
) {
  const talk = bench.paced(perSecond, perSecond * secondsOfTalk)
  await wait(killAfterMs)
  const bot = await instance.bot('bridge')
  if (!bot || !killNow(bot.pid)) throw new Error('there is no bridge to kill')
  const beganMs = performance.now()
  await readersAre(child, 'all readers to be back', ({ again }) => again === readers)
  say('  kill -9 of bridge', `all readers are back after ${((performance.now() - beganMs) / 1000).toFixed(1)} s`)
  await talk
}

export async function benchStreams(instance: Instance, options: StreamsOptions): Promise<void> {
  const { runs, readers, perSecond } = options
  const bench = await RelayBench.enter(instance)
  await bench.full(5000, 500)
  const { url, keys: made } = await keysOf(instance)
  for (let run = 1; run <= runs; run++) {
    console.log(`live stream, run ${run} of ${runs}: ${perSecond} messages a second`)
    const alone = await bench.paced(perSecond, perSecond * secondsOfTalk)
    const after = newestOf(instance)
    const begun: ReadersOptions = {
      url,
      keys: made,
      count: readers,
      path: '/v1/stream?rooms=general',
      after,
      againMs: 2000,
    }
    const child = fork(join(import.meta.dirname, 'streams.child.ts'), [JSON.stringify(begun)])
    try {
      await readersAre(child, 'all readers', ({ connected }) => connected === readers)
      const beside = await bench.paced(perSecond, perSecond * secondsOfTalk)
      const lateMs = performance.now()
      let wanted = expected(instance, after)
      judge('before the kill', await readersAre(child, 'all messages', now => now.fewest >= wanted.messages), wanted)
      say('', `the last of them ${((performance.now() - lateMs) / 1000).toFixed(1)} s after the relay's last`)
      say('  relay alone', `${spread(alone.relayedMs)}; bridge ${alone.bridgeCpuMs.toFixed(0)} ms CPU`)
      const ratio = quantile(beside.relayedMs, 0.5) / quantile(alone.relayedMs, 0.5)
      say(`  relay beside ${readers} readers`, `${spread(beside.relayedMs)}; p50 ${ratio.toFixed(2)} × of without`)
      say('', `bridge ${beside.bridgeCpuMs.toFixed(0)} ms CPU in ${secondsOfTalk} s`)
      await killed(instance, bench, child, options)
      wanted = expected(instance, after)
      judge('over the kill', await readersAre(child, 'all messages', now => now.fewest >= wanted.messages), wanted)
      const bridge = usage(instance.data).find(({ name }) => name === 'bridge')
      if (bridge) say('  bridge, memory', `${megabytes(bridge.rssBytes)} now, ${megabytes(bridge.peakBytes)} at most`)
    } finally {
      child.kill('SIGKILL')
    }
  }
}
