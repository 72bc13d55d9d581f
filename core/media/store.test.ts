import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { NetworkId } from '../event.ts'
import { copiedAs, type MediaRow, mediaBytes, noteCopied } from '../ledger/record/media.ts'
import { temporaryFolder, temporaryLedger } from '../ledger/testing.ts'
import { sleep } from '../retry.ts'
import { type MediaLimits, MediaStore } from './store.ts'

const dayMs = 86_400_000
const never = new AbortController().signal

function open(t: TestContext, limits: Partial<MediaLimits> = {}) {
  const ledger = temporaryLedger(t)
  const folder = join(temporaryFolder(t), 'media')
  const store = new MediaStore(folder, ledger, () => ({ fileBytes: 1000, totalBytes: 3000, keepMs: dayMs, ...limits }))
  const files = async () =>
    (await readdir(folder, { recursive: true, withFileTypes: true })).filter(f => f.isFile()).map(f => f.name)
  return { ledger, folder, store, files }
}

const bytes = (length: number, fill = 1): AsyncIterable<Uint8Array> =>
  ReadableStream.from(
    Array.from({ length: Math.ceil(length / 64) }, (_, n) => new Uint8Array(Math.min(64, length - n * 64)).fill(fill)),
  )

const read = async (stream: ReadableStream<Uint8Array>): Promise<Buffer> =>
  Buffer.from(await new Response(stream).arrayBuffer())

test('a file is kept once under the SHA-256 of its bytes, and read as often as one likes', async t => {
  const { store, files } = open(t)
  const kept = await store.put(bytes(500), never)
  assert.deepEqual(kept, { hash: createHash('sha256').update(Buffer.alloc(500, 1)).digest('hex'), sizeBytes: 500 })
  assert.deepEqual(await store.put(bytes(500), never), kept)
  assert.deepEqual(await files(), [kept.hash])
  for (const _ of [1, 2]) assert.deepEqual(await read(store.open(kept.hash)), Buffer.alloc(500, 1))
  assert.deepEqual(await store.use(kept.hash), kept)
  assert.equal(await store.use('0'.repeat(64)), null)
})

test('too large, broken off or told to stop: refused, and nothing is left of it', async t => {
  const { store, files, ledger } = open(t)
  await assert.rejects(store.put(bytes(1001), never), { code: 'media-refused' })
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10)
    throw new Error('the line broke')
  }
  await assert.rejects(store.put(broken(), never), /the line broke/)
  await assert.rejects(store.put(bytes(10), AbortSignal.abort()), { name: 'AbortError' })
  assert.deepEqual(await files(), [])
  assert.equal(await ledger.read(mediaBytes), 0)
})

test('what was not used for the longest time makes room', async t => {
  const { store, files, ledger } = open(t)
  const kept: MediaRow[] = []
  for (const fill of [1, 2, 3]) {
    kept.push(await store.put(bytes(1000, fill), never))
    await ledger.write(tx => noteCopied(tx, 'n' as NetworkId, `r${fill}`, kept.at(-1) as MediaRow, fill))
  }
  const [first, second, third] = kept.map(({ hash }) => hash) as [string, string, string]
  await ledger.write(db =>
    db.prepare('UPDATE media SET used_ms = CASE hash WHEN ? THEN 30 WHEN ? THEN 10 ELSE 20 END').run(first, second),
  )
  const fourth = await store.put(bytes(900, 4), never)
  assert.deepEqual((await files()).sort(), [first, third, fourth.hash].sort())
  assert.equal(
    await ledger.read(tx => copiedAs(tx, 'n' as NetworkId, 'r2')),
    null,
    'and is copied anew when it is wanted',
  )
  assert.equal((await ledger.read(mediaBytes)) <= 3000, true)
})

test('a sweep takes what nobody used for its time, and what a crash left behind', async t => {
  const { store, files, folder } = open(t)
  const nowMs = Date.now()
  const old = await store.put(bytes(100, 1), never)
  await mkdir(join(folder, 'incoming'), { recursive: true })
  for (const [name, ageMs] of [
    ['half', 2 * 3_600_000],
    ['young', 0],
  ] as const) {
    await writeFile(join(folder, 'incoming', name), 'x')
    await utimes(join(folder, 'incoming', name), (nowMs - ageMs) / 1000, (nowMs - ageMs) / 1000)
  }
  assert.equal(await store.sweep(nowMs), 1)
  assert.deepEqual((await files()).sort(), [old.hash, 'young'].sort())
  assert.equal(await store.sweep(nowMs + dayMs + 1000), 2)
  assert.deepEqual(await files(), [])
  assert.equal(await store.use(old.hash), null)
})

test('the same bytes that come while they are dropped are there, and so is what is used then', async t => {
  const { store, ledger } = open(t)
  const { hash } = await store.put(bytes(100), never)
  const age = (): Promise<unknown> => ledger.write(db => db.prepare('UPDATE media SET used_ms = 1').run())
  await age()
  const write = ledger.write.bind(ledger)
  let putting: Promise<MediaRow> | undefined
  t.mock.method(ledger, 'write', async (...work: Parameters<typeof write>) => {
    const done = await write(...work)
    putting ??= store.put(bytes(100), never)
    // It comes first where it can.
    await Promise.race([putting, sleep(100)])
    return done
  })
  assert.equal(await store.sweep(), 1)
  await putting
  t.mock.restoreAll()
  assert.ok(await store.use(hash))
  await age()
  const read = ledger.read.bind(ledger)
  t.mock.method(ledger, 'read', async (...work: Parameters<typeof read>) => {
    const found = await read(...work)
    if (Array.isArray(found)) await store.use(hash)
    return found
  })
  assert.equal(await store.sweep(), 0)
  assert.ok(await store.use(hash))
})
