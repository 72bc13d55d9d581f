import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sql } from '../../../core/ledger/sqlite.ts'
import { World } from './testing.ts'

const room = '#general'

test('a yes is to the agents that were shown: when there are others, it is asked anew', async t => {
  const world = await World.open(t)
  const codeIn = (line: string): string => /!yes (\w+)/.exec(line)?.[1] ?? ''
  for (const name of ['sam-1', 'sam-2']) await world.register(`${name} channels=#general`)
  const asked = await world.says('!revoke @sam-*', /^revokes 2: sam-1, sam-2 · !yes/)
  await world.register('sam-3 channels=#general')
  const again = await world.says(`!yes ${codeIn(asked)}`, /^that has changed meanwhile: revokes 3: sam-1, sam-2, sam-3/)
  assert.equal(await world.state('sam-1'), 'active')
  await world.says(`!yes ${codeIn(again)}`, /sam-3 is revoked and disconnected/)
})

test('here means the agents in this room', async t => {
  const world = await World.open(t)
  const inside = await world.register('sam-1')
  await world.register('sam-2')
  inside.join(room)
  await world.says('!agents here', /^1 agent: 1 active\nsam-1 /)
  await world.says('!agents @here', /^1 agent: 1 active\nsam-1 /)
  await world.says('!agents @all,-here', /^1 agent: 1 registered\nsam-2 · worker · registered /)
})

test('names that mean something already are nobody’s', async t => {
  const world = await World.open(t)
  for (const name of ['here', 'yes', 'Admln']) {
    await world.says(`!register ${name}`, /already: choose another name/)
    await world.says(`!person add ${name}`, /already: choose another name/)
    await world.says(`!group add ${name}`, /already: choose another name/)
  }
  await world.says('!person add bob', /^bob /)
  await world.says('!group add bob', 'bob is a person already: choose another name')
  await world.register('sam-1')
  for (const type of ['all', 'bob', 'workers', 'sam-1']) {
    const means = new RegExp(`^type ${type} is .* already: take another word$`)
    await world.says(`!register sam-2 type=${type}`, means)
    await world.says(`!agent edit sam-1 type=${type}`, means)
  }
})

test('register: done in the room, the login in the DM alone, and it opens the account', async t => {
  const world = await World.open(t)
  const { olga, server } = world
  await world.says(
    '!register Worker-1 channels=#general for=30d',
    'worker-1 is registered as worker; its login is in your DM',
  )
  const password = await world.login('worker-1')
  assert.ok(server.accounts.opens('worker-1', password))
  assert.equal(await world.state('worker-1'), 'active')
  assert.ok(!olga.reads(room).some(({ text }) => text.includes(password)))
  const rows = await world.house.ledger.read(db =>
    ['event', 'delivery', 'orders', 'audit'].map(table => JSON.stringify(sql(db, `SELECT * FROM ${table}`).all())),
  )
  assert.ok(!rows.some(text => text.includes(password)), 'the ledger holds no password')
  await world.says(
    '!agents',
    /^1 agent: 1 registered\nworker-1 · worker · registered · #general · of chat:olga · \S+ left$/,
  )
})

