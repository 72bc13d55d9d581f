import { strict as assert } from 'node:assert'
import { after, before, describe, type TestContext, test } from 'node:test'
import type { Adapter } from '../../core/adapter.ts'
import type { ChanopError } from '../../core/error.ts'
import type { MessageId } from '../../core/event.ts'
import type { Client } from './testing/client.ts'
import { eventually } from './testing/eventually.ts'
import { Synapse, synapseMissing } from './testing/synapse.ts'
import { say, Trial, type TrialOptions } from './testing/trial.ts'

const missing = await synapseMissing()

const trouble = (adapter: Adapter, channel: string): string | undefined =>
  adapter.status().troubles?.find(each => each.channel === channel)?.reason

describe('rooms of Matrix that are replaced', { skip: missing ?? false }, () => {
  let synapse: Synapse
  let alice: Client

  before(async () => {
    synapse = await Synapse.start(null)
    alice = await synapse.register('alice')
  })
  after(() => synapse?.stop())

  const open = (t: TestContext, options: Partial<TrialOptions> = {}) => Trial.open(t, synapse, { alice, ...options })

  test('what is said while a room is being replaced is said in the new one', async t => {
    const trial = await open(t, { room: { preset: 'public_chat' } })
    const { adapter } = await trial.start()
    const at = `client/v3/rooms/${encodeURIComponent(trial.room)}/upgrade`
    const { replacement_room: next } = await alice.ask<{ replacement_room: string }>('POST', at, { new_version: '12' })
    const send = () => adapter.send(trial.place, say('in between'), 'move-1')
    await send().catch((error: ChanopError) => {
      assert.equal(error.code, 'send-later', error.message)
      return send()
    })
    assert.ok((await alice.timeline(next)).some(({ content }) => content['body'] === 'in between'))
  })

  test('what is said while the room that replaced another is being entered waits for it', async t => {
    const trial = await open(t, { room: { preset: 'public_chat' } })
    const { adapter } = await trial.start()
    const release = trial.proxy.hold((_method, url) => url.includes('/join/'))
    const at = `client/v3/rooms/${encodeURIComponent(trial.room)}/upgrade`
    const { replacement_room: next } = await alice.ask<{ replacement_room: string }>('POST', at, { new_version: '12' })
    await eventually(async () => trial.proxy.asked.some(asked => asked.includes('/join/')), 'us to enter it')
    const saying = adapter.send(trial.place, say('meanwhile'), 'meanwhile-1')
    const refused = assert.rejects(saying, { code: 'send-later' })
    await eventually(async () => trial.proxy.asked.some(asked => asked.includes('m.room.tombstone')), 'the question')
    release()
    await refused
    await adapter.send(trial.place, say('meanwhile'), 'meanwhile-1')
    assert.ok((await alice.timeline(next)).some(({ content }) => content['body'] === 'meanwhile'))
  })

  test('who is invited while it is being refused at the room that replaced another enters it then', async t => {
    const trial = await open(t)
    const { adapter } = await trial.start()
    const entering = (_: string, url: string): boolean => url.includes('/join/')
    const release = trial.proxy.hold(entering)
    trial.proxy.once(entering, { status: 403, body: { errcode: 'M_FORBIDDEN', error: 'not invited' } })
    const at = `client/v3/rooms/${encodeURIComponent(trial.room)}/upgrade`
    const { replacement_room: next } = await alice.ask<{ replacement_room: string }>('POST', at, { new_version: '11' })
    await eventually(async () => trial.proxy.asked.some(asked => asked.includes('/join/')), 'us to enter it')
    await alice.invite(next, trial.bot.id)
    const other = await alice.room({ invite: [trial.bot.id], is_direct: true })
    await eventually(
      async () => trial.proxy.asked.some(asked => asked.includes(encodeURIComponent(other))),
      'it to be told',
    )
    release()
    await eventually(async () => (await alice.members(next)).includes(trial.bot.id), 'our account in it')
    await trial.book.until(() => trouble(adapter, trial.room) === undefined, 'no trouble')
    assert.equal((await adapter.send(trial.place, say('in the new one'), 'refused-1')).length, 1)
  })

  test('whether a room was replaced is asked again where that can not be told', async t => {
    const trial = await open(t)
    const { adapter } = await trial.start()
    const levels = `client/v3/rooms/${encodeURIComponent(trial.room)}/state/m.room.power_levels/`
    await alice.ask('PUT', levels, { events_default: 50 })
    trial.proxy.once((_method, url) => url.includes('m.room.tombstone'), { status: 502, body: {} })
    await assert.rejects(adapter.send(trial.place, say('x'), 'told-1'), { code: 'send-later' })
    await assert.rejects(adapter.send(trial.place, say('x'), 'told-1'), { code: 'send-refused' })
  })

  test('what was said before a room was replaced is changed, reacted to and taken away where it stands', async t => {
    const trial = await open(t, { room: { preset: 'public_chat' } })
    const levels = { users: { [trial.bot.id]: 50 } }
    const state = `client/v3/rooms/${encodeURIComponent(trial.room)}/state/m.room.power_levels/`
    await alice.ask('PUT', state, levels)
    const { adapter } = await trial.start()
    const old = trial.room
    const ids = await adapter.send(trial.place, say('before'), 'w-1')
    const at = `client/v3/rooms/${encodeURIComponent(old)}/upgrade`
    const { replacement_room: next } = await alice.ask<{ replacement_room: string }>('POST', at, { new_version: '12' })
    await alice.say(next, 'there')
    await trial.book.hears('there')
    const fresh = await adapter.send(trial.place, say('after'), 'w-2')
    assert.ok((await alice.timeline(next)).some(({ event_id: id }) => id === fresh[0]))
    assert.deepEqual(await adapter.edit(trial.place, ids, say('changed'), 'w-3'), ids)
    await adapter.react(trial.place, ids[0] as MessageId, { emoji: '👍' }, 'w-4')
    await adapter.edit(trial.place, fresh, say('after all'), 'w-5')
    const ours = async (room: string): Promise<unknown[]> =>
      (await alice.timeline(room)).filter(({ sender, content }) => sender === trial.bot.id && 'm.relates_to' in content)
    assert.deepEqual([(await ours(old)).length, (await ours(next)).length], [2, 1])
    await adapter.remove(trial.place, ids, undefined, 'w-6')
    const gone = (await alice.timeline(old)).filter(({ unsigned }) => unsigned?.['redacted_because'])
    assert.deepEqual(
      gone.map(({ event_id: id }) => id),
      ids,
    )
  })

  test('what may not be changed any more in a room that was replaced is refused, and nothing else is', async t => {
    const trial = await open(t, { room: { preset: 'public_chat' } })
    const { adapter } = await trial.start()
    const ids = await adapter.send(trial.place, say('before'), 'x-1')
    const at = `client/v3/rooms/${encodeURIComponent(trial.room)}/upgrade`
    const { replacement_room: next } = await alice.ask<{ replacement_room: string }>('POST', at, { new_version: '12' })
    await alice.say(next, 'there')
    await trial.book.hears('there')
    await assert.rejects(adapter.edit(trial.place, ids, say('changed'), 'x-3'), {
      code: 'send-refused',
      message: /M_FORBIDDEN/,
    })
    assert.equal(trouble(adapter, trial.room), undefined)
  })

  test('a tombstone that points to somebody else’s room is not followed', async t => {
    const trial = await open(t)
    const { adapter } = await trial.start()
    const trap = await alice.room({ preset: 'public_chat' })
    const levels = await alice.ask('GET', `client/v3/rooms/${encodeURIComponent(trial.room)}/state/m.room.power_levels`)
    assert.ok(levels)
    await alice.state(trial.room, 'm.room.tombstone', { body: 'moved', replacement_room: trap })
    await trial.book.until(() => trouble(adapter, trial.room)?.includes('does not say so itself'), 'the trouble')
    await eventually(async () => !(await alice.members(trap)).includes(trial.bot.id), 'our account to leave it')
    const joins = (): number => trial.proxy.asked.filter(asked => asked.includes('/join/')).length
    const before = joins()
    await alice.say(trial.room, 'still here')
    assert.equal((await trial.book.hears('still here')).place.channel, trial.room)
    assert.equal(joins(), before, 'it is not tried again with every word')
    await adapter.send(trial.place, say('so are we'), 'trap-1')
  })
})
