import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ear } from '../bots/scribe/ear.ts'
import { SearchIndex } from '../bots/scribe/index/index.ts'
import { type Query, search } from '../bots/scribe/index/search.ts'
import { parseTerms } from '../bots/scribe/index/words.ts'
import { type ChannelId, type MessageEvent, type MessageId, type NetworkId, text, type UserId } from '../core/event.ts'
import { Ledger } from '../core/ledger/ledger.ts'
import { after, append, recent } from '../core/ledger/record/events.ts'
import { count, size } from '../core/text/text.ts'

/** Reproducible numbers in [0, 1): mulberry32. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const vocabulary = 20_000
const rooms = 20
const batchSize = 500

/** A message of about 100 characters; words are as unevenly common as in talk (Zipf). */
function messageOf(n: number, next: () => number): MessageEvent {
  const words = Array.from({ length: 16 }, () => `word${Math.floor(vocabulary ** next())}`)
  if (n % 10_000 === 5000) words.push(`rare${n / 10_000}`, 'seldom')
  const room = Math.floor(rooms * next() ** 2)
  return {
    kind: 'message',
    key: `irc:bench-${n}`,
    place: { network: 'irc' as NetworkId, channel: `#room${room}` as ChannelId },
    sender: { id: `user${n % 300}` as UserId, name: `user${n % 300}`, kind: 'person', verified: true },
    atMs: 1_750_000_000_000 + n * 1000,
    origin: 'live',
    id: `bench-${n}` as MessageId,
    content: text(words.join(' ')),
  }
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

async function timed(label: string, runs: number, work: (run: number) => Promise<unknown>): Promise<string> {
  const tookMs: number[] = []
  for (let run = 0; run < runs; run++) {
    const from = performance.now()
    await work(run)
    tookMs.push(performance.now() - from)
  }
  tookMs.sort((a, b) => a - b)
  return `${label.padEnd(34)} p50 ${percentile(tookMs, 0.5).toFixed(2)} ms   p99 ${percentile(tookMs, 0.99).toFixed(2)} ms`
}

async function fill(ledger: Ledger, messages: number): Promise<number> {
  const next = random(1)
  let spentMs = 0
  for (let start = 0; start < messages; start += batchSize) {
    const batch = Array.from({ length: Math.min(batchSize, messages - start) }, (_, at) => messageOf(start + at, next))
    const from = performance.now()
    await ledger.write(db => {
      for (const event of batch) append(db, event, event.place.channel.slice(1), event.atMs)
    })
    spentMs += performance.now() - from
    if (start % 50_000 === 0) ledger.checkpoint()
  }
  return (messages / spentMs) * 1000
}

async function indexAll(ledger: Ledger, index: SearchIndex): Promise<number> {
  const from = performance.now()
  for (;;) {
    const batch = await ledger.read(db => after(db, index.cursor, batchSize))
    if (batch.length === 0) break
    await ledger.read(db => index.take(db, batch))
  }
  return (index.cursor / (performance.now() - from)) * 1000
}

/** Fills a ledger and the search index, and measures both. Returns the lines of the report. */
export async function benchSearch(messages: number, folder: string): Promise<string[]> {
  const ledger = Ledger.open(join(folder, 'ledger.db'))
  const index = SearchIndex.open(join(folder, 'search.db'), new Ear({ prefix: () => '!', bots: [] }))
  const lines = [`${count(messages)} messages, ${rooms} rooms`]
  lines.push(`ledger append, batches of ${batchSize}     ${count(await fill(ledger, messages))} messages/s`)
  lines.push(`index, batches of ${batchSize}             ${count(await indexAll(ledger, index))} messages/s`)
  const all = { all: true, rooms: new Set<string>(), places: new Set<number>(), direct: null }
  const some = { ...all, all: false, rooms: new Set(['room0', 'room3', 'room7']) }
  const next = random(2)
  const find =
    (written: () => string, visible = all, more: Partial<Query> = {}) =>
    () =>
      ledger.read(db => search(index.db, db, { terms: parseTerms(written()), ...more }, visible, 20))
  const rare = () => `rare${Math.floor((next() * messages) / 10_000)}`
  const common = () => `word${1 + Math.floor(next() * 5)}`
  const medium = () => `word${100 + Math.floor(next() * 900)}`
  lines.push(await timed('search: rare word', 300, find(rare)))
  lines.push(await timed('search: common word', 300, find(common)))
  lines.push(
    await timed(
      'search: two words',
      300,
      find(() => `${medium()} ${medium()}`),
    ),
  )
  lines.push(
    await timed(
      'search: two words, 3 rooms visible',
      300,
      find(() => `${medium()} ${medium()}`, some),
    ),
  )
  lines.push(
    await timed(
      'search: phrase',
      100,
      find(() => `"${common()} ${medium()}"`),
    ),
  )
  lines.push(await timed('search: common word, none in time', 100, find(common, all, { untilMs: 1_750_000_000_000 })))
  lines.push(await timed('last 50 of a room', 300, () => ledger.read(db => recent(db, 'room3', 50))))
  for (const name of ['ledger.db', 'search.db']) {
    const sizeBytes = statSync(join(folder, name)).size
    lines.push(`${name.padEnd(34)} ${size(sizeBytes)}, ${Math.round(sizeBytes / messages)} bytes a message`)
  }
  index.close()
  ledger.close()
  return lines
}

if (import.meta.main) {
  const folder = mkdtempSync(join(tmpdir(), 'chanop-bench-'))
  try {
    for (const line of await benchSearch(Number(process.argv[2] ?? 1_000_000), folder)) console.log(line)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
