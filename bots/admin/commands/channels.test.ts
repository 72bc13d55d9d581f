import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChannelId, NetworkId } from '../../../core/event.ts'
import { keptChannel, storeChannel } from '../../../core/ledger/settings/channels.ts'
import type { House } from '../../../test/house.ts'
import { engage, openHouse } from '../channels/testing.ts'
import { ChannelWatch } from '../channels/watch.ts'

const at = (channel: string) => ({ network: 'chat' as NetworkId, channel: channel as ChannelId })
const native = (house: House, channel: string) => house.server('a').channel(channel)
const ordersOf = (house: House, like: string): Promise<number> =>
  house.ledger.read(db =>
    Number(db.prepare('SELECT count(*) AS n FROM orders WHERE key LIKE ?').get(like)?.['n' as never]),
  )

test('a channel is made by its type, and its agents enter by themselves', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  const worker = house.server('a').user('worker-1')
  const observer = house.server('a').user('observer-1')
  await engage(house, 'worker-1')
  await engage(house, 'worker-2', { channels: ['#general'] })
  await engage(house, 'observer-1', { type: 'observer', channels: ['#task-*'] })
  await olga.shouldReply(
    '#general',
    '!channel add #Task-7 fix the pump',
    /^chat:#task-7 is kept: type task-, \+i, ends in 3h$/,
  )
  const made = native(house, '#task-7')
  assert.deepEqual([made.kept, made.modes, made.topic], [true, '+i', 'fix the pump'])
  await worker.hears('@admin', 'Welcome worker-1: one task, in #task-7 alone')
  assert.deepEqual([...made.members.keys()].sort(), ['chanop', 'worker-1'])
  await olga.shouldReply('#general', '!channel members #task-7', 'chat:#task-7: 1 agent: worker-1 (worker)', {
    in: '@admin',
  })
  await olga.shouldReply('#general', '!channel show #task-7', /enter by themselves: @worker/, { in: '@admin' })
  await olga.shouldReply('#general', '!channel add #task-7', /is kept already/)
  await olga.shouldReply('#general', '!channel add #task-8 type=none ttl=never', /^chat:#task-8 is kept$/)
  observer.join('#task-7')
  await observer.hears('@admin', 'Welcome observer-1')
})

test('instructions come once for each join, and a program that comes and goes is not flooded', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  const worker = house.server('a').user('worker-1')
  await engage(house, 'worker-1')
  await olga.shouldReply('#general', '!channel set #general greeting Read {channel}, {nick}: `*x*`', 'instructions set')
  for (let n = 0; n < 5; n++) {
    worker.join('#general')
    worker.leave('#general')
  }
  olga.join('#general')
  await worker.hears('@admin', 'Read #general, worker-1: `*x*`')
  await olga.shouldReply('#general', '!channel set #general greeting default', 'instructions taken away')
  const told = worker.reads('@admin').filter(({ text }) => text.startsWith('Read #general'))
  assert.equal(told.length, 1)
  assert.equal(told[0]?.content.style, 'notice')
  assert.equal(
    olga.reads('@admin').some(({ text }) => text.startsWith('Read')),
    false,
  )
})

test('an agent that comes later enters when it comes, and not again when it leaves', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  const worker = house.server('a').user('worker-1')
  await olga.shouldReply('#general', '!channel add #task-1', /is kept/)
  await engage(house, 'worker-1')
  worker.join('#general')
  await worker.hears('@admin', /Welcome worker-1: one task, in #task-1 alone/)
  worker.leave('#task-1')
  const watch = new ChannelWatch(await house.context('admin'))
  await watch.sweep()
  await olga.shouldReply('#general', '!channel members #task-1', 'nobody but us', { in: '@admin' })
})

