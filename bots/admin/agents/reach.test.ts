import assert from 'node:assert/strict'
import { test } from 'node:test'
import { agentNamed } from '../../../core/ledger/agents/agents.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { World } from './testing.ts'

const room = '#general'

test('an agent gives nobody, itself included, more than it has', async t => {
  const world = await World.open(t)
  const able = 'permissions=agent.edit,register,adopt,rotate,agent.cert,agent.list,agent.del'
  const agent = await world.register(`boss ${able} channels=#general,#task-* rate=50/s for=1h`)
  const mighty = await world.register('mighty permissions=revoke')
  world.server.user('bob')
  await world.house.grant('chat', 'bob', 'member')
  const more = [
    'boss permissions=*',
    'boss permissions=revoke',
    'boss channels=*',
    'boss channels=#ops',
    'boss channels=#task*',
    'boss rate=51/s',
    'boss for=2h',
    'mighty type=scout',
  ]
  for (const words of more)
    await agent.shouldReply(
      room,
      `!agent edit ${words}`,
      /boss can not give .*: it has not so much itself; ask an operator/,
    )
  await agent.shouldReply(room, '!agent edit boss owner=bob', /boss can give an agent to nobody but chat:olga/)
  await agent.shouldReply(room, '!register helper permissions=*', /boss can not give the permission \*/)
  await agent.shouldReply(room, '!adopt bob permissions=revoke', /boss can not give the permission revoke/)
  await agent.shouldReply(room, '!rotate mighty', /mighty has the permission revoke, which boss has not/)
  await agent.shouldReply(room, `!agent cert add mighty ${'ab'.repeat(32)}`, /mighty has the permission revoke, which/)
  await agent.shouldReply(room, '!register helper permissions=agent.list', /helper is registered/)
  const made = await world.house.ledger.read(db => [agentNamed(db, 'helper'), agentNamed(db, 'boss')])
  assert.deepEqual(made[0]?.channels, ['#general', '#task-*'])
  assert.deepEqual(made[0]?.rate, { count: 5, perMs: 1000 })
  assert.equal(made[0]?.expiresMs, made[1]?.expiresMs)
  await agent.shouldReply(
    room,
    '!agent edit helper channels=#task-1 rate=1/s for=1m',
    /helper · worker · active · 1 closed/,
  )
  assert.ok(mighty.online)
})

test('an agent of all open rooms gives them, and no closed one', async t => {
  const world = await World.open(t)
  const agent = await world.register('boss permissions=register')
  for (const channels of ['#ops', '#task-*', '*,#ops'])
    await agent.shouldReply(room, `!register helper channels=${channels}`, /boss can not give the channel #\S+: /)
  await agent.shouldReply(room, '!register helper channels=#general', /helper is registered/)
  await agent.shouldReply(room, '!register other channels=*', /other is registered/)
})

test('an operator for a time makes no engagement that outlasts it, and touches none that does', async t => {
  const world = await World.open(t)
  await world.register('steady')
  await world.register('short for=1m')
  const tom = world.server.user('tom')
  tom.join(room)
  await world.says('!role grant tom operator for=10m', /tom/)
  const lasting = /steady stays longer than your role or key, which ends .*: ask somebody who has it for good/
  const print = 'ab'.repeat(32)
  for (const words of ['!agent edit steady type=scout', '!rotate steady', `!agent cert add steady ${print}`])
    await tom.shouldReply(room, words, lasting)
  await tom.shouldReply(room, '!register mine for=1h', /you are operator until .*: for=\w+ at most/)
  await tom.shouldReply(room, '!agent edit short for=1h', /you are operator until /)
  await tom.shouldReply(room, '!agent edit short for=5m', /short · worker · active/)
  await tom.shouldReply(room, '!register mine', /mine is registered/)
  const mine = await world.house.ledger.read(db => agentNamed(db, 'mine'))
  assert.ok(mine?.expiresMs && mine.expiresMs <= Date.now() + 600_000)
})

test('who gets the name of an account that was deleted answers for none of its agents', async t => {
  const world = await World.open(t)
  const owner = async (name: string) => (await world.house.ledger.read(db => agentNamed(db, name)))?.owner
  await world.says('!person add bob', /bob has an account/)
  await world.says('!register w-{1..2} owner=bob', /w-1 is registered/)
  await world.says('!register w-3 owner=bob1', /owner: nobody with the account chat:bob1 is known/)
  const asked = await world.says('!person del bob', /deletes the account bob/)
  await world.says(
    `!yes ${/!yes (\w+)/.exec(asked)?.[1]}`,
    /w-1, w-2 are agents of chat:olga now: chat:bob answered for/,
  )
  assert.deepEqual([await owner('w-1'), await owner('w-2')], ['chat:olga', 'chat:olga'])
  await world.says('!agent edit w-2 owner=w-1', /w-2 · worker/)
  const again = await world.says('!agent del w-1', /deletes w-1/)
  await world.says(`!yes ${/!yes (\w+)/.exec(again)?.[1]}`, /w-2 is an agent of chat:olga now/)
  await world.house.ledger.write(db => sql(db, "UPDATE agent SET owner = 'chat:gone' WHERE name = 'w-2'").run())
  await world.says('!person add gone', /w-2 is an agent of chat:olga now: chat:gone answered for it/)
  assert.equal(await owner('w-2'), 'chat:olga')
})

test('its rate holds for what it says to the bots alone', async t => {
  const world = await World.open(t)
  const agent = await world.register('worker-1 rate=3/s')
  for (const word of ['one', 'two', 'three', 'four']) agent.dm('admin', word)
  await agent.hears('@admin', 'worker-1: more than 3 lines in 1s: slow down')
  for (const word of ['one', 'two', 'three', 'four']) agent.dm('admin', word)
  await agent.hears('@admin', 'worker-1 is muted for a minute')
})

test('outside its channels an agent commands nothing', async t => {
  const world = await World.open(t)
  const agent = await world.register('worker-1 channels=#general permissions=agent.list')
  agent.say('#ops', '!agents')
  await world.olga.hears('#ops', 'the engagement of worker-1 does not name #ops')
})
