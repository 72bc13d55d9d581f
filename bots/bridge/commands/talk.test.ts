import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { memorySchema } from '../../../adapters/memory/config.ts'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import { House, plainConfig } from '../../../test/house.ts'
import { asker } from '../../../test/talk.ts'
import { runAdmin } from '../../admin/admin.ts'
import { runBridge } from '../run.ts'
import { copies, until } from '../testing.ts'

async function open(t: TestContext, more = '') {
  const house = new House(t, { config: plainConfig + more })
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
    'other:#ops is in the room ops already: !room unlink ops other:#ops',
  )
  assert.equal(await olga('!room link opss other:#x'), 'no room opss; did you mean ops?')
  assert.equal(await olga('!room link ops othr:#x'), "no network for 'othr:#x'; did you mean other:#x?")
  assert.equal(await olga('!room link ops chat:@bob'), 'a direct conversation is nobody else’s: name a channel')
  assert.equal(await olga('!room link ops chat:bob'), 'chat:bob is wrong: write a channel name, e.g. #general')
  assert.equal(await olga('!room add other chat:bob'), 'chat:bob is wrong: write a channel name, e.g. #general')
  assert.equal(await olga('!room unlink ops other:#ops'), 'ops: chat:#ops')
  a.user('bob').say('#ops', 'and now?')
  assert.equal(await olga('!room unlink ops #ops'), 'chat:#ops is its only place: !room del ops deletes the room')
  assert.equal(await olga('!room unlink ops other:#ops'), 'other:#ops is not in ops: chat:#ops')
  assert.equal(copies(b, '#ops').includes('bob: and now?'), false)
  assert.equal(await olga('!room add dev #dev --joins'), 'dev: chat:#dev')
  await until(() => a.channel('#dev').members.has('chanop'), 'us in #dev')
  assert.equal(await olga('!room add dev #dev2'), 'there is a room dev already: !room link dev PLACE')
  assert.match(await olga('!room add Dev #dev2'), /write a room name of lower-case letters/)
  assert.equal(await olga('!room del nothing'), 'no room nothing; !rooms lists them')
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
    'chat:#general is in the room general: !room unlink general chat:#general first',
  )
  assert.equal(await olga('!part #dev enough of it'), 'left chat:#dev')
  assert.equal(a.channel('#dev').members.has('chanop'), false)
  assert.match(a.transcript('#dev'), /leave enough of it/)
  assert.match(
    await olga('!join nowhere:#x'),
    /^no network for 'nowhere:#x'; write network:channel; !networks lists the networks$/,
  )
})

test('ignore: neither relayed nor obeyed, for a time or for good, and never those above', async t => {
  const { house, a, b, olga, bob } = await open(t)
  await house.grant('chat', 'bob', 'operator')
  assert.equal(await bob('!ignore chat:olga'), 'chat:olga is owner and is not ignored: !role revoke comes first')
  assert.equal(await bob('!ignore chat:bob'), 'that is you')
  assert.match(await bob('!ignore mallory'), /write network:account, e\.g\. irc:bob/)
  assert.equal(await bob('!ignore nowhere:mallory'), 'no network nowhere; !networks lists them')
  assert.equal(await bob('!ignore chat:mallory for=30m'), 'chat:mallory is ignored for 30m')
  assert.match(await bob('!ignore list', { at: '@admin' }), /^chat:mallory · (29m \d+s|30m) more$/)
  a.user('mallory').say('#general', '!version')
  a.user('mallory').say('#general', 'spam')
  a.user('carl').say('#general', 'mark')
  await until(() => copies(b, '#general').includes('carl: mark'), 'the mark')
  assert.equal(copies(b, '#general').includes('mallory: spam'), false)
  assert.equal(await bob('!ignore del chat:mallory'), 'chat:mallory is heard again')
  assert.equal(await bob('!ignore del chat:mallory'), 'chat:mallory is not ignored; !ignore list shows who is')
  assert.match(await asker(a, 'mallory')('!version'), /^chanop /)
  assert.equal(await olga('!ignore chat:bob'), 'chat:bob is ignored')
  assert.equal(await olga('!ignore list', { at: '@admin' }), 'chat:bob')
})

test('whom the file ignores is heard again, whatever chat changed before', async t => {
  const { olga } = await open(t, "ignore: { 'chat:mallory': null }\n")
  assert.equal(await olga('!ignore chat:eve'), 'chat:eve is ignored')
  assert.equal(await olga('!ignore del chat:eve'), 'chat:eve is heard again')
  assert.equal(await olga('!ignore del chat:mallory'), 'chat:mallory is heard again')
  assert.equal(await olga('!ignore del chat:mallory'), 'chat:mallory is not ignored; !ignore list shows who is')
})

/** What is answered to a test, behind the line that it says. */
async function tried(server: MemoryPlatform): Promise<string> {
  const before = copies(server, '#general').length
  server.user('olga').say('#general', '!room test general')
  return until(
    () =>
      copies(server, '#general')
        .slice(before)
        .find(line => line.includes(' · ')),
    'the answer',
  )
}

