/** What an agent is called, what is left of it, and by which other accounts it speaks: none of it reaches further than its engagement. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { agentNamed, agentOf } from '../../../core/ledger/agents/agents.ts'
import { groupsOf } from '../../../core/ledger/people/groups.ts'
import { personFor } from '../../../core/ledger/people/people.ts'
import { grant, roleIn } from '../../../core/ledger/people/roles.ts'
import { apiKeys, insertKey } from '../../../core/ledger/settings/api-keys.ts'
import { overrides } from '../../../core/ledger/settings/settings.ts'
import { World } from './testing.ts'

const room = '#general'
const web = 'web' as NetworkId
const config = `
owner: chat:olga
networks:
  chat: { kind: memory, server: '{server}-a', channels: ['#general', '#ops'] }
  web: { kind: http, listen: '127.0.0.1:0' }
rooms:
  general: { places: ['chat:#general'], open: true }
  ops: { places: ['chat:#ops'] }
channels: { types: { night-: { join: ['@night', '@scout', 'guard-*'] } } }
commands: { perMinute: 6000, burst: 1000 }
`

const open = (t: TestContext): Promise<World> => World.open(t, { config })

const keyFor = (world: World, agent: string): Promise<void> =>
  world.house.ledger.write(tx =>
    insertKey(tx, {
      network: web,
      account: `${agent}-key` as UserId,
      prefix: agent.padEnd(8, 'x').slice(0, 8),
      hash: '0'.repeat(64),
      agent,
      scopes: ['say'],
      rooms: null,
      perMinute: null,
      budgetUsd: null,
      forwards: false,
      createdMs: Date.now(),
      createdBy: 'olga',
      untilMs: null,
      usedMs: null,
      revokedMs: null,
    }),
  )

test('an agent comes into no closed channel by what it, or one that it makes, is called', async t => {
  const world = await open(t)
  const able = 'permissions=agent.edit,register,rotate,group.add,group.join,group.part,group.del'
  const boss = await world.register(`boss ${able} type=chief`)
  await world.register('guard-1')
  await world.says('!group add night', '@night: made')
  const beyond = /a place in the channels #night-\*/
  const ways = [
    '!agent edit boss type=scout',
    '!register guard-2',
    '!register other type=scout',
    '!group join night',
    '!group add night boss',
    '!rotate guard-1',
  ]
  for (const words of ways) await boss.shouldReply(room, words, beyond)
  await boss.shouldReply(room, '!register helper type=digger', /helper is registered/)
  await boss.shouldReply(room, '!group add day boss,helper', '@day: 2 added')
  await world.says('!group add night boss', '@night: 1 added')
  await boss.shouldReply(room, '!register guard-2', /guard-2 is registered/)
  await boss.shouldReply(room, '!group part night', 'you left @night')
  const engagement = (): Promise<unknown> => world.house.ledger.read(tx => agentNamed(tx, 'boss')?.engagement)
  const held = await engagement()
  await boss.shouldReply(room, '!group part night', /^you are not in @night/)
  assert.equal(await engagement(), held, 'what changes nothing revokes nothing')
  await boss.shouldReply(room, '!group join night', beyond)
})

test('who gets the name of an agent that is gone has none of its keys, groups and codes', async t => {
  const world = await open(t)
  for (const [name, words] of [
    ['ann', '!agent del ann'],
    ['ben', '!agent del ben --keep'],
  ] as const) {
    await world.register(name)
    await world.says(`!group add crew ${name}`, '@crew: 1 added')
    await keyFor(world, name)
    await world.confirms(words, /is deleted|is no agent any more/)
    const left = await world.house.ledger.read(tx => ({
      groups: groupsOf(tx, name),
      open: apiKeys(tx).filter(key => key.agent === name && key.revokedMs === null).length,
    }))
    assert.deepEqual(left, { groups: [], open: 0 }, name)
  }
})

const ignored = async (world: World): Promise<string[]> =>
  (await world.house.ledger.read(overrides)).flatMap(({ key, value }) =>
    key === 'ignore' ? Object.keys(value as object).sort() : [],
  )

test('who is muted or ignored is so with the keys that speak for them, and heard again with them', async t => {
  const world = await open(t)
  const agent = await world.register('worker-1 rate=3/s')
  await keyFor(world, 'worker-1')
  assert.equal((await world.house.ledger.read(tx => agentOf(tx, web, 'worker-1-key' as UserId)))?.name, 'worker-1')
  for (let n = 0; n < 8; n++) agent.dm('admin', `line ${n}`)
  await agent.hears('@admin', 'worker-1 is muted for a minute')
  assert.deepEqual(await ignored(world), ['chat:worker-1', 'web:worker-1-key'])
  await world.says('!ignore del chat:worker-1', 'chat:worker-1 is heard again')
  assert.deepEqual(await ignored(world), [])
  await world.says('!ignore add chat:worker-1', 'chat:worker-1 (with web:worker-1-key) is ignored')
  assert.deepEqual(await ignored(world), ['chat:worker-1', 'web:worker-1-key'])
})

