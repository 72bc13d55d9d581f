/**
 * How fast the ledger is: `node bench/ledger.ts [messages=1000000] [folder]`. Fills a file with that many messages, reads
 * the newest of a room, and then runs whole message cycles (fact, delivery, sending, sent) in batches of 100.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChannelId, MessageEvent, MessageId, NetworkId, UserId } from '../core/event.ts'
import { Ledger } from '../core/ledger/ledger.ts'
import { enqueue, newestDelivery, queuedAfter, setState, settle } from '../core/ledger/out/deliveries.ts'
import { append, messageOf, recent } from '../core/ledger/record/events.ts'

const count = Number(process.argv[2] ?? 1_000_000)
const folder = mkdtempSync(join(process.argv[3] ?? tmpdir(), 'chanop-bench-'))
const batch = 100
const cycles = Math.min(Math.max(count, 20_000), 100_000)
const places = 20

const words =
  'every message of this bench has about one hundred and fourteen characters like an ordinary line of a chat '

const message = (n: number): MessageEvent => ({
  kind: 'message',
  key: `irc:${n.toString(36)}-bench-0123456789`,
  id: `${n.toString(36)}-bench-0123456789` as MessageId,
  place: { network: 'irc' as NetworkId, channel: `#room${n % places}` as ChannelId },
  sender: { id: `user${n % 300}` as UserId, name: `user${n % 300}`, kind: 'person', verified: true },
  atMs: 1_700_000_000_000 + n,
  origin: 'live',
  content: { segments: [{ kind: 'text', text: `${words}${n}` }] },
})

const said = (name: string, value: string): void => console.log(`${name.padEnd(46)}${value}`)
const perSecond = (n: number, sinceMs: number): string =>
  `${Math.round(n / ((performance.now() - sinceMs) / 1000)).toLocaleString('en')} per second`

function percentiles(samples: number[]): string {
  samples.sort((a, b) => a - b)
  const at = (part: number): string => (samples[Math.floor(samples.length * part)] as number).toFixed(3)
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`
}

async function fill(ledger: Ledger): Promise<void> {
  const startMs = performance.now()
  for (let from = 0; from < count; from += batch) {
    const writes: Promise<unknown>[] = []
    for (let n = from; n < Math.min(from + batch, count); n++) {
      writes.push(ledger.write(db => append(db, message(n), `room${n % places}`, n)))
    }
    await Promise.all(writes)
  }
  said(`append, ${count.toLocaleString('en')} in batches of ${batch}, fsynced`, perSecond(count, startMs))
}

async function reads(ledger: Ledger): Promise<void> {
  const rooms: number[] = []
  const ids: number[] = []
  for (let n = 0; n < 2000; n++) {
    let startMs = performance.now()
    await ledger.read(db => recent(db, `room${n % places}`, 50))
    rooms.push(performance.now() - startMs)
    const wanted = message((n * 7919) % count)
    startMs = performance.now()
    await ledger.read(db => messageOf(db, wanted.place, wanted.id))
    ids.push(performance.now() - startMs)
  }
  said('newest 50 of a room', percentiles(rooms))
  said('message by its native id', percentiles(ids))
}

async function cycle(ledger: Ledger, from: number, size: number, lastId: number): Promise<number> {
  await Promise.all(
    Array.from({ length: size }, (_, i) => {
      const event = message(from + i)
      return ledger.write(db => {
        const stored = append(db, event, 'general', event.atMs)
        const place = { network: 'irc2' as NetworkId, channel: event.place.channel }
        const as = { name: event.sender.name, relayed: true as const }
        const act = { do: 'send' as const, content: event.content, as }
        enqueue(db, { place, bot: 'bridge', act, ...(stored ? { source: stored.seq } : {}) }, event.atMs)
      })
    }),
  )
  const queued = await ledger.read(db => queuedAfter(db, lastId, 1000))
  const ids = queued.map(delivery => delivery.id)
  ledger.mark(db => setState(db, ids, 'sending'))
  ledger.mark(db => {
    for (const delivery of queued) settle(db, delivery, [`n${delivery.id}` as MessageId], Date.now())
  })
  return ids.at(-1) ?? lastId
}

async function cycleRate(ledger: Ledger, size: number, total: number, from: number): Promise<void> {
  let lastId = await ledger.read(db => newestDelivery(db))
  const startMs = performance.now()
  for (let n = 0; n < total; n += size) lastId = await cycle(ledger, from + n, size, lastId)
  said(`whole message cycles, batches of ${size}`, perSecond(total, startMs))
}

const ledger = Ledger.open(join(folder, 'ledger.db'))
try {
  await fill(ledger)
  await reads(ledger)
  ledger.autoCheckpoint(16_000)
  await cycleRate(ledger, batch, cycles, count)
  await cycleRate(ledger, 1, 2000, count + cycles)
  const megabytes = (name: string): string => `${(statSync(join(folder, name)).size / 1e6).toFixed(1)} MB`
  said('file, write-ahead log', `${megabytes('ledger.db')}, ${megabytes('ledger.db-wal')}`)
} finally {
  ledger.close()
  rmSync(folder, { recursive: true, force: true })
}
