import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { sql } from '../../../core/ledger/sqlite.ts'
import { House } from '../../../test/house.ts'
import { asker, firstLine } from '../../../test/talk.ts'
import { runBridge } from '../../bridge/run.ts'
import { runAdmin } from '../admin.ts'

const fingerprint = '0a'.repeat(32)
const privately = { at: '@admin' }

async function open(t: TestContext, address = 'ircs://127.0.0.1:6697') {
  const house = new House(t)
  const server = house.server('a')
  server.reached = { address, fingerprint }
  await house.run('bridge', runBridge)
  await house.run('admin', context => runAdmin(context, { restart: () => undefined }))
  await Promise.all([server.ready(), house.server('b').ready()])
  const olga = asker(server, 'olga')
  /** Says `line` as olga in #general, and returns what came to her DM. */
  const whispered = async (line: string, answer: string | RegExp, secret: RegExp): Promise<string> => {
    const { seq } = server.user('olga').say('#general', line)
    await server.user('olga').hears('#general', answer, seq)
    return (await server.user('olga').hears('@admin', secret, seq)).text
  }
  const code = async (line: string): Promise<string> => {
    const said = await whispered(line, /is in your DM$/, /^code that makes/)
    return /: (\S{4}-\S{4}-\S{4}) ·/.exec(said)?.[1] ?? ''
  }
  const claim = async (given: string) => {
    const env = { ...process.env, CHANOP_DATA: house.dataDir }
    const script = join(import.meta.dirname, '../../../scripts/claim.ts')
    const child = spawn(process.execPath, [script, given], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
    return { stdout, stderr }
  }
  return { house, server, olga, whispered, code, claim }
}

const passwordIn = (said: string): string => /password=(\S+)/.exec(said)?.[1] ?? ''

test('who gets an account gets all that a client needs, by three clients', async t => {
  const { whispered, server } = await open(t)
  const said = await whispered('!person add bob', /^bob has an account as member/, /account=bob/)
  const password = passwordIn(said)
  assert.ok(server.accounts.opens('bob', password))
  const colons = Array.from({ length: 32 }, () => '0A').join(':')
  assert.deepEqual(said.split('\n'), [
    `account=bob password=${password} server=ircs://127.0.0.1:6697 fingerprint=${fingerprint}`,
    `npm run chat (the line above in FILE): npm run chat -- --server ircs://127.0.0.1:6697 --fingerprint ${fingerprint} --password-file FILE`,
    'irssi:',
    `/network add -nick bob -sasl_mechanism PLAIN -sasl_username bob -sasl_password ${password} chanop`,
    `/server add -network chanop -tls -notls_verify -tls_pinned_cert ${colons} 127.0.0.1 6697`,
    '/connect chanop',
    'WeeChat (before 4.0: -ssl and -ssl_fingerprint):',
    `/server add chanop 127.0.0.1/6697 -tls -nicks=bob,bob_ -sasl_username=bob -sasl_password=${password} -tls_fingerprint=${fingerprint}`,
    '/connect chanop',
    'The server listens on its own machine alone. From another one with a login there: ssh -N -L 6697:127.0.0.1:6697 MACHINE',
  ])
})

test('an address that all can reach is given as it is, one that is none as a word to fill in', async t => {
  const { whispered } = await open(t, 'ircs://0.0.0.0:7000')
  const said = await whispered('!person add bob', /^bob has an account/, /account=bob/)
  assert.match(said, /--server ircs:\/\/HOST:7000 /)
  assert.match(said, /\nHOST is the address of the machine that Chanop runs on\.$/)
})

test('a code makes the account on the host, once, and nothing before', async t => {
  const { server, code, claim, olga } = await open(t)
  const given = await code('!invite bob role=operator')
  assert.doesNotMatch(await olga('!person list', privately), /bob/)
  const { stdout, stderr } = await claim(given.toLowerCase())
  assert.equal(stderr, '')
  assert.match(stdout, /^account=bob password=\S+ server=ircs:\/\/127\.0\.0\.1:6697 fingerprint=0a/)
  server.login('bob', passwordIn(stdout))
  assert.equal(firstLine(await asker(server, 'bob')('!whoami', privately)), 'bob · account bob · operator')
  const again = await claim(given)
  assert.equal(again.stdout, '')
  assert.match(again.stderr, /^chanop: no login waits for that code/)
})

test('a code opens in a direct message from any account, whose words of it are wiped', async t => {
  const { house, server, code } = await open(t)
  const given = await code('!invite carl for=2h')
  const zoe = server.user('zoe')
  const stranger = server.user('ghost', { id: '~ghost', verified: false })
  await stranger.shouldReply('@admin', `claim ${given}`, /^log in to an account first/)
  const { seq } = zoe.say('@admin', `claim ${given}`)
  await zoe.hears('@admin', 'carl has an account as member; its login:', seq)
  const { text: login } = await zoe.hears('@admin', /^account=carl/, seq)
  assert.ok(server.accounts.opens('carl', passwordIn(login)))
  await zoe.shouldReply('@admin', `claim ${given}`, /^no login waits for that code/)
  const stored = await house.ledger.read(db => JSON.stringify(sql(db, 'SELECT body FROM event').all()))
  assert.ok(!stored.includes(given), 'a typed code is wiped')
})

test('a code ends with its time, with a newer one for the same name, and with the right to give it', async t => {
  const { house, server, code, claim, olga } = await open(t)
  const first = await code('!invite bob')
  const second = await code('!invite BOB')
  assert.match((await claim(first)).stderr, /^chanop: no login waits/)
  await house.ledger.write(db => sql(db, "UPDATE claim SET until_ms = ? WHERE kind = 'invite'").run(Date.now() - 1))
  assert.match((await claim(second)).stderr, /^chanop: no login waits/)

  await house.grant('chat', 'otto', 'operator')
  const { seq } = server.user('otto').say('#general', '!invite dora')
  const { text: said } = await server.user('otto').hears('@admin', /^code that makes/, seq)
  const ottos = /: (\S{4}-\S{4}-\S{4}) ·/.exec(said)?.[1] ?? ''
  await olga('!role revoke otto')
  assert.match(
    (await claim(ottos)).stderr,
    /^chanop: otto, who gave this code, may not make a member any more: ask for another one/,
  )
  assert.ok(!(await olga('!person list', privately)).includes('dora'))
})

test('who came by the code of somebody who was operator for a time is none any longer than they', async t => {
  const { server, claim, olga } = await open(t)
  server.user('otto').join('#general')
  await olga('!role grant otto operator for=2h')
  const { seq } = server.user('otto').say('#general', '!invite dora role=operator')
  const { text: said } = await server.user('otto').hears('@admin', /^code that makes/, seq)
  await claim(/: (\S{4}-\S{4}-\S{4}) ·/.exec(said)?.[1] ?? '')
  assert.equal(await olga('!role revoke otto'), 'chat:otto has no role any more; what they gave ends with it: dora')
  assert.match(await olga('!can dora restart oracle', privately), /^no: /)
})

test('nobody invites above themselves, for ever, or who is there', async t => {
  const { house, server, olga, code, claim } = await open(t)
  await house.grant('chat', 'otto', 'operator')
  assert.equal(await asker(server, 'otto')('!invite x role=owner'), 'you are operator and can not make somebody owner')
  assert.equal(await asker(server, 'bob')('!invite x'), 'invite new needs operator; you are guest')
  assert.equal(await olga('!invite x for=30d'), 'a code can be used for 7d at most')
  assert.match(await olga('!invite olga'), /^olga is a person here already/)
  assert.match(await olga('!invite everyone'), /^everyone is .* already: choose another name/)
  server.user('mallory').say('#general', 'I was here first')
  const given = await code('!invite mallory')
  assert.match((await claim(given)).stderr, /^chanop: mallory has no account: .*exists.*; ask for another code\n$/)
  assert.equal(firstLine(await asker(server, 'mallory')('!whoami', privately)), 'mallory · account mallory · guest')
})

test('who is invited is listed without codes, and can be taken back', async t => {
  const { house, server, olga, code, claim } = await open(t)
  await house.grant('chat', 'otto', 'operator')
  assert.equal(await olga('!invite list', privately), 'nobody is invited: !invite new NAME gives a code')
  const lisas = await code('!invite lisa')
  assert.match(await olga('!invite new Dave role=owner for=2h'), /^Dave becomes owner and may do everything, .* · !yes/)
  const daves = await code('!yes')
  const listed = (await olga('!invites', privately)).replaceAll(/ in \d+h 59m$/gm, ' in time').split('\n')
  assert.deepEqual(listed, [
    'Dave as owner · by olga · the code ends in time',
    'lisa as member · by olga · the code ends in time',
  ])
  const otto = asker(server, 'otto')
  assert.equal(await otto('!invite revoke dave'), 'you are operator, and dave is invited as owner')
  assert.equal(await otto('!invite revoke LISA'), 'LISA is not invited any more: the code counts no more')
  assert.equal(await otto('!invite revoke lisa'), 'no invitation waits for lisa; !invite list shows them')
  assert.match((await claim(lisas)).stderr, /^chanop: no login waits/)
  assert.match((await claim(daves)).stdout, /^account=Dave /)
  assert.equal(await olga('!invite list', privately), 'nobody is invited: !invite new NAME gives a code')
})
