import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { codeHash, newCode } from '../../../core/access/claim-codes.ts'
import { publish } from '../../../core/command/help/published.ts'
import { Reader } from '../../../core/command/visit/reading.ts'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { keepLinkCode, linkCode } from '../../../core/ledger/people/claims.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { bots } from '../../../core/process/bots.ts'
import { House } from '../../../test/house.ts'
import { asker, auditLines } from '../../../test/talk.ts'
import { runAdmin } from '../../admin/admin.ts'
import { oracleCommands } from '../../oracle/commands/all.ts'
import { addressOf } from '../../oracle/talk/address.ts'
import { runScribe } from '../../scribe/scribe.ts'
import { runBridge } from '../run.ts'
import { settled, until } from '../testing.ts'

async function open(t: TestContext) {
  const house = new House(t)
  await house.run('bridge', runBridge)
  await house.run('admin', context => runAdmin(context, { restart: () => undefined }))
  await house.ledger.write(db => publish(db, 'oracle', oracleCommands as never))
  await house.run('scribe', runScribe)
  await Promise.all([house.server('a').ready(), house.server('b').ready()])
  return { house, server: house.server('a') }
}

/** Every file below a folder whose bytes hold a word. */
function filesWith(folder: string, word: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => {
    const file = join(folder, name)
    // Some are renamed meanwhile: then they are found by their other name.
    return existsSync(file) && statSync(file).isFile() && readFileSync(file).includes(word)
  })
}

const canary = (n: number): string => `zebra${n}quartz`

/** Written wrongly, addressed in whatever way: what each of them holds is in no file, and its asker alone hears of it. */
const wrong: readonly (readonly [said: string, at?: string])[] = [
  ['!secert set E %'],
  ['!secrets set C %'],
  ['!help secret set M %'],
  ['secrets set C %', '@oracle'],
  ['secert set E %', '@oracle'],
  ['!secret sett E %'],
  ['!set secret E %'],
  ['!secret-set E %'],
  ['!SECRETS SET e %'],
  ['admin: secerts set E %'],
  ['@oracle modle key openai %'],
  ['.secret set E %'],
  ['! secret set E %'],
  ['/secrt set E %'],
  ['secret set OPENAI_API_KEY %'],
  ['!model keys openai %'],
  ['[irc] <owner> !secrets set E %'],
  ['hello\n!secrets set E %'],
  ['/msg NickServ IDENTIFY %'],
  ['NickServ: identify olga %'],
  ['!secret put E %'],
  ['/identify %'],
  ['identify %'],
  ['`!secert set E %`'],
  [' /msg admin secret set E %'],
  ['/query @oracle model key openai %'],
  ['msg admin secret set E %'],
  ['/quote PRIVMSG admin :secret set E %'],
  ['/w admin: secerts set E %'],
  ['/m bridge network set libera token %'],
  ['/oper owner %'],
  ['admin secret set E %'],
  ['hey admin: secret set E %'],
  ['please, @admin secrets set E %'],
  ['!secrets E %'],
  ['!network libera set token %'],
  ['!can olga secret set E %'],
  ['!say general !secret set E %'],
  ['you say: !secret set E %'],
  ['14:02 #31 <olga> !secret set E %'],
  ['/msg SaslServ login %'],
  ['!config set models.x.apiKey %'],
  ['!config set networks.libera.sasl.password %'],
  ['!model set x apiKey %'],
  ['secret set E %', '@oracle'],
  ['network set libera token %', '@oracle'],
  ['claim %', '@oracle'],
]

