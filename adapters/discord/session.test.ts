import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { RecordBook } from '../../core/contract/record.ts'
import { ChanopError } from '../../core/error.ts'
import { text } from '../../core/event.ts'
import { silentLog } from '../../core/log.ts'
import { discord } from './index.ts'
import { DiscordFake } from './testing/fake.ts'
import type { Channel, User } from './testing/objects.ts'
import { configFor, contextFor, network, placeAt, Trial } from './testing/trial.ts'
import { InvalidRequests } from './wire/invalid.ts'

const content = 1 << 15
const members = 1 << 1

let fake: DiscordFake
let room: Channel
let alice: User
const trials: Trial[] = []

beforeEach(async () => {
  fake = await DiscordFake.start()
  alice = fake.world.user('alice')
  fake.world.enter(alice)
  room = fake.world.channel('room')
})
afterEach(async () => {
  for (const trial of trials.splice(0)) await trial.stop()
  await fake.stop()
  assert.deepEqual(fake.faults, [])
})

async function make(more: object = {}, given: Parameters<typeof Trial.make>[2] = {}): Promise<Trial> {
  const trial = await Trial.make(fake, { channels: [room.id], ...more }, given)
  trials.push(trial)
  fake.gateway.onConnection = () => trial.book.changed()
  return trial
}
async function start(more: object = {}): Promise<Trial> {
  const trial = await make(more)
  await trial.up()
  return trial
}
const say = (content: string) => fake.world.post(room, alice, { content })
const reasonOf = (trial: Trial): string => trial.adapter.status().reason ?? ''

async function refused(trial: Trial): Promise<string> {
  const error: unknown = await trial.ended.catch((thrown: unknown) => thrown)
  assert.ok(error instanceof ChanopError && error.retry === 'never', String(error))
  assert.equal(trial.adapter.status().state, 'down')
  assert.equal(reasonOf(trial), error.message)
  return error.message
}

test('a wrong token, or none, is final and says what to do', async () => {
  assert.match(await refused(await make({}, { secret: async () => 'not.the.token' })), /refuses the token.*Reset Token/)
  assert.match(await refused(await make({}, { secret: async () => 'two words' })), /no token/)
  assert.match(
    await refused(await make({}, { secret: async () => 'xoxb-1-2' })),
    /no token of a Discord bot.*three parts/,
  )
  const missing = new ChanopError('secret-missing', 'DISCORD_TOKEN is not set')
  assert.match(await refused(await make({}, { secret: () => Promise.reject(missing) })), /not set/)
  assert.equal(fake.gateway.identifies, 0, 'no session is spent on it')
})

test('without Message Content the exact switch is named', async () => {
  fake.gateway.disallowed = content
  const trial = await make()
  const reason = await refused(trial)
  assert.match(reason, /Message Content Intent at https:\/\/discord\.com\/developers\/applications\/\d+\/bot/)
  assert.equal(fake.gateway.identifies, 2)
})

test('without Server Members it works, and says what is missing and where it is switched on', async () => {
  fake.gateway.disallowed = members
  const trial = await start()
  say('hello')
  await trial.book.hears('hello')
  assert.ok(trial.adapter.status().lacks.some(line => /Server Members Intent/.test(line)))
})

test('closed with 4004 while it runs: final; with 4000 or 4009: it goes on', async () => {
  const trial = await start()
  for (const code of [4000, 4009]) {
    fake.gateway.close(code)
    await trial.book.until(() => trial.adapter.status().state !== 'up', `down after ${code}`)
    say(`after ${code}`)
    await trial.up()
    await trial.book.hears(`after ${code}`)
  }
  fake.gateway.close(4004)
  assert.match(await refused(trial), /refuses the token/)
})

test('a token that a request is refused for, while the gateway stays: final when it is not ours any more, else nothing', async () => {
  const trial = await start()
  let times = 1
  fake.fails = (method, path) => (method === 'POST' && path.endsWith('/messages') && times-- > 0 ? 401 : null)
  await assert.rejects(trial.adapter.send(placeAt(room.id), { content: text('once') }, 'a'), {
    code: 'network-refused',
  })
  await trial.adapter.send(placeAt(room.id), { content: text('again') }, 'a')
  assert.equal(trial.adapter.status().state, 'up')
  fake.fails = () => 401
  await assert.rejects(trial.adapter.send(placeAt(room.id), { content: text('never') }, 'b'), {
    code: 'network-refused',
  })
  assert.match(await refused(trial), /refuses the token/)
})

test('told to reconnect, or that the session is invalid, nothing is lost or told twice', async () => {
  const trial = await start()
  say('one')
  await trial.book.hears('one')
  fake.gateway.opcode(7)
  await trial.book.until(() => fake.gateway.resumes === 1 && trial.adapter.status().state === 'up', 'resumed')
  say('two')
  fake.gateway.opcode(9, false)
  say('three')
  await trial.book.hears('three')
  await trial.book.until(() => fake.gateway.identifies === 2 && trial.adapter.status().state === 'up', 'a new session')
  say('four')
  await trial.book.hears('four')
  assert.deepEqual(trial.book.texts(), ['one', 'two', 'three', 'four'])
})

