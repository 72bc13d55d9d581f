import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { memorySchema } from '../../../adapters/memory/config.ts'
import { House } from '../../../test/house.ts'
import { asker } from '../../../test/talk.ts'
import { runAdmin } from '../../admin/admin.ts'
import { runBridge } from '../run.ts'
import { copies, until } from '../testing.ts'

async function open(t: TestContext) {
  const house = new House(t)
  await house.run('bridge', runBridge)
  await house.run('admin', context => runAdmin(context))
  const [a, b] = [house.server('a'), house.server('b')]
  await Promise.all([a.ready(), b.ready()])
  return { house, a, b, olga: asker(a, 'olga'), bob: asker(a, 'bob') }
}

const yes = (asked: string): string => `!yes ${/!yes (\w+)/.exec(asked)?.[1]}`

test('a room is made, bridged, taken apart and deleted, and each change holds at once', async t => {
  const { house, a, b, olga, bob } = await open(t)
  assert.equal(await bob('!room link ops other:#ops'), 'room link needs operator; you are guest')
  assert.equal(await olga('!room link ops other:#Ops'), 'ops: chat:#ops ⇄ other:#ops')
  await until(() => b.channel('#ops').members.has('chanop'), 'us in the new place')
  await house.grant('chat', 'bob', 'member')
  await until(() => a.channel('#ops').admitted?.has('bob') ?? false, 'bob to be admitted')
  a.user('bob').say('#ops', 'does it work?')
  await until(() => copies(b, '#ops').includes('bob: does it work?'), 'the copy')
  assert.equal(
    await olga('!room link general other:#ops'),
    'other:#ops is in the room ops already: room unlink ops other:#ops',
  )
  assert.equal(await olga('!room link opss other:#x'), 'no room opss; did you mean ops?')
  assert.equal(await olga('!room link ops othr:#x'), "no network for 'othr:#x'; did you mean other:#x?")
  assert.equal(await olga('!room link ops chat:@bob'), 'a direct conversation is nobody else’s: name a channel')
  assert.equal(await olga('!room unlink ops other:#ops'), 'ops: chat:#ops')
  a.user('bob').say('#ops', 'and now?')
  assert.equal(await olga('!room unlink ops #ops'), 'chat:#ops is its only place: room del ops deletes the room')
  assert.equal(await olga('!room unlink ops other:#ops'), 'other:#ops is not in ops: chat:#ops')
  assert.equal(copies(b, '#ops').includes('bob: and now?'), false)
  assert.equal(await olga('!room add dev #dev --joins'), 'dev: chat:#dev')
  await until(() => a.channel('#dev').members.has('chanop'), 'us in #dev')
  assert.equal(await olga('!room add dev #dev2'), 'there is a room dev already: room link dev PLACE')
  assert.match(await olga('!room add Dev #dev2'), /write a room name of lower-case letters/)
  assert.equal(await olga('!room del nothing'), 'no room nothing; rooms lists them')
  const asked = await olga('!room del general')
  assert.match(asked, /^deletes the room general \(chat:#general, other:#general\) · !yes/)
  const other = await bob(yes(asked))
  assert.match(other, /^nothing of yours waits here for/)
  assert.equal(await olga(yes(asked)), 'general is deleted')
  a.user('bob').say('#general', 'alone now')
  assert.equal(await olga('!rooms', { at: '@admin' }), 'ops: chat:#ops\ndev: chat:#dev · joins shown')
  assert.equal(copies(b, '#general').includes('bob: alone now'), false)
})

test('moving a place from one room to another keeps both over a restart, in whatever order they were changed', async t => {
  const { house, olga } = await open(t)
  assert.equal(await olga('!room unlink general other:#general'), 'general: chat:#general')
  assert.equal(await olga('!room link ops other:#general'), 'ops: chat:#ops ⇄ other:#general')
  assert.equal(await olga('!room link general other:#new'), 'general: chat:#general ⇄ other:#new')
  const { settings } = await house.context('after')
  assert.deepEqual(settings.ignored, [])
  assert.deepEqual(settings.current.rooms['ops']?.places, ['chat:#ops', 'other:#general'])
  assert.deepEqual(settings.current.rooms['general']?.places, ['chat:#general', 'other:#new'])
})

test('join and part: entered and kept, left and forgotten', async t => {
  const { house, a, b, olga, bob } = await open(t)
  assert.equal(await bob('!join #dev'), 'join needs operator; you are guest')
  assert.equal(await olga('!join #Dev'), 'in chat:#dev')
  assert.ok(a.channel('#dev').members.has('chanop'))
  const chat = { kind: 'memory', server: a.name, channels: ['#general', '#ops', '#dev'] }
  assert.deepEqual((await house.context('x')).settings.current.networks['chat'], {
    ...memorySchema.parse(chat),
    on: true,
  })
  assert.equal(await olga('!join other:#far'), 'in other:#far')
  assert.ok(b.channel('#far').members.has('chanop'))
  assert.equal(
    await olga('!part #general'),
    'chat:#general is in the room general: room unlink general chat:#general first',
  )
  assert.equal(await olga('!part #dev enough of it'), 'left chat:#dev')
  assert.equal(a.channel('#dev').members.has('chanop'), false)
  assert.match(a.transcript('#dev'), /leave enough of it/)
  assert.match(
    await olga('!join nowhere:#x'),
    /^no network for 'nowhere:#x'; write network:channel; networks lists the networks$/,
  )
})

test('ignore: neither relayed nor obeyed, for a time or for good, and never those above', async t => {
  const { house, a, b, olga, bob } = await open(t)
  await house.grant('chat', 'bob', 'operator')
  assert.equal(await bob('!ignore chat:olga'), 'chat:olga is owner and is not ignored: role revoke comes first')
  assert.equal(await bob('!ignore chat:bob'), 'that is you')
  assert.match(await bob('!ignore mallory'), /write network:account, e\.g\. irc:bob/)
  assert.equal(await bob('!ignore nowhere:mallory'), 'no network nowhere; networks lists them')
  assert.equal(await bob('!ignore chat:mallory for=30m'), 'chat:mallory is ignored for 30m')
  assert.match(await bob('!ignore list', { at: '@bridge' }), /^chat:mallory · (29m \d+s|30m) more$/)
  a.user('mallory').say('#general', '!version')
  a.user('mallory').say('#general', 'spam')
  a.user('carl').say('#general', 'mark')
  await until(() => copies(b, '#general').includes('carl: mark'), 'the mark')
  assert.equal(copies(b, '#general').includes('mallory: spam'), false)
  assert.equal(await bob('!ignore del chat:mallory'), 'chat:mallory is heard again')
  assert.equal(await bob('!ignore del chat:mallory'), 'chat:mallory is not ignored; ignore list shows who is')
  assert.match(await asker(a, 'mallory')('!version'), /^chanop /)
  assert.equal(await olga('!ignore chat:bob'), 'chat:bob is ignored')
  assert.equal(await olga('!ignore list', { at: '@bridge' }), 'chat:bob')
})