test('a secret in a command that is written wrongly is kept nowhere and carried nowhere; its asker alone hears of it', async t => {
  const { house, server } = await open(t)
  for (const [n, [said, where = '#general']] of wrong.entries()) {
    const user = server.user(`u${n}`)
    user.join('#general')
    const { seq } = user.say(where, said.replace('%', canary(n)))
    const line = await user.hears(where === '#general' ? '@admin' : where, /masked/, seq)
    assert.equal(line.text.includes(canary(n)), false, said)
  }
  // Written as a phone writes it, it is the very command: refused there, and masked all the same.
  const phone = server.user('phone')
  const { seq } = phone.say('#general', `！secret set E ${canary(wrong.length)}`)
  await phone.hears('#general', /secret set needs owner|in a direct message/, seq)
  await settled(house)
  await until(async () => (await house.ledger.read(db => sql(db, 'SELECT 1 FROM event').all().length)) > 0, 'facts')
  // What is kept is read up to here by all that keep it: an ordinary word said after them is in the index and in the logs.
  server.user('reader').say('#general', 'ordinary-plumage')
  const kept = (): boolean => {
    const found = filesWith(house.dataDir, 'plumage').join(' ')
    return /search/.test(found) && /logs\//.test(found) && /ledger/.test(found)
  }
  await until(kept, 'the ordinary word in the ledger, the index and the logs')
  for (const n of [...wrong.keys(), wrong.length]) {
    assert.deepEqual(filesWith(house.dataDir, canary(n)), [], wrong[n]?.[0])
    assert.equal(house.server('b').transcript().includes(canary(n)), false, wrong[n]?.[0])
  }
  const lines = await auditLines(house)
  assert.equal(lines.filter(({ result }) => result.startsWith('masked:')).length, wrong.length)
})

const letters = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0'
const keys = [
  `sk-${letters}`,
  `sk-ant-api03-${letters}`,
  `xoxb-1234567890-${letters}`,
  `ghp_${letters.slice(0, 36)}`,
  `github_pat_${letters}`,
  `AIza${letters.slice(0, 35)}`,
  `123456789:${letters.slice(0, 35)}`,
  `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${letters}`,
  `glpat-${letters}`,
  `hf_${letters}`,
  `AKIAIOSFODNN7EXAMPLE`,
  `nvapi-${letters}`,
  `account=bob password=${letters.slice(0, 32)} server=ircs://127.0.0.1:6697`,
  `/network add -nick bob -sasl_mechanism PLAIN -sasl_password ${letters.slice(0, 32)} chanop`,
  `/server add chanop 127.0.0.1/6697 -sasl_password=${letters.slice(0, 32)} -tls`,
]

test('what looks like a key is masked wherever it is said, also in a command and in an edit, and nothing is done with it', async t => {
  const { house, server } = await open(t)
  const ways = [
    'look, % is mine',
    '!config set oracle.name %',
    '!audit %',
    '> %',
    'oracle: is % good?',
    '!ask %',
    '```\n%\n```',
  ]
  for (const [n, key] of keys.entries()) {
    const user = server.user(`k${n}`)
    user.join('#general')
    const { seq } = user.say('#general', (ways[n % ways.length] as string).replace('%', key))
    await user.hears('@admin', /holds a key: it was masked/, seq)
  }
  const editor = server.user('editor')
  const first = editor.say('#general', 'all is well')
  editor.edit(first.id, `all is ${keys[0]}`)
  await editor.hears('@admin', /holds a key: it was masked/, first.seq)
  await settled(house)
  for (const key of keys) {
    const secret = key.includes(letters.slice(0, 20)) ? letters.slice(0, 20) : key
    assert.deepEqual(filesWith(house.dataDir, secret), [], key)
    assert.equal(house.server('b').transcript().includes(secret), false, key)
  }
  const masked = await house.ledger.read(db =>
    sql(db, "SELECT body FROM event WHERE kind = 'message' AND body ->> 'masked' = 1").all(),
  )
  assert.equal(masked.length, keys.length)
})