test('properties are changed by who may, refused in one line, and said', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  const bob = house.server('a').user('bob')
  await olga.shouldReply('#general', '!channel add #task-1', /is kept/)
  await bob.shouldReply('#general', '!channel set #task-1 ttl never', /needs operator/)
  await bob.shouldReply('#general', '!channel add #mine', /needs operator/)
  const closed = (): true | undefined => native(house, '#task-1').admitted !== null || undefined
  await house.server('a').watch.until(closed, 'the channel to be closed', 5000)
  await olga.shouldReply('#general', '!channel set #task-1 modes +m', /chat:#task-1: type task-, \+m, ends in/)
  assert.equal(native(house, '#task-1').modes, '+im', 'a closed channel stays so')
  await olga.shouldReply('#general', '!channel set #task-1 modes default', /type task-, \+i/)
  await olga.shouldReply('#general', '!channel set #task-1 ttl never', /^chat:#task-1: type task-, \+i$/)
  await olga.shouldReply('#general', '!channel set #task-1 ttl soon', /'soon' is no time to live: write 30m/)
  await olga.shouldReply('#general', '!channel set #task-1 type tsk-', /did you mean task-\?/)
  await olga.shouldReply('#general', '!channel set #task-1 modes +b', /write modes that are plain switches/)
  await olga.shouldReply('#general', '!channel topic #task-1 the pump', 'chat:#task-1: the pump')
  assert.equal(native(house, '#task-1').topic, 'the pump')
  await olga.shouldReply('#general', '!channel add other:#x', /^other:#x is kept$/)
  await olga.shouldReply('#general', '!channel add slack:#x', /on the networks we run \(chat, other\) alone/)
  await olga.shouldReply('#general', '!channel add #a,b', /is no channel/)
  await olga.shouldReply('#general', '!channel set #general ttl 2h', /is in the configuration, so that it has no end/)
  await olga.shouldReply('#general', '!channel set #genral ttl 2h', /did you mean #general\?/)
  await olga.shouldReply('#general', '!config set channels.types.task-.ttl 20m', /task-/)
  await olga.shouldReply('#general', '!channel add #task-2', /ends in 20m/)
})

test('a locked channel is known as such', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  const locked = (): Promise<boolean> => house.ledger.read(db => keptChannel(db, at('#General'))?.locked ?? false)
  assert.equal(await locked(), false)
  await olga.shouldReply('#general', '!channel lock #general', /is locked: only operators/)
  assert.equal(await locked(), true)
  await olga.shouldReply('#general', '!channel lock #general', /is locked already/)
  await olga.shouldReply('#general', '!channel list', /#general · 1 in, locked/, { in: '@admin' })
  await olga.shouldReply('#general', '!channel unlock #general', /is open/)
  assert.equal(await locked(), false)
})

test('a channel that is given up is empty and kept no longer', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  const bob = house.server('a').user('bob')
  await house.grant('chat', 'bob', 'member')
  await olga.shouldReply('#general', '!channel add #build', /is kept/)
  await house.grant('chat', 'bob', 'member')
  const admitted = (): true | undefined => native(house, '#build').admitted?.has('bob') || undefined
  await house.server('a').watch.until(admitted, 'bob to be admitted', 5000)
  bob.join('#build')
  await olga.shouldReply('#general', '!channel members #build', /1 person: bob/, { in: '@admin' })
  const asked = await olga.shouldReply('#general', '!channel del #build', /puts out the 1 in it.* !yes (\w+)/)
  await olga.shouldReply('#general', `!yes ${/!yes (\w+)/.exec(asked.text)?.[1]}`, 'chat:#build is given up')
  assert.equal(native(house, '#build').kept, false)
  assert.equal(native(house, '#build').members.size, 0)
  assert.match(house.server('a').transcript('#build'), /bob: leave olga closed #build/)
  await olga.shouldReply('#general', '!channel del #general', /is in the configuration/)
})

test('a channel whose time is over is warned, then dropped; a crash between repeats nothing', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  const watcher = house.server('a').user('worker-1')
  await olga.shouldReply('#general', '!channel add #task-9', /ends in 3h/)
  await house.grant('chat', 'worker-1', 'member')
  const admitted = (): true | undefined => native(house, '#task-9').admitted?.has('worker-1') || undefined
  await house.server('a').watch.until(admitted, 'the watcher to be admitted', 5000)
  watcher.join('#task-9')
  const kept = await house.ledger.read(db => keptChannel(db, at('#task-9')))
  assert.ok(kept?.untilMs)
  const { untilMs } = kept
  // Two processes, as after a crash in the middle.
  const watches = [new ChannelWatch(await house.context('admin')), new ChannelWatch(await house.context('admin'))]
  for (const watch of watches) await watch.sweep(untilMs - 601_000)
  for (const watch of watches) await watch.sweep(untilMs - 300_000)
  await watcher.hears('#task-9', /^#task-9 ends in 5m and everybody leaves it: !channel set #task-9 ttl 2h/)
  assert.equal(watcher.reads('#task-9').filter(({ text }) => text.includes('ends in')).length, 1)
  for (const watch of watches) await watch.sweep(untilMs)
  const gone = (): true | undefined => (native(house, '#task-9').members.size === 0 ? true : undefined)
  await house.server('a').watch.until(gone, 'the channel to be empty', 5000)
  assert.match(house.server('a').transcript('#task-9'), /worker-1: leave the time of #task-9 is over/)
  assert.equal(await house.ledger.read(db => keptChannel(db, at('#task-9'))), null)
  assert.equal(await ordersOf(house, 'channel.release.%'), 1)
})

test('channels are made again as they shall be when their network comes up', async t => {
  const house = await openHouse(t)
  const server = house.server('a')
  await server.user('olga').shouldReply('#general', '!channel add #task-3 the topic', /is kept/)
  server.down()
  const lost = native(house, '#task-3')
  Object.assign(lost, { kept: false, modes: '', topic: '' })
  server.up()
  await server.watch.until(() => (lost.topic === 'the topic' ? true : undefined), 'the topic to be back', 10_000)
  assert.deepEqual([lost.kept, lost.modes], [true, '+i'])
})

test('one that is stored while nobody runs is made by the next start', async t => {
  const house = await openHouse(t)
  await house.ledger.write(db =>
    storeChannel(db, {
      ...at('#later'),
      type: '',
      topic: 'made later',
      modes: '',
      locked: false,
      greeting: '',
      untilMs: null,
      createdMs: 0,
      createdBy: 'olga',
    }),
  )
  await house
    .server('a')
    .watch.until(
      () => (native(house, '#later').topic === 'made later' ? true : undefined),
      'the channel to be made',
      10_000,
    )
  assert.equal(native(house, '#later').members.has('chanop'), true)
})

test('an operator of one room rules its channels, and no others', async t => {
  const house = await openHouse(t)
  const ann = house.server('a').user('ann')
  house.server('a').user('olga').say('#general', '!channel add #side')
  await ann.hears('#general', 'chat:#side is kept')
  await house.grant('chat', 'ann', 'operator', 'ops')
  ann.join('#ops')
  await ann.shouldReply('#ops', '!channel topic #ops all is well', 'chat:#ops: all is well')
  await ann.shouldReply('#ops', '!channel set #ops greeting Hello {nick}', 'chat:#ops: instructions set')
  await ann.shouldReply('#ops', '!channel lock #ops', 'chat:#ops is locked')
  await ann.shouldReply('#ops', '!channel unlock #general', 'that needs operator in general; you are guest there')
  for (const words of ['topic #side mine', 'set #side modes +m', 'lock #side'])
    await ann.shouldReply('#ops', `!channel ${words}`, /^chat:#side is not kept here; /)
  await ann.shouldReply('#general', '!channel lock #ops', /^channel lock needs operator; you are guest/)
})
