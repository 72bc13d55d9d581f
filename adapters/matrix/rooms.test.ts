import { strict as assert } from 'node:assert'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import type { Adapter } from '../../core/adapter.ts'
import type { ChanopError } from '../../core/error.ts'
import type { NetworkId, UserId } from '../../core/event.ts'
import { silentLog } from '../../core/log.ts'
import { deadline } from '../../core/retry.ts'
import { matrixSchema } from './config.ts'
import { probe } from './probe.ts'
import type { Client } from './testing/client.ts'
import { eventually } from './testing/eventually.ts'
import { Synapse, synapseMissing } from './testing/synapse.ts'
import { placeOf, say, Trial, type TrialOptions } from './testing/trial.ts'

const missing = await synapseMissing()

const trouble = (adapter: Adapter, channel: string): string | undefined =>
  adapter.status().troubles?.find(each => each.channel === channel)?.reason

describe('rooms of Matrix', { skip: missing ?? false }, () => {
  let synapse: Synapse
  let alice: Client
  let aliases = 0

  before(async () => {
    synapse = await Synapse.start(null)
    alice = await synapse.register('alice')
  })
  after(() => synapse?.stop())

  const open = (t: TestContext, options: Partial<TrialOptions> = {}) => Trial.open(t, synapse, { alice, ...options })

  test('a room named by its alias is entered, and its channel is the alias', async t => {
    const local = `lounge${aliases++}`
    await alice.room({ preset: 'public_chat', room_alias_name: local })
    const alias = `#${local}:test.local`
    const trial = await open(t, { in: alias })
    const { adapter } = await trial.start()
    assert.deepEqual(adapter.status().troubles, undefined)
    assert.match(adapter.status().server ?? '', /^Synapse 1\.\d+\.\d+ \(@robot\d+:test\.local\)$/)
    const room = await alice.ask<{ room_id: string }>('GET', `client/v3/directory/room/${encodeURIComponent(alias)}`)
    await alice.say(room.room_id, 'welcome')
    assert.equal((await trial.book.hears('welcome')).place.channel, alias)
    await adapter.send(placeOf(alias), say('thanks'), 'a-1')
    assert.ok((await alice.timeline(room.room_id)).some(({ content }) => content['body'] === 'thanks'))
  })

  for (const named of ['alias', 'id'] as const) {
    test(`a room that is upgraded stays the place that it was (by its ${named})`, async t => {
      const local = `old${aliases++}`
      const room = await alice.room({ preset: 'private_chat', room_alias_name: local })
      const channel = named === 'id' ? room : `#${local}:test.local`
      const trial = await open(t, { in: channel })
      await alice.invite(room, trial.bot.id)
      const first = await trial.start()
      await alice.say(room, 'in the old one')
      await trial.book.hears('in the old one')
      const { replacement_room: next } = await alice.ask<{ replacement_room: string }>(
        'POST',
        `client/v3/rooms/${encodeURIComponent(room)}/upgrade`,
        { new_version: '12' },
      )
      await trial.book.until(() => trouble(first.adapter, channel)?.includes(next), 'the upgrade to be named')
      await alice.invite(next, trial.bot.id)
      await eventually(async () => (await alice.members(next)).includes(trial.bot.id), 'our account in the new room')
      await trial.book.until(() => trouble(first.adapter, channel) === undefined, 'the trouble to end')
      await alice.say(next, 'in the new one')
      assert.equal((await trial.book.hears('in the new one')).place.channel, channel)
      await first.adapter.send(placeOf(channel), say('ours'), `up-${named}`)
      assert.ok((await alice.timeline(next)).some(({ content }) => content['body'] === 'ours'))
      await first.stop()
      const second = await trial.start()
      await alice.say(next, 'after the restart')
      assert.equal((await trial.book.hears('after the restart')).place.channel, channel)
      await second.adapter.send(placeOf(channel), say('ours again'), `up2-${named}`)
      assert.ok((await alice.timeline(next)).some(({ content }) => content['body'] === 'ours again'))
      assert.equal(trial.book.facts.filter(({ kind }) => kind === 'gap').length, 0)
    })
  }

  test('invitations are followed as the configuration says', async t => {
    const mallory = await synapse.register(`mallory${aliases++}`)
    const trial = await open(t, { config: { invites: [alice.id] } })
    const { adapter } = await trial.start()
    const unwanted = await mallory.room({ invite: [trial.bot.id] })
    await trial.book.until(() => trouble(adapter, unwanted)?.includes(`add ${mallory.id} to invites`), 'the refusal')
    const wanted = await alice.room({ invite: [trial.bot.id], name: 'Project' })
    await eventually(async () => (await alice.members(wanted)).includes(trial.bot.id), 'our account in the room')
    assert.deepEqual(await mallory.members(unwanted), [mallory.id])
  })

  test('a room that we may not enter is named, and entered once somebody invites us', async t => {
    const room = await alice.room()
    const trial = await open(t, { in: room })
    const { adapter } = await trial.begin()
    const reason = await trial.book.until(() => trouble(adapter, room), 'the trouble')
    assert.match(reason, /invite us there/)
    await assert.rejects(adapter.send(placeOf(room), say('x'), 'no-1'), { code: 'send-refused' })
    await alice.invite(room, trial.bot.id)
    await trial.book.until(() => trouble(adapter, room) === undefined, 'the trouble to end')
    await adapter.send(placeOf(room), say('here now'), 'no-2')
  })

  test('who is put out says so, and reads after an invitation what was missed', async t => {
    const trial = await open(t)
    const { adapter } = await trial.start()
    const at = `client/v3/rooms/${encodeURIComponent(trial.room)}`
    await alice.say(trial.room, 'before')
    await trial.book.hears('before')
    await alice.ask('POST', `${at}/kick`, { user_id: trial.bot.id, reason: 'noise' })
    const reason = await trial.book.until(() => trouble(adapter, trial.room), 'the trouble')
    assert.match(reason, /alice put us out \(noise\): invite us again/)
    await assert.rejects(adapter.send(trial.place, say('x'), 'out-1'), { code: 'send-refused' })
    await alice.say(trial.room, 'meanwhile')
    await alice.invite(trial.room, trial.bot.id)
    await trial.book.until(() => trouble(adapter, trial.room) === undefined, 'the trouble to end')
    await alice.say(trial.room, 'again')
    await trial.book.hears('again')
    assert.deepEqual(trial.book.texts(), ['before', 'meanwhile', 'again'])
  })

  test('what was said before we were put out, while we were away, is there', async t => {
    const trial = await open(t)
    const { stop } = await trial.start()
    await alice.say(trial.room, 'before')
    await trial.book.hears('before')
    await stop()
    await alice.say(trial.room, 'while away')
    await alice.ask('POST', `client/v3/rooms/${encodeURIComponent(trial.room)}/kick`, { user_id: trial.bot.id })
    const { adapter } = await trial.begin()
    assert.equal((await trial.book.hears('while away')).origin, 'backfill')
    await trial.book.until(() => trouble(adapter, trial.room)?.includes('put us out'), 'the trouble')
    assert.deepEqual(trial.book.texts(), ['before', 'while away'])
  })

  test('who may not speak is told so by the room’s own words', async t => {
    const trial = await open(t, { room: { power_level_content_override: { events_default: 50 } } })
    const { adapter } = await trial.start()
    await assert.rejects(adapter.send(trial.place, say('psst'), 'mute-1'), (error: ChanopError) => {
      assert.equal(error.code, 'send-refused')
      return /permission|power|403|FORBIDDEN/i.test(error.message)
    })
    assert.match(trouble(adapter, trial.room) ?? '', /we may not speak here/)
  })

  test('encrypted rooms are named, nothing is said there, and who writes directly is told', async t => {
    const encryption = [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }]
    const trial = await open(t, { room: { initial_state: encryption } })
    const { adapter } = await trial.start()
    await trial.book.until(() => trouble(adapter, trial.room)?.includes('encrypted'), 'the trouble')
    await assert.rejects(adapter.send(trial.place, say('in clear'), 'e-1'), { code: 'send-refused' })
    const talk = await alice.room({ invite: [trial.bot.id], is_direct: true, initial_state: encryption })
    const told = await eventually(
      async () =>
        (await alice.timeline(talk)).find(({ sender, type }) => sender === trial.bot.id && type === 'm.room.message'),
      'a word in the encrypted conversation',
    )
    assert.match(String(told.content['body']), /without encryption/)
    assert.equal(
      (await alice.timeline(trial.room)).some(
        ({ sender, type }) => sender === trial.bot.id && type === 'm.room.message',
      ),
      false,
    )
  })

  test('where the homeserver encrypts what we open, one direct conversation is made and not one each time', async t => {
    const own = await Synapse.start(t, { settings: { encryption_enabled_by_default_for_room_type: 'invite' } })
    const bob = await own.register('bob')
    const trial = await Trial.open(t, own, { alice: bob, in: null })
    const made = (): number => trial.proxy.asked.filter(asked => asked.includes('/createRoom')).length
    for (let n = 0; n < 2; n++) {
      const { adapter, stop } = await trial.start()
      const refused = { code: 'send-refused', message: /encrypts the direct conversations/ }
      for (let times = 0; times < 2; times++) await assert.rejects(adapter.direct(bob.id as UserId), refused)
      await stop()
    }
    assert.equal(made(), 1)
    const { rooms } = await bob.ask<{ rooms: { invite: object } }>('GET', 'client/v3/sync')
    await bob.ask('POST', `client/v3/rooms/${encodeURIComponent(Object.keys(rooms.invite)[0] ?? '')}/leave`)
    const { adapter } = await trial.start()
    await assert.rejects(adapter.direct(bob.id as UserId), { code: 'send-refused' })
    assert.equal(made(), 2)
  })

  test('a direct conversation is private, found again after a restart, and none when somebody joins', async t => {
    const bob = await synapse.register(`bob${aliases++}`)
    const trial = await open(t)
    const first = await trial.start()
    const talk = await bob.room({ invite: [trial.bot.id], is_direct: true, preset: 'trusted_private_chat' })
    await eventually(async () => (await bob.members(talk)).includes(trial.bot.id), 'our account in the talk')
    await bob.say(talk, 'psst')
    assert.deepEqual((await trial.book.hears('psst')).place, { ...placeOf(talk), private: true })
    assert.deepEqual(await first.adapter.direct(bob.id as UserId), { ...placeOf(talk), private: true })
    assert.equal(await first.adapter.secure(placeOf(talk)), true)
    assert.equal(await first.adapter.secure(trial.place), false)
    await first.stop()
    const { adapter } = await trial.start()
    assert.equal((await adapter.direct(bob.id as UserId)).channel, talk)
    await bob.invite(talk, alice.id)
    await alice.join(talk)
    await bob.say(talk, 'not alone')
    assert.deepEqual((await trial.book.hears('not alone')).place, placeOf(talk))
    assert.equal(await adapter.secure(placeOf(talk)), false)
    await assert.rejects(adapter.send(placeOf(talk), { ...say('hunter2'), secret: true }, 's-1'), {
      code: 'send-refused',
    })
    const made = await adapter.direct(bob.id as UserId)
    assert.notEqual(made.channel, talk)
    assert.equal((await adapter.direct(bob.id as UserId)).channel, made.channel, 'one is made, not one each time')
    await assert.rejects(adapter.direct('@nobody-at-all:test.local' as UserId), { code: 'not-found' })
    await assert.rejects(adapter.direct('bob' as UserId), { code: 'not-found' })
  })

  test('we enter, leave and put out as we are told, however often', async t => {
    const bob = await synapse.register(`bob${aliases++}`)
    const trial = await open(t, { in: null })
    const { adapter } = await trial.start()
    const room = await alice.room({
      preset: 'public_chat',
      power_level_content_override: { users: { [trial.bot.id]: 50 } },
    })
    await bob.join(room)
    await adapter.channels.join(placeOf(room))
    await adapter.channels.join(placeOf(room))
    await adapter.channels.kick?.(placeOf(room), bob.id as UserId, 'spam')
    await adapter.channels.kick?.(placeOf(room), bob.id as UserId, 'spam')
    await eventually(async () => !(await alice.members(room)).includes(bob.id), 'bob to be out')
    await adapter.channels.part(placeOf(room), 'done')
    await adapter.channels.part(placeOf(room), 'done')
    await eventually(async () => !(await alice.members(room)).includes(trial.bot.id), 'our account to be out')
  })

  test('a token that is not valid ends it for good, at the start and later', async t => {
    const trial = await open(t)
    const { ended, adapter } = await trial.start()
    await trial.bot.ask('POST', 'client/v3/logout', {})
    await assert.rejects(
      ended,
      (error: ChanopError) => error.code === 'network-refused' && /access token/.test(error.message),
    )
    assert.deepEqual([adapter.status().state, /make a new one/.test(adapter.status().reason ?? '')], ['down', true])
    const again = await trial.begin()
    await assert.rejects(again.ended, { code: 'network-refused' })
    const wrong = await open(t, { config: { user: '@somebody-else:test.local' } })
    await assert.rejects((await wrong.begin()).ended, /that of @robot\d+:test\.local/)
  })

  test('a password logs in once, and its token is kept for its owner alone', async t => {
    const dataDir = await mkdtemp(join(tmpdir(), 'chanop-matrix-'))
    t.after(() => rm(dataDir, { recursive: true, force: true }))
    const bot = await synapse.register(`guest${aliases++}`)
    const config = matrixSchema.parse({ kind: 'matrix', homeserver: synapse.url, user: bot.id, password: 'env:P' })
    const trial = await open(t, { in: null, dataDir, config: { password: 'env:PASSWORD', user: '@robot:test.local' } })
    const named = { ...config, user: trial.bot.id }
    const context = { network: 'mx' as NetworkId, dataDir, log: silentLog(), signal: deadline(20_000) }
    const looked = await probe(named, { ...context, secret: async () => trial.bot.account.password })
    assert.equal(looked.account, trial.bot.id)
    await assert.rejects(probe(named, { ...context, secret: async () => 'wrong' }), { code: 'network-refused' })
    const owned = await open(t, { in: null, dataDir, config: { password: 'env:PASSWORD', user: trial.bot.id } })
    Object.assign(owned.bot.account, { password: trial.bot.account.password })
    const first = await owned.start()
    await first.stop()
    const file = join(dataDir, 'matrix', 'mx.token')
    const token = await readFile(file, 'utf8')
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    await (await owned.start()).stop()
    assert.equal(await readFile(file, 'utf8'), token)
    const logins = owned.proxy.asked.filter(asked => asked.includes('/login'))
    assert.equal(logins.length, 1)
  })

  test('an account that is logged out while it runs logs in anew by its password', async t => {
    const dataDir = await mkdtemp(join(tmpdir(), 'chanop-matrix-'))
    t.after(() => rm(dataDir, { recursive: true, force: true }))
    const { bot, room } = await open(t)
    const trial = await open(t, { in: room, dataDir, config: { password: 'env:PASSWORD', user: bot.id } })
    Object.assign(trial.bot.account, { password: bot.account.password })
    const { adapter } = await trial.start()
    const token = (await readFile(join(dataDir, 'matrix', 'mx.token'), 'utf8')).trim()
    const headers = { authorization: `Bearer ${token}` }
    await fetch(`${synapse.url}/_matrix/client/v3/logout`, { method: 'POST', headers })
    await alice.say(room, 'still there?')
    await trial.book.hears('still there?')
    await trial.book.until(() => adapter.status().state === 'up', 'the adapter to be up again')
    await adapter.send(placeOf(room), say('yes'), 'r-1')
    assert.ok((await alice.timeline(room)).some(({ content }) => content['body'] === 'yes'))
  })

  test('a look from outside tells who we are, which rooms there are and what is missing', async t => {
    const trial = await open(t, { room: { name: 'The Lounge' } })
    await trial.bot.join(trial.room)
    const invited = await alice.room({ invite: [trial.bot.id], name: 'Elsewhere' })
    const channels = [trial.room, '#nowhere:test.local']
    const config = matrixSchema.parse({ kind: 'matrix', homeserver: trial.proxy.url, token: 'env:T', channels })
    const context = { network: 'mx' as NetworkId, dataDir: '/nonexistent', log: silentLog(), signal: deadline(20_000) }
    const found = await probe(config, { ...context, secret: async () => trial.bot.account.access_token })
    assert.equal(found.account, trial.bot.id)
    assert.match(found.server ?? '', /^Synapse 1\./)
    assert.deepEqual(
      found.channels.toSorted((a, b) => Number(b.joined) - Number(a.joined)),
      [
        { channel: trial.room, name: 'The Lounge', joined: true },
        { channel: invited, name: 'Elsewhere', joined: false },
      ],
    )
    assert.deepEqual(found.missing, ['not in #nowhere:test.local yet: invite us there unless it is public'])
    await assert.rejects(probe(config, { ...context, secret: async () => 'syt_wrong' }), { code: 'network-refused' })
    const elsewhere = matrixSchema.parse({ kind: 'matrix', homeserver: 'http://127.0.0.1:9', token: 'env:T' })
    await assert.rejects(probe(elsewhere, { ...context, secret: async () => 'x' }), { retry: 'later' })
  })
})
