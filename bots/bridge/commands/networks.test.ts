import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { sql } from '../../../core/ledger/sqlite.ts'
import { House } from '../../../test/house.ts'
import { asker, audited } from '../../../test/talk.ts'
import { runAdmin } from '../../admin/admin.ts'
import { givenValue } from '../networks/setup.ts'
import { runBridge } from '../run.ts'
import { copies, until } from '../testing.ts'

const config = `
owner: chat:olga
networks:
  chat: { kind: memory, server: '{server}-a', managed: false, channels: ['#general', '#ops'] }
  other: { kind: memory, server: '{server}-b', managed: false, channels: ['#general'] }
rooms:
  general: { places: ['chat:#general', 'other:#general'], open: true }
  far: { places: ['other:#far'], open: true }
  ops: { places: ['chat:#ops'] }
`
const dm = { in: '@bridge' }

async function open(t: TestContext, more = '') {
  const house = new House(t, { config: config + more })
  await house.run('bridge', runBridge)
  await house.run('admin', context => runAdmin(context))
  const [a, b] = [house.server('a'), house.server('b')]
  await Promise.all([a.ready(), b.ready()])
  const olga = a.user('olga')
  const bob = a.user('bob')
  await house.grant('chat', 'bob', 'operator')
  return { house, a, b, olga, bob, ask: asker(a, 'olga'), askBob: asker(a, 'bob') }
}

const yes = (asked: string): string => `!yes ${/!yes (\w+)/.exec(asked)?.[1]}`
const names = async (house: House) => Object.keys((await house.context('look')).settings.current.networks)

test('a network is added step by step, tested, turned on and bridged at once, and its token is nowhere', async t => {
  const { house, a, olga, ask } = await open(t)
  const c = house.server('c')
  c.token = 'hunter-2-token'
  c.switchesOff = ['the members intent is off: nobody is seen to join; turn it on under Bot']
  c.user('carol').join('#hall')
  assert.match(await ask('network add', dm), /^which platform\? irc, discord, slack, telegram, matrix\n/)
  assert.match(
    await ask('network add memory acme', dm),
    /^acme: all that it needs is there; !network add acme tests it/,
  )
  assert.equal((await ask(`network set acme server ${c.name}`, dm)).split('\n')[0], 'acme: server is set')
  const wrong = await ask('network set acme token wrong-token-1', dm)
  assert.match(wrong, /^acme: token is sealed/)
  assert.match(await ask('network add acme', dm), /^acme is not on yet: The server does not take the token/)
  assert.deepEqual(await names(house), ['chat', 'other'])
  assert.equal(
    await ask('network show acme', dm),
    'acme (memory) is being set up: !network add acme says what it needs',
  )
  assert.match(await ask('network set acme token hunter-2-token', dm), /^acme: token is sealed/)
  const { seq } = olga.say('@bridge', 'network add acme')
  const added = await olga.hears('@bridge', /acme is added and being connected/, seq)
  assert.match(
    added.text,
    /^acme: we are chanop · memory\nmissing: the members intent is off: .* under Bot\nit sees acme:#hall \(✓/,
  )
  await olga.hears('@bridge', /^acme is up · memory$/, seq)
  assert.equal(await ask('!room link far acme:#hall'), 'far: other:#far ⇄ acme:#hall')
  await until(() => c.channel('#hall').members.has('chanop'), 'us in the new place')
  house.server('b').user('ben').say('#far', 'hello there')
  await until(() => copies(c, '#hall').includes('ben: hello there'), 'the copy')
  const everything = await house.ledger.read(db =>
    JSON.stringify(
      ['event', 'delivery', 'audit', 'setting', 'network_draft'].map(table => sql(db, `SELECT * FROM ${table}`).all()),
    ),
  )
  assert.doesNotMatch(everything, /hunter-2|wrong-token/)
  await audited(house, line => line.command === 'network add' && line.args.includes('acme'), 'of network add')
  assert.deepEqual((await house.context('after')).settings.ignored, [])
  assert.equal(a.connections > 0, true)
})