test('register never takes over: neither an account, a person, a bot nor an agent', async t => {
  const world = await World.open(t)
  world.server.user('bob')
  await world.register('worker-1')
  await world.says('!register bob', /^bob is not registered: .*exists/)
  assert.equal(await world.state('bob'), undefined)
  await world.says('!register worker-1', 'worker-1 is an agent already (active): choose another name')
  await world.says('!register olga', 'olga is taken by a person')
  await world.says('!register admin', 'admin is (or looks like) a bot already')
  await world.says('!register bad/name', /^write a name of letters/)
  await world.says('!register w-{1..2000}', /^write a name of letters/)
  await world.says('!register w channels=general', /^channels: 'general' does not fit: write #a,#task-\* or \*/)
  await world.says('!register w rate=fast', /^rate: write lines in a time/)
  await world.says('!register w permissions=fly', /^permissions: there is no command fly/)
  await world.says('!register w permissions=secret.set', /^secret set can not be granted by you to an agent/)
})

test('rotate: a new password, the session ended, the old one refused', async t => {
  const world = await World.open(t)
  const agent = await world.register('worker-1')
  const old = await world.login('worker-1')
  const { seq } = world.olga.say(room, '!rotate worker-1')
  await world.olga.hears(room, 'worker-1 has a new password, in your DM; 1 session ended', seq)
  assert.equal(agent.online, false)
  const next = await world.login('worker-1', world.olga, seq)
  assert.ok(!world.server.accounts.opens('worker-1', old))
  assert.ok(world.server.accounts.opens('worker-1', next))
  assert.equal(await world.state('worker-1'), 'active')
})

test('an agent rotates itself: the login comes before its sessions end', async t => {
  const world = await World.open(t)
  const agent = await world.register('worker-1')
  const { seq } = agent.dm('admin', 'rotate grace=1s')
  const next = await world.login('worker-1', agent, seq)
  assert.ok(agent.online && world.server.accounts.opens('worker-1', next))
  await world.server.watch.until(() => !agent.online, 'the old session to end', 5000)
  await world.register('worker-2')
  const other = world.server.login('worker-1', next)
  await other.shouldReply(room, '!rotate worker-2', 'worker-2 is not yours: ask an operator')
})

test('revoke and restore: suspended with the reason, more than one only after a yes', async t => {
  const world = await World.open(t)
  const agent = await world.register('worker-1')
  const password = await world.login('worker-1')
  await world.register('worker-2')
  await world.says(
    '!revoke worker-1 it leaked',
    'worker-1 is revoked and disconnected (it leaked): suspended, 1 session ended',
  )
  assert.equal(agent.online, false)
  assert.ok(!world.server.accounts.opens('worker-1', password))
  await world.says('!rotate worker-1', /worker-1 is revoked and can not be rotated: !restore worker-1 first/)
  await world.says('!restore worker-1', /^worker-1 is restored/)
  assert.ok(world.server.accounts.opens('worker-1', password))
  const asked = await world.says('!revoke @workers', /^revokes 2: worker-1, worker-2 · !yes/)
  assert.equal(await world.state('worker-2'), 'active')
  await world.says(`!yes ${/!yes (\w+)/.exec(asked)?.[1]}`, /worker-2 is revoked and disconnected \(.*\): suspended/)
  await world.says('!revoke @observer', "nobody fits '@observer'")
  await world.says('!restore @all,-worker-2', /worker-1 is restored/)
  assert.equal(await world.state('worker-2'), 'revoked')
})

test('a fleet: one command, one line, the logins in a file for its owner alone', async t => {
  const world = await World.open(t)
  world.server.user('w-03')
  await world.says('!register w-{01..12} type=observer', /^12 agents are being registered: w-01, w-02/)
  await world.olga.hears(room, /^11 agents registered, 1 failed: w-03: .*exists.*; where the logins are is in your DM$/)
  const { text } = await world.olga.hears('@admin', 'the logins are in ')
  const file = /in (\S+) on the host/.exec(text)?.[1] as string
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(statSync(join(file, '..')).mode & 0o777, 0o700)
  const logins = readFileSync(file, 'utf8').trim().split('\n')
  assert.equal(logins.length, 11)
  for (const line of logins) {
    const [, name = '', password = ''] = /^account=(\S+) password=(\S+) .*engagement=\S+\.\S+\.\S+$/.exec(line) ?? []
    assert.ok(world.server.accounts.opens(name, password), line)
  }
  assert.equal(await world.house.ledger.read(db => sql(db, 'SELECT count(*) AS n FROM claim').get()?.['n']), 0)
})

test('a claim code opens once, in time, for whoever has an account', async t => {
  const world = await World.open(t)
  const bob = world.server.user('bob')
  const code = async (name: string): Promise<string> => {
    const { seq } = world.olga.say(room, `!register ${name} --claim`)
    await world.olga.hears(room, `${name} is registered as worker; its claim code is in your DM`, seq)
    const { text } = await world.olga.hears('@admin', `claim code of ${name}`, seq)
    return /: (\S+-\S+-\S+) ·/.exec(text)?.[1] as string
  }
  const first = await code('worker-1')
  await bob.shouldReply('@admin', `claim ${first.toLowerCase()}`, 'the login of worker-1:')
  const password = await world.login('worker-1', bob)
  assert.ok(world.server.accounts.opens('worker-1', password))
  await bob.shouldReply('@admin', `claim ${first}`, 'no login waits for that code')
  const late = await code('worker-2')
  await world.house.ledger.write(db => sql(db, 'UPDATE claim SET until_ms = ?').run(Date.now() - 1))
  await bob.shouldReply('@admin', `claim ${late}`, 'no login waits for that code')
  const stale = await code('worker-3')
  await world.says('!rotate worker-3', 'worker-3 has a new password')
  await bob.shouldReply('@admin', `claim ${stale}`, 'no login waits for that code')
  const stored = await world.house.ledger.read(db => JSON.stringify(sql(db, 'SELECT body FROM event').all()))
  assert.ok(!stored.includes(first) && !stored.toLowerCase().includes(first.toLowerCase()), 'a typed code is wiped')
})

test('a claim code opens on the host by npm run claim, typed or piped, once', async t => {
  const world = await World.open(t)
  const env = { ...process.env, CHANOP_DATA: world.house.dataDir }
  const claim = (code: string, piped: boolean): { status: number | null; stdout: string; stderr: string } => {
    const script = join(import.meta.dirname, '../../../scripts/claim.ts')
    const args = piped ? [script] : [script, code]
    return spawnSync(process.execPath, args, { env, encoding: 'utf8', ...(piped ? { input: `${code}\n` } : {}) })
  }
  for (const [name, piped] of [
    ['worker-1', false],
    ['worker-2', true],
  ] as const) {
    const { seq } = world.olga.say(room, `!register ${name} --claim`)
    const { text } = await world.olga.hears('@admin', `claim code of ${name}`, seq)
    const code = /: (\S+-\S+-\S+) ·/.exec(text)?.[1] as string
    const first = claim(code, piped)
    assert.equal(first.stderr, '')
    assert.ok(world.server.accounts.opens(name, /password=(\S+)/.exec(first.stdout)?.[1] as string))
    const second = claim(code, piped)
    assert.equal(second.status, 1)
    assert.match(
      second.stderr,
      /^chanop: no login waits for that code: it was used, has run out, or is mistyped; ask whoever gave it for another\n$/,
    )
  }
})

test('an agent may do what its engagement names, and nothing else', async t => {
  const world = await World.open(t)
  const agent = await world.register('worker-1')
  await agent.shouldReply(room, '!agents', /agent list is not in the engagement of worker-1/)
  await agent.shouldReply(room, '!register x', /register is not in the engagement of worker-1/)
  await world.says('!agent edit worker-1 permissions=agent.list', /worker-1 · worker · active/)
  await agent.shouldReply(room, '!agents', /^1 agent: 1 active/)
  await world.house.grant('chat', 'worker-1', 'owner')
  await agent.shouldReply(room, '!secret list', /secret list is not in the engagement/)
  await agent.shouldReply(room, '!whoami', /worker-1/, { in: '@admin' })
  const impostor = world.server.user('worker-1x', { id: 'guest-1', verified: false })
  impostor.rename('worker-1')
  await impostor.shouldReply(room, '!agents', /agent list needs member; nobody vouches for you/)
  world.olga.say(room, '!revoke worker-1')
  await world.olga.hears(room, 'worker-1 is revoked')
})

test('what is relayed, noticed or edited in carries no command of an agent', async t => {
  const world = await World.open(t)
  await world.register('victim')
  const agent = await world.register('boss')
  await world.says('!agent edit boss permissions=revoke', /boss · worker/)
  const probe = '!agent edit victim type=worker'
  agent.say(room, '!revoke victim', { hops: 1 })
  agent.say(room, '!revoke victim', { style: 'notice' })
  const plain = agent.say(room, 'nothing')
  agent.edit(plain.id, '!revoke victim')
  await world.says(probe, /victim · worker · active/)
  assert.equal(await world.state('victim'), 'active')
  await agent.shouldReply(room, '!revoke victim', 'victim is revoked')
})

test('over its rate an agent is warned, then muted', async t => {
  const world = await World.open(t)
  const agent = await world.register('worker-1 rate=3/s')
  const talk = (): void => {
    for (const word of ['one', 'two', 'three', 'four']) agent.say(room, word)
  }
  talk()
  await world.olga.hears(room, 'worker-1: more than 3 lines in 1s: slow down, or you are muted for a minute')
  talk()
  await world.olga.hears(room, 'worker-1 is muted for a minute: more than 3 lines in 1s, again')
  const { seq } = agent.say(room, '!jwks')
  await world.says('!agents', /^1 agent: 1 active/)
  const heard = agent.reads(room).filter(message => message.seq > seq && message.text.includes('kty'))
  assert.deepEqual(heard, [])
  const until = await world.house.ledger.read(db => sql(db, "SELECT value FROM setting WHERE key LIKE 'ignore%'").get())
  assert.match(String(until?.['value']), /chat:worker-1/)
})

test('outside its channels an agent is put out', async t => {
  const world = await World.open(t)
  const agent = await world.register('worker-1 channels=#general')
  agent.join('#ops')
  await world.server.watch.until(
    () => !world.server.channel('#ops').members.has('worker-1'),
    'worker-1 to be put out',
    5000,
  )
  agent.join(room)
  await world.says('!agent edit worker-1 channels=#ops', /worker-1/)
  await world.server.watch.until(
    () => !world.server.channel(room).members.has('worker-1'),
    'worker-1 to be put out',
    5000,
  )
})

test('when its time is over an agent is suspended, and the operators hear it', async t => {
  const world = await World.open(t)
  const agent = await world.register('worker-1 for=1s')
  agent.join(room)
  await world.olga.hears('#ops', 'the engagement of worker-1 is over: it is suspended', 0, 8000)
  await world.server.watch.until(() => !agent.online, 'its session to end', 5000)
  await world.says('!restore worker-1', 'the time of worker-1 is over: !restore worker-1 for=30d')
  await world.says('!restore worker-1 for=1h', 'worker-1 is restored')
})

test('adopt, sessions, kick, cert, del: an account comes under management and goes again', async t => {
  const world = await World.open(t)
  const old = world.server.user('oldbot')
  await world.says('!adopt oldbot type=observer', 'oldbot is an agent now; its password is as it was')
  await world.says('!adopt strange', /^strange is not adopted: there is no account strange/)
  await world.says('!agent sessions oldbot', 'oldbot: 1 session')
  await world.says('!agent kick oldbot go', 'oldbot: 1 session ended')
  assert.equal(old.online, false)
  const print = 'ab'.repeat(32)
  await world.says(`!agent cert add oldbot ${print}`, /oldbot: certificate …ababab opens its account/)
  assert.ok(world.server.accounts.opens('oldbot', print))
  await world.says(`!agent cert del oldbot ${print}`, /is taken away/)
  assert.ok(!world.server.accounts.opens('oldbot', print))
  const asked = await world.says('!agent del oldbot --keep', /its account stays · !yes/)
  await world.says(`!yes ${/!yes (\w+)/.exec(asked)?.[1]}`, 'oldbot is no agent any more; its account stays')
  assert.ok(await world.server.accounts.get('oldbot'))
  await world.says('!adopt oldbot', 'oldbot is an agent now')
  const again = await world.says('!agent del oldbot', /deletes oldbot and its account/)
  await world.says(`!yes ${/!yes (\w+)/.exec(again)?.[1]}`, 'oldbot is deleted')
  assert.equal(await world.server.accounts.get('oldbot'), null)
  assert.equal(await world.state('oldbot'), undefined)
  await world.says('!agent reap idle=1h', 'idle is a day at least')
  await world.says('!agent reap idle=2d', 'everybody was seen in the last 2d')
})
