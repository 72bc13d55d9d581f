import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ChanopError } from '../../core/error.ts'
import type { NetworkId, UserId } from '../../core/event.ts'
import { personFor } from '../../core/ledger/people/people.ts'
import { sql } from '../../core/ledger/sqlite.ts'
import { House } from '../../test/house.ts'
import { asker, audited, auditLines, firstLine } from '../../test/talk.ts'
import { runBridge } from '../bridge/run.ts'
import { runAdmin } from './admin.ts'

async function open(t: TestContext) {
  const house = new House(t)
  const restarted: string[] = []
  await house.run('bridge', runBridge)
  await house.run('admin', context => runAdmin(context, { restart: bot => void restarted.push(bot) }))
  await Promise.all([house.server('a').ready(), house.server('b').ready()])
  const talks = (name: string) => asker(house.server('a'), name)
  return { house, restarted, talks, olga: talks('olga'), bob: talks('bob'), server: house.server('a') }
}

const privately = { at: '@admin' }
const dm = { in: '@admin' }

test('who somebody is: by account, never by name', async t => {
  const { olga, bob, server, house } = await open(t)
  assert.equal(firstLine(await olga('!whoami', privately)), 'olga · account olga · owner')
  assert.equal(firstLine(await bob('!whoami', privately)), 'bob · account bob · guest')
  assert.match(await olga('!whoami', privately), /\nallows all \d+ commands: !help\nrooms: general, ops$/)
  assert.match(
    await bob('!whoami', privately),
    /\nallows \d+ of \d+ commands: !help · \+\d+ more for members, .*\nrooms: general$/,
  )
  const fake = server.user('olga', { id: '~olga', verified: false })
  const { seq } = fake.say('#general', '!whoami')
  const answer = await fake.hears('@admin', /./, seq)
  assert.match(answer.text, /^olga · nobody vouches for you here: log in/)
  fake.say('#general', '!restart oracle')
  const line = await audited(house, ({ command, account }) => command === 'restart' && account === '~olga', 'restart')
  assert.equal(line.decision, 'denied')
  assert.match(line.result, /^unverified: restart needs operator; nobody vouches for you here/)
})