test('who is an operator for a time takes no login that outlasts that, and none from who is so for good', async t => {
  const world = await open(t)
  const { house, server } = world
  await world.register('steady')
  await keyFor(world, 'steady')
  for (const name of ['otto', 'tom']) server.user(name).join(room)
  await world.says('!role grant otto operator', /otto is operator/)
  await world.says('!role grant tom operator for=10m', /tom is operator/)
  await house.ledger.write(tx => {
    const ida = personFor(tx, 'chat' as NetworkId, 'ida' as UserId, 'ida', Date.now())
    grant(tx, { person: ida, room: '', role: 'member', untilMs: null }, 'olga', Date.now())
  })
  const tom = server.user('tom')
  const forATime = /you are operator for a time: ask somebody who is so for good|steady stays longer than your role/
  await world.says('!invite bob', /is in your DM/)
  for (const words of [
    '!key new k1 for=otto',
    '!key new k1 for=ida',
    '!key new k1 for=steady',
    '!key rotate steady-key',
    '!key revoke steady-key',
    '!link del chat:otto',
    '!invite revoke bob',
    '!person passwd otto',
  ]) {
    const { seq } = tom.say(room, words)
    const where = /^!link|passwd/.test(words) ? '@admin' : room
    await tom.hears(where, forATime, seq)
  }
  await tom.shouldReply(room, '!key new toms', /^the key toms is made for tom: /)
  const otto = server.user('otto')
  await otto.shouldReply(room, '!key new k2 for=steady', /^the key k2 is made for steady: /)
})

test('a webhook is made by nobody who may be less than it later, and by an agent where its engagement lets it in', async t => {
  const world = await open(t)
  const { server } = world
  const tom = server.user('tom')
  tom.join(room)
  await world.says('!role grant tom operator for=10m', /tom is operator/)
  const able = 'permissions=hook.new,hook.out'
  const boss = await world.register(`boss ${able} channels=#general`)
  const brief = await world.register(`brief ${able} channels=#general for=1h`)
  for (const words of ['!hook out ops https://example.org/in', '!hook new ops']) {
    await tom.shouldReply(room, words, /you are operator for a time: ask somebody who is so for good/)
    await boss.shouldReply(room, words, /^no room ops; !rooms lists them/)
    await brief.shouldReply(room, words, /the engagement of brief ends, a webhook does not: ask an operator/)
  }
  await boss.shouldReply(
    room,
    '!hook out general https://example.org/in',
    /^the hook out sends what happens in general/,
  )
  await world.says('!agent edit boss channels=#general,#ops', /boss/)
  await boss.shouldReply(room, '!hook new ops', /^the hook hook tells ops/)
  await world.says('!hook out ops https://example.org/in', /^the hook out-2 sends what happens in ops/)
})

test('whoever becomes an owner is shown before, with all accounts, and asked anew when that changed', async t => {
  const world = await open(t)
  const { house, server } = world
  server.user('ann').join(room)
  await world.says('!role grant ann member', /ann is member/)
  await world.says('!role grant ann owner', /^chat:ann becomes owner and may do everything.* · !yes/)
  await house.ledger.write(tx => {
    const ann = personFor(tx, 'chat' as NetworkId, 'ann' as UserId, 'ann', Date.now())
    tx.prepare('INSERT INTO identity VALUES (?, ?, ?)').run('other', 'mallory', ann.id)
  })
  await world.says('!yes', /^that has changed meanwhile: chat:ann \(also other:mallory\) becomes owner/)
  const role = await house.ledger.read(tx =>
    roleIn(tx, personFor(tx, 'chat' as NetworkId, 'ann' as UserId, 'ann', 0), '', Date.now()),
  )
  assert.equal(role, 'member')
  for (const words of ['!person add eve role=owner', '!invite eve role=owner'])
    await world.says(words, /^eve becomes owner and may do everything, take your own role too · !yes/)
})