test('a connection that answers no heartbeat is given up, and its session resumed', async () => {
  fake.gateway.heartbeatMs = 60
  fake.gateway.silent = true
  const trial = await make()
  await trial.book.until(() => fake.gateway.resumes > 0, 'a resume')
  fake.gateway.silent = false
  await trial.up()
  say('alive')
  await trial.book.hears('alive')
})

test('an upgrade that is refused, a broken API and no sessions left are waited for', async () => {
  fake.gateway.refuses = 503
  const trial = await make()
  await trial.book.until(() => /gateway|connection|making/.test(reasonOf(trial)), 'a reason')
  fake.gateway.refuses = null
  await trial.up()
  fake.fails = () => 500
  const second = await make()
  await second.book.until(() => /500/.test(reasonOf(second)), 'the status')
  fake.fails = null
  await second.up()
  fake.gateway.remaining = 0
  const third = await make()
  await third.book.until(() => /sessions of today/.test(reasonOf(third)), 'the reason')
  assert.equal(fake.gateway.remaining, 0, 'none is opened')
})

test('put out of the server: the channel is in trouble, the network stays up; invited again it works', async () => {
  const trial = await start()
  const { adapter, book } = trial
  fake.world.kickBot()
  await book.until(() => adapter.status().troubles?.some(({ reason }) => /invite it/.test(reason)), 'the trouble')
  assert.equal(adapter.status().state, 'up')
  await assert.rejects(adapter.send(placeAt(room.id), { content: text('x') }, 'k-1'), { retry: 'never' })
  fake.world.enter(fake.world.self, [fake.world.botRole], false)
  fake.world.anything('GUILD_CREATE', fake.world.guildCreate())
  await book.until(() => (adapter.status().troubles ?? []).length === 0, 'no trouble')
  say('back')
  await book.hears('back')
})

test('a server that comes after all waiting is caught up with, the last one too', async t => {
  fake.gateway.withholds = true
  say('before')
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const trial = await make()
  await trial.book.until(() => /missed/.test(reasonOf(trial)), 'the session')
  t.mock.timers.tick(10_000)
  t.mock.timers.reset()
  await trial.up()
  fake.world.anything('GUILD_CREATE', fake.world.guildCreate())
  assert.equal((await trial.book.hears('before')).origin, 'backfill')
})

test('a channel that can not be read, or is not there, is named and holds nothing up', async () => {
  const closed = fake.world.channel('closed')
  fake.world.deny(closed, 1n << 10n)
  const trial = await start({ channels: [room.id, closed.id, '100000000000000123'] })
  const troubles = trial.adapter.status().troubles ?? []
  assert.deepEqual(troubles.map(({ channel }) => channel).toSorted(), ['100000000000000123', closed.id].toSorted())
  say('works')
  await trial.book.hears('works')
})

test('a look from outside: who we are, what is missing, which channels there are; no session is opened', async () => {
  const look = (more: object = {}) =>
    discord.probe?.(configFor(fake, more), {
      ...contextFor(new RecordBook()),
      log: silentLog(),
      network,
      signal: AbortSignal.timeout(5_000),
    })
  fake.world.deny(room, 1n << 29n)
  const found = await look({ channels: [room.id, '100000000000000123'] })
  assert.match(found?.account ?? '', /^chanop \(\d+\) in Test server$/)
  assert.deepEqual(found?.channels, [{ channel: room.id, name: '#room (Test server)', joined: true }])
  assert.ok(found?.missing.some(line => /#room.*Manage Webhooks/.test(line)))
  assert.ok(found?.missing.some(line => /100000000000000123/.test(line)))
  assert.equal(
    found?.missing.some(line => /Intent/.test(line)),
    false,
  )
  fake.flags = 0
  assert.match(
    (await look())?.missing.join('\n') ?? '',
    /Message Content Intent is off[\s\S]*Server Members Intent is off/,
  )
  fake.world.kickBot()
  assert.match(
    (await look())?.missing.join('\n') ?? '',
    /in no server: open https:\/\/discord\.com\/oauth2\/authorize\?client_id=/,
  )
  assert.equal(fake.gateway.identifies, 0)
  const wrong = contextFor(new RecordBook(), { secret: async () => 'wrong-token' })
  await assert.rejects(async () => discord.probe?.(configFor(fake), { ...wrong, signal: AbortSignal.timeout(5_000) }), {
    code: 'network-refused',
  })
})

test('long before Discord bans the address for refused requests nothing is asked any more', () => {
  let nowMs = 0
  const invalid = new InvalidRequests(() => nowMs)
  for (let n = 0; n < 9_000; n++) invalid.note(429, 'shared')
  assert.equal(invalid.waitMs(), 0, 'what is shared does not count')
  for (let n = 0; n < 5_000; n++) invalid.note(n % 2 === 0 ? 403 : 429, null)
  assert.equal(invalid.waitMs(), 600_000)
  nowMs = 599_000
  assert.equal(invalid.waitMs(), 1_000)
  nowMs = 600_000
  assert.equal(invalid.waitMs(), 0)
})