test('status, version, networks and rooms say how it is', async t => {
  const { bob, olga } = await open(t)
  assert.match(
    await bob('!status'),
    /^up \d+\S* · admin ok · bridge \w+ · oracle \w+ · scribe \w+ · redis ok\nchat up \S+ · memory\nother up \S+ · memory\nno model is on: !model add, in a direct message to oracle$/,
  )
  assert.match(await bob('!version'), /^chanop \d+\.\d+\.\d+ · node 24\./)
  assert.match(await bob('!networks'), /^chat up \S+ · memory\nother up \S+ · memory$/)
  assert.match(await bob('!network show chat', privately), /^chat up \S+ · memory\nplaces: #general$/)
  assert.equal(await bob('!network show chatt', privately), 'no network chatt; did you mean chat?')
  assert.equal(await bob('!network show nowhere', privately), 'no network nowhere; !networks lists them')
  const general = 'general: chat:#general ⇄ other:#general · open'
  assert.equal(await bob('!rooms'), general)
  assert.equal(await olga('!rooms', privately), `${general}\nops: chat:#ops`)
})

test('roles: given and taken, in all and in one room, for a time, and never above one’s own', async t => {
  const { house, olga, bob, talks } = await open(t)
  const otto = talks('otto')
  house.server('a').user('otto').join('#general')
  const zoe = house.server('b').user('zoe')
  zoe.join('#general')
  const confirmed = async (said: string) => olga(`!yes ${/!yes (\w+)/.exec(await olga(said))?.[1]}`)
  assert.equal(await bob('!role grant bob owner'), 'role grant needs operator; you are guest')
  assert.equal(await olga('!role grant otto operator'), 'chat:otto is operator')
  assert.equal(await otto('!role grant bob owner'), 'you are operator and can not make somebody owner')
  assert.equal(await otto('!role grant olga member'), 'olga is owner: only such a one may change that')
  assert.equal(await otto('!role revoke olga'), 'olga is owner: only such a one may change that')
  assert.equal(await olga('!role grant olga member'), 'that is the last owner: make another one first')
  assert.equal(
    await confirmed('!role grant olga owner for=1h'),
    'olga is owner for good: a role for a time adds nothing to that',
  )
  assert.equal(await olga('!role revoke olga'), 'that is the last owner: make another one first')
  assert.equal(
    await otto('!role grant bob boss'),
    "role is owner, operator, member, guest; not 'boss' · usage: role grant <who> <owner|operator|member|guest> [in=…] [for=…]",
  )
  assert.equal(await otto('!role grant bob member in=nowhere'), 'no room nowhere; !rooms lists them')
  assert.match(await otto('!role grant bob member for=soon'), /'soon' is no duration: write 90s, 15m, 2h or 3d/)
  assert.equal(await otto('!role grant bob operator in=ops for=2h'), 'chat:bob is operator in ops for 2h')
  const inOps = (): true | undefined => house.server('a').channel('#ops').admitted?.has('bob') || undefined
  await house.server('a').watch.until(inOps, 'bob to be admitted', 5000)
  assert.equal(
    firstLine(await bob('!whoami', { in: '#ops', at: '@admin' })),
    'bob · account bob · guest (operator in ops)',
  )
  assert.equal(
    await bob('!restart oracle', { in: '#ops' }),
    'restart needs operator everywhere, not in this room alone; you are guest',
  )
  assert.equal(await otto('!role revoke bob'), 'chat:bob has no role to take away')
  assert.equal(await otto('!role revoke bob in=ops'), 'chat:bob has no role in ops any more')
  assert.equal(await otto('!role revoke nobody'), 'nobody is called nobody; !person list shows who has an account')
  assert.match(await olga('!role grant other:nobody member'), /^nobody is known as other:nobody: they join/)
  assert.equal(await olga('!role grant zoe member'), 'nobody is called zoe; !person list shows who has an account')
  assert.equal(await confirmed('!role grant other:zoe owner'), 'other:zoe is owner')
  assert.equal(await olga('!role revoke olga'), 'chat:olga has no role any more')
  assert.equal(await olga('!restart oracle'), 'restart needs operator; you are guest')
  assert.equal((await auditLines(house)).filter(({ decision }) => decision === 'denied').length >= 3, true)
})

test('a role ends when its time is over', async t => {
  const { house, olga, bob, server } = await open(t)
  server.user('bob').join('#general')
  assert.equal(await olga('!role grant bob operator for=2h'), 'chat:bob is operator for 2h')
  assert.equal(await bob('!restart scribe'), 'scribe restarts')
  await house.ledger.write(db => db.prepare("UPDATE role SET until_ms = ? WHERE role = 'operator'").run(Date.now() - 1))
  assert.equal(await bob('!restart scribe'), 'restart needs operator; you are guest')
})

test('a word is the account on the asker’s own network; whoever else is called so is asked about', async t => {
  const { house, olga, talks } = await open(t)
  // Two accounts of elsewhere made themselves one person, who is called carol.
  await house.ledger.write(tx => personFor(tx, 'other' as NetworkId, 'c4r0l' as UserId, 'carol', Date.now()))
  assert.equal(await olga('!role grant carol operator'), 'who is carol? write other:c4r0l')
  assert.match(
    await olga('!person add carol'),
    /in your DM · the name carol is other:c4r0l already: write network:account/,
  )
  assert.equal(await olga('!role grant carol operator'), 'who is carol? write chat:carol or other:c4r0l')
  assert.equal(await olga('!role grant chat:carol operator'), 'chat:carol is operator')
  const roles = await olga('!role list', privately)
  assert.match(roles, /carol-2: operator · chat:carol/)
  assert.doesNotMatch(roles, /c4r0l/)
  house.server('a').user('Dora', { id: 'd0ra' }).join('#general')
  assert.equal(await olga('!role grant dora member'), 'who is dora? write chat:d0ra')
  assert.equal(await talks('carol')('!role grant chat:d0ra member'), 'chat:d0ra is member')
})

test('what somebody gives who has a role for a time ends with it, and what is for good stays', async t => {
  const { house, olga, talks } = await open(t)
  const [otto, mary] = [talks('otto'), talks('mary')]
  for (const name of ['otto', 'mary', 'bob']) house.server('a').user(name).join('#general')
  assert.equal(await olga('!role grant mary member'), 'chat:mary is member')
  assert.equal(await olga('!role grant otto operator for=2h'), 'chat:otto is operator for 2h')
  for (const words of ['otto operator', 'bob operator', 'bob operator for=9d']) {
    assert.match(await otto(`!role grant ${words}`), /^chat:(otto|bob) is operator for 1h 59m, as long as you are$/)
  }
  assert.equal(await otto('!role grant bob member for=1m'), 'chat:bob is member for 1m')
  assert.equal(await otto('!role revoke mary'), 'you are operator for a time: ask somebody who is so for good')
  const asked = await otto('!person del mary')
  assert.match(asked, /you are operator for a time: ask somebody who is so for good|no person has the account/)
  assert.match(await otto('!person add dan'), /^dan has an account as member for 1h 59m, as long as you are operator; /)
  await house.ledger.write(tx => sql(tx, 'UPDATE role SET until_ms = 1 WHERE until_ms IS NOT NULL').run())
  assert.equal(await otto('!restart oracle'), 'restart needs operator; you are guest')
  assert.equal(firstLine(await mary('!whoami', privately)), 'mary · account mary · member')
})

test('settings: set, seen in both processes at once, exported, unset, and bad ones refused', async t => {
  const { house, olga, bob } = await open(t)
  const elsewhere = await house.context('other')
  assert.equal(await bob('!config set commands.lines 6'), 'config set needs owner; you are guest')
  assert.equal(await olga('!config set commands.lines 6'), 'commands.lines = 6 (was 4)')
  assert.match(
    await olga('!config get commands.lines', privately),
    /^commands\.lines = 6 \(chat, olga (now|\ds ago)\)$/,
  )
  assert.equal(elsewhere.settings.current.commands.lines, 6)
  assert.match(
    await olga('!config diff', privately),
    /^commands\.lines: 4 \(default\) → 6 \(chat, olga (now|\ds ago)\)$/,
  )
  assert.match(await olga('!config set commands.lines many'), /^'commands\.lines' must be a number/)
  assert.match(await olga('!config set commands.lnes 6'), /^no key 'commands\.lnes'; did you mean 'commands\.lines'\?/)
  assert.match(
    await olga('!config set rooms.ops.places [chat:#general]'),
    /chat:#general is in the room general already/,
  )
  assert.match(
    await olga("!config set rooms.ops.places ['chatt:#ops']"),
    /there is no network 'chatt'; did you mean 'chat'\?/,
  )
  assert.match(await olga('!config set commands.prefix x'), /use 1 to 3 punctuation marks/)
  assert.match(await olga('!config set commands.prefix ?'), /^commands begin with \? everywhere then; .* · !yes/)
  assert.match(await olga('!yes'), /commands\.prefix = "\?" \(was "!"\)/)
  assert.equal(await olga('?role grant bob member in=a*b'), 'no room a*b; ?rooms lists them')
  assert.equal(await olga('?network show `x*', privately), 'no network `x*; ?networks lists them')
  assert.match(await olga('?config find prefix', privately), /commands\.prefix = "\?" \(chat/)
  assert.match(await olga('?config export', privately), /^written to .*chanop-config\.yaml$/)
  assert.match(readFileSync(join(house.dataDir, 'chanop-config.yaml'), 'utf8'), /prefix: "\?"/)
  assert.equal(await olga('?config unset commands.prefix'), 'commands.prefix = "!" again (default)')
  assert.equal(
    await olga('!config unset commands.prefix'),
    'commands.prefix was not changed in chat; !config diff lists what was',
  )
  assert.equal(elsewhere.settings.current.commands.prefix, '!')
})

test('a file that was changed is read by all at a reload; a wrong one changes nothing and names its line', async t => {
  const { house, olga } = await open(t)
  const elsewhere = await house.context('other')
  const file = readFileSync(house.configFile, 'utf8')
  writeFileSync(house.configFile, `${file}commands: { lines: 9 }\n`)
  assert.equal(await olga('!config reload'), 'the file holds; nothing is changed in chat')
  assert.equal((await elsewhere.settings.reload()).ignored.length, 0)
  assert.equal(elsewhere.settings.current.commands.lines, 9)
  writeFileSync(house.configFile, `${file}comands: { lines: 9 }\n`)
  assert.match(await olga('!config reload'), /chanop\.yaml:\d+: unknown key 'comands'; did you mean 'commands'\?/)
  assert.equal(elsewhere.settings.current.commands.lines, 9)
  writeFileSync(house.configFile, `${file}redis: { url: 'redis://127.0.0.1:6379/9' }\n`)
  await olga('!config set commands.lines 7')
  await olga('!config set budget.dailyUsd 6')
  assert.equal(
    await olga('!config reload'),
    'the file holds, but for what chat changed: commands.lines, budget.dailyUsd (!config diff)\nredis: the next npm start takes it over',
  )
  assert.equal(
    await olga('!config set redis.url redis://127.0.0.1:6380/0'),
    'redis.url = "redis://127.0.0.1:6380/0" (was "redis://127.0.0.1:6379/9"); the next npm start takes it over',
  )
  assert.match(await olga('!config unset redis.url'), /again \(file\); the next npm start takes it over$/)
  writeFileSync(house.configFile, file.replace('budget:', 'x:'))
  assert.match(
    await olga('!config set fleet.alertRoom opps'),
    /^fleet\.alertRoom = "opps" \(was "ops"\); there is no such room/,
  )
  assert.equal(await olga('!config set fleet.alertRoom chat:#ops'), 'fleet.alertRoom = "chat:#ops" (was "opps")')
  assert.match(await olga("!config set rooms.tmp {places: ['chat:#tmp']}"), /^rooms\.tmp = /)
  assert.equal(await olga('!config unset rooms.tmp'), 'rooms.tmp is gone: only chat had it')
  assert.match(
    await olga('!config get rooms.genral', privately),
    /^no key 'rooms\.genral'; did you mean 'rooms\.general'\?/,
  )
})

test('secrets: only in a DM, only owners, and nowhere to be read afterwards', async t => {
  const { house, olga, bob, server } = await open(t)
  const canary = 'canary-5f2c9'
  assert.equal(await bob(`secret set KEY ${canary}`, dm), 'secret set needs owner; you are guest')
  assert.match(
    await olga(`!secret set KEY ${canary}`),
    /works only in a direct message to admin; others saw what you typed here: take another value/,
  )
  assert.match(await olga(`!secrte set KEY ${canary}`, privately), /that looked like secret set written wrongly/)
  assert.match(await olga(`secret set KEY ${canary}`, dm), /^KEY is set; write secret:KEY/)
  assert.match(await olga('secret list', dm), /^KEY · set by olga now$/)
  assert.equal(await (await house.context('x')).secret('secret:KEY'), canary)
  assert.equal(await olga('secret del NONE', dm), 'there is no secret NONE; !secret list shows them')
  const asked = await olga('secret del KEY', dm)
  assert.match(asked, /^deletes KEY: what refers to it stops working · !yes \w{3}/)
  assert.equal(await olga(`yes ${/!yes (\w+)/.exec(asked)?.[1]}`, dm), 'KEY is deleted')
  assert.equal(await olga('secret list', dm), 'the vault is empty')
  const tables = ['event', 'revision', 'delivery', 'audit', 'pending', 'page', 'secret', 'setting']
  for (const table of tables) {
    const rows = await house.ledger.read(db => sql(db, `SELECT * FROM ${table}`).all())
    assert.equal(JSON.stringify(rows).includes(canary), false, table)
  }
  assert.equal(house.server('b').transcript().includes(canary), false, 'it was not carried to the other network')
  assert.equal(server.transcript().split(canary).length - 1, 4, 'only as it was typed')
})

test('people: an account with its login in the asker’s DM, a new password, and its end', async t => {
  const { olga, bob, server } = await open(t)
  assert.equal(await bob('!person add x'), 'person add needs operator; you are guest')
  assert.equal(await olga('!person add carl role=operator'), 'carl has an account as operator; the login is in your DM')
  const login = await server.user('olga').hears('@admin', 'account=carl')
  const password = /password=(\S+)/.exec(login.text)?.[1] ?? ''
  assert.ok(password.length >= 24)
  server.login('carl', password)
  const carl = asker(server, 'carl')
  assert.equal(firstLine(await carl('!whoami', privately)), 'carl · account carl · operator')
  assert.equal(await olga('!person add carl'), 'carl is a person here already; !person passwd gives a new login')
  assert.match(await olga('!person list', privately), /^carl: operator · chat:carl\nolga: owner · chat:olga$/)

  const { seq } = server.user('carl').say('#general', '!person passwd')
  const renewed = await server.user('carl').hears('@admin', /account=carl/, seq)
  const next = /password=(\S+)/.exec(renewed.text)?.[1] ?? ''
  assert.notEqual(next, password)
  assert.throws(() => server.login('carl', password), /No login/)
  server.login('carl', next)
  assert.equal(await bob('!person passwd carl', privately), 'that is not your account: ask an operator')
  assert.equal(await carl('!person passwd olga', privately), 'olga is owner: only such a one may change that')
  assert.equal(await carl('!person del olga'), 'olga is owner: only such a one may change that')
})

test('an account that cannot be made gives nobody a role', async t => {
  const { house, olga, server } = await open(t)
  server.user('mallory').say('#general', 'I was here first')
  assert.match(
    await olga('!person add mallory role=operator'),
    /^mallory has no account: .*exists; choose another name/,
  )
  assert.equal(firstLine(await asker(server, 'mallory')('!whoami', privately)), 'mallory · account mallory · guest')
  const people = await house.ledger.read(db => sql(db, 'SELECT name FROM person').all())
  assert.deepEqual(
    people.map(row => row['name']),
    ['olga'],
  )
  server.faults.refuseAccounts(2)
  assert.equal(await olga('!person add dora'), 'dora has an account as member; the login is in your DM')
})

test('a person whose account is deleted has no role, and the next of that name is somebody new', async t => {
  const { house, olga, server } = await open(t)
  await olga('!person add carl')
  await olga('!role grant carl operator')
  assert.equal(await olga('!person del olga'), 'that is you: let another owner do it')
  assert.equal(await olga('!person del nobody'), 'no person has the account nobody; !person list shows them')
  const asked = await olga('!person del carl')
  assert.match(asked, /^deletes the account carl \(\w+\) and ends its sessions · !yes/)
  assert.equal(await olga(`!yes ${/!yes (\w+)/.exec(asked)?.[1]}`), 'carl is deleted')
  assert.equal(await server.accounts.get('carl'), null)
  await olga('!person add carl')
  const people = await house.ledger.read(db => sql(db, 'SELECT name FROM person ORDER BY name').all())
  assert.deepEqual(
    people.map(row => row['name']),
    ['carl', 'olga'],
  )
  assert.equal(await olga('!role grant carl member'), 'chat:carl is member')
})

test('nobody gets a password who is not vouched for', async t => {
  const { server, house } = await open(t)
  const fake = server.user('olga', { id: 'olga', verified: false })
  assert.equal(fake.verified, false)
  fake.say('#general', '!person passwd')
  const line = await audited(house, ({ command }) => command === 'person passwd', 'passwd')
  assert.equal(line.decision, 'failed')
  assert.match(line.result, /nobody vouches for you here/)
  assert.equal(await server.accounts.get('olga'), null)
})

test('more shows the next lines, once for each asker and place', async t => {
  const { olga, bob } = await open(t)
  assert.match(await olga('!config get', privately), /· 4\/\d+ · !more$/)
  assert.match(await olga('!more 2', privately), /· 6\/\d+ · !more$/)
  assert.equal(await bob('!more'), 'nothing more to show')
  assert.match(await olga('!config get commands', privately), /· 4\/5 · !more$/)
  assert.equal(await olga('!more all', privately), 'commands.lines = 4 (default)')
  assert.equal(await olga('!more'), 'nothing more to show')
  assert.match(await olga('!more none'), /write a number of lines, or all/)
})

test('say: in rooms and channels that exist, as it is written', async t => {
  const { house, olga, bob, server } = await open(t)
  assert.equal(await bob('!say general hi'), 'say needs operator; you are guest')
  assert.equal(await olga('!say general *hello* `all`'), '*hello* `all`')
  await server.user('olga').hears('@admin', 'said in chat:#general')
  await house
    .server('b')
    .watch.until(() => house.server('b').transcript().includes('*hello* `all`'), 'the other place', 5000)
  assert.equal(
    await olga('!say nowhere:#x hi', privately),
    'no room or channel nowhere:#x; !rooms lists them, and network:channel names any',
  )
  assert.equal(
    await olga('!say @bob hi', privately),
    'no room or channel @bob; !rooms lists them, and network:channel names any',
  )
  assert.equal(await olga('!say #dev hi', privately), 'said in chat:#dev')
  await server.watch.until(() => server.channel('#dev').messages.find(({ text }) => text === 'hi'), 'in #dev', 5000)
})

test('restart: told, noted, and only known bots', async t => {
  const { house, restarted, olga, bob } = await open(t)
  assert.equal(await olga('!restart oracle'), 'oracle restarts')
  assert.deepEqual(restarted, ['oracle'])
  assert.match(await olga('!restart postgres'), /^bot is admin, bridge, oracle, scribe; not 'postgres'/)
  assert.match(await olga('!restart'), /^bot is missing · usage: restart/)
  assert.equal(await bob('!restart oracle'), 'restart needs operator; you are guest')
  assert.deepEqual(restarted, ['oracle'])
  assert.match(
    await olga('!audit 1 cmd=restart who=bob', privately),
    /bob \(bob\) chat:#general restart oracle → denied: restart needs operator; you are guest$/,
  )
  assert.match(await olga('!audit verify', privately), /^whole: \d+ lines, each fits the one before$/)
  assert.match(
    await olga('!audit decision=maybe', privately),
    /decision is allowed, denied, ignored, failed; not 'maybe'/,
  )
  assert.equal((await auditLines(house)).filter(({ command }) => command === 'restart').length, 4)
})

test('a backup is told when it is made, or why it was not, to the owner who asked', async t => {
  const house = new House(t)
  const ran: string[] = []
  const program = async (args: readonly string[]): Promise<string> => {
    if (ran.push(args.join(' ')) === 1) return 'saved and opened again: data/backups/b.age\n12 MB, SHA-256 00\n'
    throw new ChanopError('setup-failed', 'a backup is encrypted, and nothing says how')
  }
  await house.run('bridge', runBridge)
  await house.run('admin', context => runAdmin(context, { program }))
  const server = house.server('a')
  await server.ready()
  const olga = server.user('olga')
  await olga.shouldReply('#general', '!backup', /^a backup is being made/, dm)
  await olga.hears('@admin', 'saved and opened again: data/backups/b.age\n12 MB, SHA-256 00')
  await olga.shouldReply('@admin', '!backup', /^a backup is being made/)
  await olga.hears('@admin', 'no backup was made: a backup is encrypted, and nothing says how')
  await server.user('bob').shouldReply('#general', '!backup', /needs owner/)
  assert.deepEqual(ran, ['scripts/backup.ts', 'scripts/backup.ts'])
})