test('a room is set while it is in use, shown and tried', async t => {
  const { a, b, olga, bob } = await open(t)
  assert.equal(await bob('!room set general names always'), 'room set needs operator; you are guest')
  assert.equal(
    await olga('!room set general names always'),
    'general: joins off · files copy · names always · everyone off',
  )
  a.user('bob').say('#general', 'who am I?')
  await until(() => copies(b, '#general').includes('bob [chat]: who am I?'), 'the name')
  assert.match(await olga('!room set general replace +/col(ou?)r/h$1e/'), /\nreplace: 1 \/col\(ou\?\)r\/h\$1e\/$/)
  assert.match(await olga('!room set general replace +|a/b|c|'), / · 2 \/a\/b\/c\/$/)
  assert.match(await olga('!room set general ignore-texts +^psst'), /\nignore-texts: 1 \^psst\n/)
  a.user('bob').say('#general', 'psst, a secret')
  a.user('bob').say('#general', 'my colour')
  await until(() => copies(b, '#general').includes('bob [chat]: my houe'), 'the words')
  assert.equal(
    copies(b, '#general').some(line => line.startsWith('bob') && line.includes('psst')),
    false,
  )
  for (const [wrong, answer] of [
    ['replace +abc', 'write +/PATTERN/TEXT/ with any sign between them that is in neither'],
    ['replace +/(/x/', /this is no pattern of RE2: error parsing regexp: missing closing \)/],
    ['ignore-names +(?=a)', /this is no pattern of RE2/],
    [`ignore-texts +${'.{0,1000}'.repeat(20)}b`, /it has 4\d+ steps, 1,?000 are possible: repeat fewer times/],
    ['ignore-texts -7', 'there is no 7 in it: !room show lists them'],
    ['ignore-texts ^a', 'write +PATTERN to add one, -NUMBER to take one away, or none'],
    ['files maybe', 'write one of: copy, link, off'],
    ['direction chat:#x in', /^chat:#x is no place of it: chat:#general, other:#general$/],
    ['direction other:#general', 'write direction PLACE both, in or out'],
    ['colour red', /colour/],
  ] as const) {
    const said = await olga(`!room set general ${wrong}`)
    if (typeof answer === 'string') assert.equal(said, answer)
    else assert.match(said, answer)
  }
  assert.match(await olga('!room set general replace none'), /everyone off\nignore-texts: 1 \^psst$/)
  assert.match(await olga('!room set general direction other:#general in'), /\ndirection: other:#general in\n/)
  const shown = await olga('!room show general', { at: '@admin' })
  assert.match(
    shown,
    /^general · open\nchat:#general · up · both ways(?: · \d people)?\nother:#general · up · only gives\n/,
  )
  assert.match(await tried(a), /^bridge: chat:#general · there after \d+ms$/)
  assert.match(await olga('!room unlink general other:#general'), /^general: chat:#general$/)
})

test('a room is tried: what arrived is said, and what did not', async t => {
  const { a, b } = await open(t)
  assert.match(await tried(a), /^bridge: chat:#general · there after \d+ms\nother:#general · there after \d+ms$/)
  // The command itself is passed on before the line.
  b.faults.refuseSends(2, 'send-refused')
  assert.match(
    await tried(a),
    /^bridge: chat:#general · there after \d+ms\nother:#general · not there: The server does not take this message\.$/,
  )
})

test('a matterbridge.toml is imported in a direct conversation; what it makes connects at once', async t => {
  const { house, a, olga } = await open(t)
  assert.match(await olga('!import matterbridge'), /^import matterbridge works only in a direct message to bridge/)
  assert.match(
    await olga('!import matterbridge', { in: '@bridge' }),
    /^attach the file to this very message, or on the host: npm run import -- matterbridge FILE$/,
  )
  const toml = `
[irc.far]
Nick="us"
Server="127.0.0.1:1"
Password="hunter2"
[[gateway]]
name="far"
enable=true
[[gateway.inout]]
account="irc.far"
channel="#far"
`
  const file = a.files.keep(Buffer.from(toml), { name: 'matterbridge.toml' })
  const { seq } = a.user('olga').dm('bridge', '!import matterbridge', { attachments: [file] })
  const answer = await a.user('olga').hears('@bridge', /networks/, seq)
  assert.equal(answer.text, 'networks: far (irc)\nroom far: far:#far')
  const { settings } = await house.context('after')
  assert.equal((settings.current.networks['far'] as { serverPassword?: string }).serverPassword, 'secret:far.server')
  assert.deepEqual(settings.current.rooms['far']?.places, ['far:#far'])
  await until(
    () => house.ledger.read(db => db.prepare("SELECT 1 FROM standing WHERE network = 'far'").get() !== undefined),
    'the network to be tried',
  )
  const written = await house.ledger.read(db => JSON.stringify(db.prepare('SELECT * FROM setting').all()))
  assert.doesNotMatch(written, /hunter2/)
})

test('a yes to the end of a room is to the places that were shown', async t => {
  const { olga } = await open(t)
  const room = await olga('!room del general')
  assert.match(room, /^deletes the room general \(chat:#general, other:#general\) · !yes/)
  await olga('!room unlink general other:#general')
  assert.match(await olga(yes(room)), /^that has changed meanwhile: deletes the room general \(chat:#general\) · !yes/)
})

test('an operator of one room sees, sets and tests it, and is told of no other', async t => {
  const { house, a, olga } = await open(t)
  await house.grant('chat', 'bob', 'operator', 'ops')
  a.user('bob').join('#ops')
  const bob = asker(a, 'bob')
  const inOps = { in: '#ops' }
  assert.match(await bob('!room set ops joins on', inOps), /^ops: joins on/)
  await a.user('bob').shouldReply('#ops', '!room test ops', /^chat:#ops · there after/)
  assert.match(await bob('!room show ops', { in: '#ops', at: '@admin' }), /^ops · closed/)
  for (const [words, more] of [
    ['!room set general joins on', {}],
    ['!room set vault joins on', {}],
    ['!room test general', {}],
    ['!room show general', { at: '@admin' }],
  ] as const)
    assert.match(await bob(words, { in: '#ops', ...more }), /^you are an operator of no room (general|vault)$/)
  assert.match(await bob('!room del ops', inOps), /^room del needs operator everywhere, not in this room alone/)
  assert.match(await olga('!room set general joins on'), /^general: joins on/)
})