test('a token is taken in a direct message alone, and by owners alone', async t => {
  const { house, ask, askBob } = await open(t)
  assert.match(await ask('!network set other token abc-123-def'), /network set works only in a direct message/)
  assert.match(await ask('!network add memory x'), /^network add works only in a direct message/)
  assert.match(await askBob('network add memory x', dm), /^network add needs owner/)
  assert.match(await askBob('network set other token zzz', dm), /^network set needs owner/)
  assert.match(await askBob('!network del other'), /^network del needs owner/)
  const bob = asker(house.server('a'), 'carl')
  assert.match(await bob('!network off other'), /^network off needs operator/)
  assert.match(await bob('!network test other'), /^network test needs operator/)
})

test('what is changed is tested first: what the platform refuses changes nothing, and a new token is taken at once', async t => {
  const { house, b, olga, ask } = await open(t)
  b.token = 'first'
  assert.match(await ask('network set other token nonsense', dm), /^nothing was changed: The server does not take/)
  const { seq } = olga.say('@bridge', 'network set other token first')
  await olga.hears('@bridge', /^other: token is sealed\nother: we are chanop/, seq)
  await olga.hears('@bridge', /^other is up/, seq)
  b.token = 'second'
  b.cut()
  await until(
    async () => /refuses|does not take/.test((await ask('!network show other', dm)).split('\n')[0] ?? ''),
    'it is down',
  )
  const next = olga.say('@bridge', 'network set other token second')
  await olga.hears('@bridge', /^other is up/, next.seq)
  b.down('away')
  assert.match(
    await ask('network set other textBytes 900', dm),
    /^other: textBytes is set\nit could not be tested: The server is down/,
  )
  assert.match(await ask('network set other textBytes many', dm), /^textBytes must be a (whole )?number$/)
  assert.equal(
    await ask('network set other __proto__ x', dm).then(line => line.split(';')[0]),
    "no key '__proto__' of memory",
  )
  assert.equal(
    await ask('network set other constructor.x 1', dm).then(line => line.split(';')[0]),
    "no key 'constructor.x' of memory",
  )
  const { settings } = await house.context('look')
  assert.equal((settings.current.networks['other'] as unknown as { textBytes: number }).textBytes, 900)
})

test('off and on, and never so that nobody is heard any more', async t => {
  const { house, a, b, olga, ask } = await open(t)
  assert.equal(await ask('!network off chat'), 'you are heard on chat: turn off it from another network')
  assert.match(
    await ask('!network off other'),
    /^other is turned off: what is said to it waits; !network on other turns it on$/,
  )
  await until(() => b.connections === 0, 'other is left')
  assert.match((await ask('!network show other', { in: '@admin' })).split('\n')[0] ?? '', /^other off \d+m?s$/)
  assert.equal(await ask('!network off other'), 'other is off already')
  a.user('alice').say('#general', 'while you were away')
  const { seq } = olga.say('#general', '!network on other')
  await olga.hears('#general', /^other is being connected$/, seq)
  await olga.hears('#general', /^other is up/, seq)
  await until(() => copies(b, '#general').includes('alice: while you were away'), 'what waited')
  await house.grant('other', 'ben', 'owner')
  const ben = asker(b, 'ben')
  const both = await Promise.all([ask('!network off other'), ben('!network off chat')])
  assert.equal(both.filter(line => line.includes('is turned off')).length <= 1, true, both.join(' | '))
  const { settings } = await house.context('look')
  assert.ok(Object.values(settings.current.networks).some(({ on }) => on))
})

test('reconnect ends the connection and says when it is up again', async t => {
  const { b, olga, ask } = await open(t)
  const { seq } = olga.say('#general', '!network reconnect other')
  await olga.hears('#general', /^other is being connected anew$/, seq)
  await olga.hears('#general', /^other is up/, seq)
  b.faults.loginRefused = 'banned'
  const next = olga.say('#general', '!network reconnect other')
  await olga.hears('#general', /^other is down: The server refuses chanop: banned$/, next.seq)
  assert.match(await ask('!network reconnect nothing'), /^no network nothing; !networks lists them/)
})

