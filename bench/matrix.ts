/**
 * The Matrix adapter on a real Synapse. The floor is the homeserver alone: what one person sends until another one's /sync
 * has it. The same messages are timed until the adapter offers them to the ledger, and its own until that person has them.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { matrix } from '../adapters/matrix/index.ts'
import type { Client, Shown } from '../adapters/matrix/testing/client.ts'
import { Synapse, synapseMissing } from '../adapters/matrix/testing/synapse.ts'
import type { ChannelId, NetworkId } from '../core/event.ts'
import { text } from '../core/event.ts'
import { silentLog } from '../core/log.ts'
import { plain } from '../core/text/text.ts'
import { median, say, spread } from './figures.ts'

const perSecond = 10
const network = 'mx' as NetworkId

/** When something was seen, by its words. */
class Watch {
  readonly #seen = new Map<string, number>()
  readonly see = (words: string): void => void this.#seen.set(words, performance.now())

  async all(words: readonly string[], deadlineMs = 20_000): Promise<number[]> {
    const untilMs = performance.now() + deadlineMs
    while (words.some(each => !this.#seen.has(each))) {
      if (performance.now() > untilMs) throw new Error('some messages were never seen')
      await wait(2)
    }
    return words.map(each => this.#seen.get(each) ?? Number.NaN)
  }
}

/** Somebody's client: polls /sync as clients do. */
async function listen(client: Client, seen: (words: string) => void, signal: AbortSignal): Promise<void> {
  interface Batch {
    readonly next_batch: string
    readonly rooms?: { readonly join?: Readonly<Record<string, { readonly timeline?: { readonly events?: Shown[] } }>> }
  }
  let since = (await client.ask<Batch>('GET', 'client/v3/sync?timeout=0')).next_batch
  while (!signal.aborted) {
    const batch = await client.ask<Batch>('GET', `client/v3/sync?timeout=2000&since=${since}`)
    since = batch.next_batch
    for (const { timeline } of Object.values(batch.rooms?.join ?? {}))
      for (const { content } of timeline?.events ?? []) seen(typeof content['body'] === 'string' ? content['body'] : '')
  }
}

async function paced(words: readonly string[], send: (said: string) => Promise<unknown>): Promise<number[]> {
  const sentMs: number[] = []
  const sends: Promise<unknown>[] = []
  const beganMs = performance.now()
  for (const [n, said] of words.entries()) {
    await wait(Math.max(0, beganMs + (n * 1000) / perSecond - performance.now()))
    sentMs.push(performance.now())
    sends.push(send(said))
  }
  await Promise.all(sends)
  return sentMs
}

const latencies = (sentMs: readonly number[], seenMs: readonly number[]): number[] =>
  seenMs.map((atMs, n) => atMs - (sentMs[n] ?? Number.NaN))

export async function benchMatrix(runs: number, count = 150): Promise<void> {
  const missing = await synapseMissing()
  if (missing !== null) return say('Matrix', `left out: ${missing}`)
  const synapse = await Synapse.start(null)
  const [near, ours] = [new Watch(), new Watch()]
  const end = new AbortController()
  try {
    const [alice, bob, bot] = [
      await synapse.register('alice'),
      await synapse.register('bob'),
      await synapse.register('bot'),
    ]
    const room = await alice.room({ preset: 'public_chat' })
    for (const each of [bob, bot]) await each.join(room)
    const adapter = await matrix.create(
      matrix.schema.parse({ kind: 'matrix', homeserver: synapse.url, token: 'env:T', channels: [room] }),
      {
        network,
        log: silentLog(),
        personas: [],
        instance: 'abcdefghijkl',
        places: [],
        dataDir: '/nonexistent',
        secret: async () => bot.account.access_token,
        cursors: { newest: async () => null, get: async () => null, set: async () => undefined },
        changed: () => undefined,
      },
    )
    const running = adapter.run(async events => {
      for (const event of events) if (event.kind === 'message') ours.see(plain(event.content))
    }, end.signal)
    const listening = listen(bob, near.see, end.signal)
    while (adapter.status().state !== 'up') await wait(10)
    const place = { network, channel: room as ChannelId }
    await measure(
      { runs, count, near, ours },
      said => alice.say(room, said),
      (said, n) => adapter.send(place, { content: text(said) }, `b${n}`),
    )
    end.abort()
    await Promise.all([running, listening])
  } finally {
    end.abort()
    await synapse.stop()
  }
}

interface Measured {
  readonly runs: number
  readonly count: number
  readonly near: Watch
  readonly ours: Watch
}

async function measure(
  { runs, count, near, ours }: Measured,
  theirs: (said: string) => Promise<unknown>,
  own: (said: string, n: string) => Promise<unknown>,
): Promise<void> {
  const [floor, heard, said]: [number[], number[], number[]] = [[], [], []]
  // The first messages of a server that was started just now are slow.
  for (let run = 0; run <= runs; run++) {
    const words = Array.from({ length: run === 0 ? 20 : count }, (_, n) => `${run}.${n}`)
    const sentMs = await paced(
      words.map(each => `a${each}`),
      theirs,
    )
    const [seenMs, oursMs] = [
      await near.all(words.map(each => `a${each}`)),
      await ours.all(words.map(each => `a${each}`)),
    ]
    const ownMs = await paced(
      words.map(each => `b${each}`),
      each => own(each, each.replace('.', '-')),
    )
    const ownSeenMs = await near.all(words.map(each => `b${each}`))
    if (run === 0) continue
    floor.push(...latencies(sentMs, seenMs))
    heard.push(...latencies(sentMs, oursMs))
    said.push(...latencies(ownMs, ownSeenMs))
  }
  const times = (samples: readonly number[]): string =>
    `${spread(samples)} (${(median(samples) / median(floor)).toFixed(2)} × Synapse's own)`
  say(`Synapse's own, ${perSecond}/s: sent until seen`, spread(floor))
  say('the same, until the ledger is offered it', times(heard))
  say('said by Chanop until seen', times(said))
}
