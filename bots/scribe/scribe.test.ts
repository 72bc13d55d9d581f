import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { configSchema } from '../../config/schema.ts'
import { MemoryBus } from '../../core/bus/memory.ts'
import { Ledger } from '../../core/ledger/ledger.ts'
import { queuedAfter } from '../../core/ledger/out/deliveries.ts'
import { silentLog } from '../../core/log.ts'
import type { BotContext } from '../../core/process/bot.ts'
import { deadline, sleep } from '../../core/retry.ts'
import { Rooms } from '../../core/rooms.ts'
import { Settings } from '../../core/settings/settings.ts'
import { plain } from '../../core/text/text.ts'
import { Vault } from '../../core/vault/secrets.ts'
import { runScribe } from './scribe.ts'
import { folder, record, said } from './testing.ts'

const config = `
networks: { memory: { kind: memory } }
rooms: { general: { places: ['memory:#general'], open: true, joins: true } }
scribe: { files: { format: text, rotate: monthly, keepDays: 36500 } }
`
const rooms = { general: { places: ['memory:#general'], open: true, joins: true } }

/** The scribe as it runs, in this process. */
async function start(dataDir: string) {
  const ledger = Ledger.open(join(dataDir, 'ledger.db'))
  const file = join(dataDir, 'chanop.yaml')
  writeFileSync(file, config)
  const stop = new AbortController()
  const ready = Promise.withResolvers<void>()
  const settings = await Settings.open(file, configSchema, ledger)
  const context: BotContext<typeof configSchema> = {
    name: 'scribe',
    log: silentLog(),
    ledger,
    bus: new MemoryBus(),
    settings,
    rooms: Rooms.of(settings),
    vault: await Vault.open(join(dataDir, 'keys', 'vault.key'), ledger),
    instance: 'test',
    dataDir,
    signal: stop.signal,
    secret: async () => '',
    ready: ready.resolve,
  }
  const done = runScribe(context)
  const end = async (): Promise<void> => {
    stop.abort()
    await done
    ledger.close()
  }
  await Promise.race([ready.promise, done])
  let lastDelivery = Math.max(0, ...(await ledger.read(db => queuedAfter(db, 0, 10_000))).map(({ id }) => id))
  /** Asks, and resolves with the answer. */
  const ask = async (words: string): Promise<string> => {
    const asked = { ...said('memory:#general', 'alice', words), atMs: Date.now(), key: `test:ask:${Math.random()}` }
    await record(ledger, [asked], rooms)
    const answer = await until(async () => {
      const [first] = await ledger.read(db => queuedAfter(db, lastDelivery, 1))
      return first ?? null
    })
    lastDelivery = answer.id
    return answer.act.do === 'send' ? plain(answer.act.content) : ''
  }
  return { ledger, ask, end }
}

/** Looks until there is something, for ten seconds. */
async function until<T>(look: () => Promise<T | null>): Promise<T> {
  const limit = deadline(10_000)
  for (;;) {
    const found = await look()
    if (found !== null) return found
    if (limit.aborted) throw new Error('nothing came of it within 10 s')
    await sleep(5)
  }
}

const fresh = (words: string) => ({ ...said('memory:#general', 'bob', words), key: `test:fresh:${Math.random()}` })

test('what is said is found at once, and stands in the log file', async t => {
  const dataDir = folder(t)
  const { ledger, ask, end } = await start(dataDir)
  await record(ledger, [fresh('the cat sat')], rooms)
  assert.match(await ask('!search cat'), /^1 hit · .* <bob> the cat sat$/)
  assert.match(await ask('!last 1'), /1 hit|<bob>|<scribe>|<alice>/)
  const log = join(dataDir, 'logs', 'memory', '#general', '2026-04.log')
  await until(async () => (existsSync(log) && readFileSync(log, 'utf8').includes('<bob> the cat sat') ? true : null))
  await end()
})

test('a start goes on where the last one ended, and a restored ledger is indexed anew', async t => {
  const dataDir = folder(t)
  const first = await start(dataDir)
  await record(first.ledger, [fresh('before the restart')], rooms)
  assert.match(await first.ask('!search restart'), /^1 hit /)
  await first.end()
  const second = await start(dataDir)
  assert.match(await second.ask('!search restart'), /^1 hit /)
  await second.end()

  const restored = folder(t)
  writeFileSync(join(restored, 'search.db'), readFileSync(join(dataDir, 'search.db')))
  const third = await start(restored)
  assert.match(await third.ask('!search restart'), /^no hits/)
  await record(third.ledger, [fresh('after the restore')], rooms)
  assert.match(await third.ask('!search restore'), /^1 hit /)
  await third.end()
})

test('a damaged index is made anew while the bot runs', async t => {
  const dataDir = folder(t)
  const { ledger, ask, end } = await start(dataDir)
  await record(
    ledger,
    Array.from({ length: 300 }, (_, n) => fresh(`word${n} again`)),
    rooms,
  )
  assert.match(await ask('!search word7'), /^1 hit /)
  const file = join(dataDir, 'search.db')
  writeFileSync(file, Buffer.alloc(readFileSync(file).length, 0x5a))
  writeFileSync(`${file}-wal`, '')
  await until(async () => ((await ask('!search word7')).startsWith('1 hit') ? true : null))
  await end()
})