test('a yes is to what was shown: a set that shrank or whose members changed, and a name that is another’s now', async t => {
  const world = await open(t)
  for (const name of ['a-1', 'a-2', 'b-1', 'b-2']) await world.register(name)
  await world.says('!group add duo a-1,a-2', '@duo: 2 added')
  await world.says('!revoke @duo', /^revokes 2: a-1, a-2 · !yes/)
  await world.says('!group del duo a-2', '@duo: 1 taken out')
  await world.says('!yes', /^that has changed meanwhile: revokes 1: a-1 · !yes/)
  await world.says('!group del duo a-1', '@duo: 1 taken out')
  await world.says('!group add duo b-1', '@duo: 1 added')
  await world.says('!yes', /^that has changed meanwhile: revokes 1: b-1 · !yes/)
  await world.says('!no', /dropped/)
  await world.says('!group del duo b-1', '@duo: 1 taken out')
  await world.says('!group add duo a-1,b-1', '@duo: 2 added')
  await world.says('!agent kick @duo', /^ends the sessions of 2: a-1, b-1 · !yes/)
  await world.says('!group del duo b-1', '@duo: 1 taken out')
  await world.says('!group add duo b-2', '@duo: 1 added')
  await world.says('!yes', /^that has changed meanwhile: ends the sessions of 2: a-1, b-2 · !yes/)
  await world.says('!no', /dropped/)
  for (const name of ['a-1', 'b-1', 'b-2']) assert.equal(await world.state(name), 'active', name)

  await world.says('!agent del b-2', /^deletes b-2 and its account, and ends its sessions · !yes/)
  await world.house.ledger.write(
    tx => void tx.prepare("UPDATE agent SET created_ms = created_ms + 1 WHERE name = 'b-2'").run(),
  )
  await world.says('!yes', /^that has changed meanwhile: deletes b-2/)
  await world.says('!no', /dropped/)

  await world.says('!person add carl', /carl has an account/)
  await world.says('!person del carl', /^deletes the account carl \(member\) and ends its sessions · !yes/)
  await world.says('!agent edit a-1 owner=carl', /of chat:carl/)
  await world.says(
    '!yes',
    /^that has changed meanwhile: deletes the account carl \(member\) and ends its sessions; whoever asks answers for a-1 then/,
  )
  await world.says('!yes', /carl is deleted|a-1 is an agent of chat:olga now/)
})

test('what was given by a role for a time ends with it, down the whole chain, and nothing else does', async t => {
  const world = await open(t)
  const { house, server } = world
  for (const name of ['tom', 'tam', 'tim', 'eva']) server.user(name).join(room)
  await world.says('!role grant tom operator for=10m', /tom is operator for/)
  await server.user('tom').shouldReply(room, '!role grant tam operator', /tam is operator for .*, as long as you are/)
  await server
    .user('tam')
    .shouldReply(room, '!role grant tim operator for=1h', /tim is operator for .*, as long as you are/)
  await world.says('!role grant eva operator for=5m', /eva is operator for/)
  await world.says('!role revoke tom', 'chat:tom has no role any more; what they gave ends with it: tam, tim')
  const roles = await house.ledger.read(tx =>
    ['tom', 'tam', 'tim', 'eva'].map(name =>
      roleIn(tx, personFor(tx, 'chat' as NetworkId, name as UserId, name, 0), '', Date.now()),
    ),
  )
  assert.deepEqual(roles, ['guest', 'guest', 'guest', 'operator'])
  await world.says('!role grant tom operator for=10m', /tom is operator for/)
  await server.user('tom').shouldReply(room, '!role grant tam operator', /tam is operator for .*, as long as you are/)
  await world.says('!role grant tom operator for=1h', /^chat:tom is operator for 1h$/)
  await world.says('!role grant tom member', 'chat:tom is member; what they gave ends with it: tam')
  await world.says('!person add ned', /ned has an account/)
  await world.says('!role grant ned operator for=10m', /ned is operator for/)
  server.login('ned', await world.login('ned')).join(room)
  await server.user('ned').shouldReply(room, '!role grant tam operator', /tam is operator for/)
  await world.confirms('!person del ned', /ned had a role for a time; what they gave ends with it: tam/)
})

test('who is invited under a name that somebody had answers for none of their agents', async t => {
  const world = await open(t)
  const { house, server, olga } = world
  await world.register('w-2')
  await house.ledger.write(tx => void tx.prepare("UPDATE agent SET owner = 'chat:gone' WHERE name = 'w-2'").run())
  const { seq } = olga.say(room, '!invite gone')
  const { text } = await olga.hears('@admin', /code that makes the account gone/, seq)
  const max = server.user('max')
  max.dm('admin', `claim ${/: (\S{4}-\S{4}-\S{4}) ·/.exec(text)?.[1]}`)
  await max.hears('@admin', /account=gone password=/)
  assert.equal((await house.ledger.read(tx => agentNamed(tx, 'w-2')))?.owner, 'chat:olga')
})