test('a topic, a reason to leave and a name are no place for a secret either', async t => {
  const { house, server } = await open(t)
  const [key = '', other = '', third = ''] = keys
  const user = server.user('ann')
  user.join('#general')
  user.topic('#general', `plans, and ${key}`)
  await user.hears('@admin', /holds a key: it was masked/)
  user.topic('#general', `!secerts set E ${canary(90)}`)
  await user.hears('@admin', /looked like secret set written wrongly/)
  user.topic('#general', `!secret set E ${canary(91)}`)
  user.rename(`ann-${other}`)
  user.say('#general', 'with another name')
  user.leave('#general', `bye ${third}`)
  const code = newCode()
  const hash = codeHash('link', code)
  const giver = { network: 'chat' as NetworkId, user: 'bob' as UserId, name: 'bob' }
  await house.ledger.write(db => keepLinkCode(db, hash, giver, Date.now() + 60_000, Date.now()))
  server.user('bob').topic('#general', `say ${code}`)
  await server.user('bob').hears('@admin', /others saw that code: it counts no more/)
  assert.equal(await house.ledger.read(db => linkCode(db, hash, Date.now())), null)
  server.user('bob').topic('#general', 'ordinary plans')
  await until(
    () => house.ledger.read(db => sql(db, "SELECT 1 FROM event WHERE body LIKE '%ordinary plans%'").get()),
    'it',
  )
  await settled(house)
  for (const secret of [key, other, third, canary(90), canary(91), code]) {
    const kept = await house.ledger.read(db => sql(db, 'SELECT body FROM event WHERE instr(body, ?) > 0').all(secret))
    assert.deepEqual(kept, [], secret)
    assert.equal(house.server('b').transcript().includes(secret), false, secret)
  }
})

test('a code that a room saw counts no more, however it is written, and is read nowhere', async t => {
  const { house, server } = await open(t)
  const giver = { network: 'chat' as NetworkId, user: 'ann' as UserId, name: 'ann' }
  const ways = ['is it %?', '!link %', '!claim %', 'join with %', '!clam %']
  for (const [n, way] of ways.entries()) {
    const code = newCode()
    const hash = codeHash('link', code)
    await house.ledger.write(db =>
      keepLinkCode(db, hash, { ...giver, user: `x${n}` as UserId }, Date.now() + 60_000, Date.now()),
    )
    const written = n % 2 === 0 ? code : code.toLowerCase().replaceAll('-', ' ')
    const user = server.user(`c${n}`)
    const { seq } = user.say('#general', way.replace('%', written))
    await user.hears('@admin', /others saw that code: it counts no more/, seq)
    assert.equal(await house.ledger.read(db => linkCode(db, hash, Date.now())), null, way)
    assert.deepEqual(filesWith(house.dataDir, written), [], way)
  }
})

test('talk and commands that merely sound alike are left alone, and what was masked is no question', async t => {
  const { house, server } = await open(t)
  const talk = [
    'secrets are set in stone, they say, for good reason',
    'the model keys are on the table',
    'we link new places every week',
    'identify the problem first, then the model',
    'my task-list sk-short and ABCD-EFGH-JKLM',
    'a set of secret agents',
    'tell admin about the secret set of rules we set',
    'password=required is what the form says',
    'it is !secret set NAME VALUE, in a DM to admin',
    'is the model key OPENAI_API_KEY there?',
    'the secret set of keys is here',
    '/pass me the salt please, msg me later',
  ]
  for (const words of talk) server.user('ann').say('#general', words)
  await settled(house)
  await until(
    () =>
      house
        .server('b')
        .transcript()
        .includes(talk.at(-1) as string),
    'the last on the other side',
  )
  const carried = house.server('b').transcript()
  assert.deepEqual(
    talk.filter(words => !carried.includes(words)),
    [],
  )
  const ann = asker(server, 'ann')
  assert.match(await ann('admin: modle list'), /did you mean !model/)
  assert.match(await ann('!help secret set'), /^secret set needs owner/)
  for (const value of ['null', 'env:OPENAI_API_KEY', 'secret:openai'])
    assert.match(await ann(`!config set models.x.apiKey ${value}`), /^config set needs owner/)
  const event = {
    kind: 'message' as const,
    key: 'chat:1',
    id: '1' as never,
    place: { network: 'chat' as NetworkId, channel: '@ann' as never, private: true as const },
    sender: { id: 'ann' as UserId, name: 'ann', kind: 'person' as const, verified: true },
    atMs: 0,
    origin: 'live' as const,
    content: { segments: [{ kind: 'text' as const, text: 'oracle: secret set ***' }] },
    masked: true as const,
  }
  assert.equal(
    (await house.ledger.read(db => addressOf(db, event, new Reader({ prefix: () => '!', bots })))).is,
    'other',
  )
})