test('deleting asks, shows what goes with it, takes places, rooms, tokens and queue, and stays so over a restart', async t => {
  const { house, a, b, olga, ask } = await open(t)
  await until(() => b.connections > 0, 'other')
  await ask('network set other token t0ken-of-other', dm)
  const release = b.faults.hold()
  a.user('alice').say('#general', 'waits')
  const asked = await ask('!network del other')
  assert.match(
    asked,
    /^deletes the network other with its tokens; other:#general, other:#far leave their rooms; the rooms far have no other place and go; \d+ deliver\w+ that waits? for it (is|are) given up · !yes/,
  )
  const { seq } = olga.say('#general', yes(asked))
  await olga.hears('#general', /^other is deleted$/, seq)
  await until(() => b.connections === 0, 'other is left')
  release()
  await olga.hears('#ops', /^the network other was removed: /, seq)
  const { settings } = await house.context('after')
  assert.deepEqual(settings.ignored, [])
  assert.deepEqual(Object.keys(settings.current.networks), ['chat'])
  assert.deepEqual(Object.keys(settings.current.rooms), ['general', 'ops'])
  assert.deepEqual(
    await house.ledger.read(db => sql(db, "SELECT name FROM secret WHERE name LIKE 'network%'").all()),
    [],
  )
  assert.equal(await ask('!network del chat'), 'you are heard on chat: delete it from another network')
})

test('a draft can be dropped, and a name that is taken is refused', async t => {
  const { ask } = await open(t)
  assert.match(await ask('network add memory other', dm), /^there is a network other already/)
  assert.match(await ask('network add memory Bad!', dm), /use lower-case letters/)
  await ask('network add memory acme', dm)
  await ask('network set acme token s3cr3t-thing', dm)
  assert.match(await ask('network test acme', dm), /^acme is not set up yet: !network add acme says/)
  assert.match(await ask('network add irc acme', dm), /^acme is being set up as memory: |^no platform irc/)
  assert.equal(await ask('!network del acme'), 'acme is not set up any more; what was given for it is gone')
  assert.match(await ask('!network del acme'), /^no network acme/)
})

test('an IRC network is set up with its account; what its kind refuses is said in its words', async t => {
  const { house, ask } = await open(t)
  assert.match(
    await ask('network add irc libera', dm),
    /^libera \(irc\), 1 of 2: .*\nsay !network set libera host irc\.libera\.chat$/,
  )
  assert.match(await ask('network set libera host 127.0.0.1', dm), /^libera: host is set\nlibera \(irc\), 2 of 2: /)
  assert.match(
    await ask('network set libera nick 0bad', dm),
    /^nick is wrong: write a nick of at most 32 letters, digits, _ and -, no digit first$/,
  )
  assert.match(await ask('network set libera nick mychanop', dm), /all that it needs is there.*\nmay be set before: /s)
  assert.match(await ask('network set libera port 70000', dm), /^port must be at most 65535$/)
  await ask('network set libera port 1', dm)
  await ask('network set libera sasl.account mychanop', dm)
  await ask('network set libera sasl.password correct-horse-battery', dm)
  await ask('network set libera channels #one,#two', dm)
  assert.match(await ask('network add libera', dm), /^libera is added and being connected/)
  const { settings } = await house.context('look')
  const { host, port, sasl, channels } = settings.current.networks['libera'] as unknown as Record<string, unknown>
  assert.deepEqual(
    { host, port, sasl, channels },
    {
      host: '127.0.0.1',
      port: 1,
      sasl: { account: 'mychanop', password: 'secret:network.libera.sasl.password' },
      channels: ['#one', '#two'],
    },
  )
  await until(
    async () => /^libera (connecting|down)/.test(await ask('!network show libera', { at: '@admin' })),
    'its status',
  )
})

test('a server that we run has no nick of ours, and is not said to', () => {
  const managed = { kind: 'irc', managed: true } as const
  assert.throws(
    () => givenValue('irc', managed, 'nick', '0bad'),
    /^ChanopError: no key 'nick' of irc; there are channels, personas, managed, /,
  )
  assert.throws(() => givenValue('irc', managed, 'sasl.account', 'x'), /no key 'sasl\.account' of irc; there are /)
  assert.equal(givenValue('libera', { kind: 'irc' }, 'sasl.account', 'x').value, 'x')
})

test('a yes to the end of a network is to the places and rooms that were shown', async t => {
  const { ask } = await open(t)
  await ask('!room del far')
  await ask('!yes')
  await ask('!room link ops other:#far')
  const shown = await ask('!network del other')
  assert.match(
    shown,
    /^deletes the network other with its tokens; other:#general, other:#far leave their rooms.* · !yes/,
  )
  // As many places as before, of which one now has a room of its own, which would go.
  await ask('!room unlink ops other:#far')
  await ask('!room add far other:#far')
  assert.match(
    await ask(yes(shown)),
    /^that has changed meanwhile: .*; the rooms far have no other place and go.* · !yes/,
  )
})
