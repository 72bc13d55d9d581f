import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { exampleTests } from '../../../core/contract/commands.ts'
import { recentTries } from '../../../core/ledger/oracle/tries.ts'
import { House } from '../../../test/house.ts'
import { stageContext } from '../../../test/stage.ts'
import { runAdmin } from '../../admin/admin.ts'
import { runBridge } from '../../bridge/run.ts'
import { until } from '../../bridge/testing.ts'
import { answer, ModelServer, nobody, RawServer, refuse, usage } from '../models/testing-server.ts'
import { openOracle, runOracle } from '../oracle.ts'
import { oracleCommands } from './all.ts'
import type { OracleServices } from './services.ts'

exampleTests<OracleServices>('oracle', async stage => {
  const { context, ...open } = await stageContext(stage, 'oracle')
  const { services } = await openOracle(context)
  return { commands: oracleCommands, services, close: () => open.close() }
})

const offered = [
  { id: 'mini', context_length: 16_000, pricing: { prompt: '0.0000004', completion: '0.0000016' } },
  { id: 'maxi' },
]

/** A house in which olga is the owner, and a service that wants a key. */
async function open(t: TestContext, key: string | null = 'right-key') {
  const service = await ModelServer.listen(t, (response, { path, headers }) => {
    if (key !== null && headers.authorization !== `Bearer ${key}`)
      return refuse(response, 401, { error: { message: 'bad key' } })
    if (path.endsWith('/models')) return refuse(response, 200, { data: offered })
    answer(response, ['Hello', ' there!'], usage(12, 3))
  })
  const house = new House(t)
  await house.run('bridge', runBridge)
  await house.run('admin', context => runAdmin(context))
  await house.run('oracle', runOracle)
  await Promise.all([house.server('a').ready(), house.server('b').ready()])
  const olga = house.server('a').user('olga')
  return { house, service, olga, url: service.url }
}

test('a model is added step by step in a direct message, and the key never shows again', async t => {
  const { house, service, olga } = await open(t)
  await olga.shouldReply('@oracle', '!model add', /which service\?/)
  await olga.shouldReply('@oracle', '!model add openai', /I have no key for openai: say !model key openai YOUR-KEY/)
  await olga.shouldReply('@oracle', '!model key openai right-key', /openai's key is sealed as OPENAI_API_KEY/)
  await olga.shouldReply(
    '@oracle',
    `!model add openai url=${service.url}`,
    /openai offers mini, maxi\ntake one: !model add openai mini/,
  )
  const added = await olga.shouldReply('@oracle', `!model add openai mini url=${service.url}`, /mini is on/)
  assert.match(
    added.text,
    /^mini answered in .*: “Hello there!” · cost \$0\.00001 \(12 tokens read, 3 written\)\nmini is on · budget: \$5 a day and \$50 a month, \$1 a day for each person · !model off mini turns it off$/,
  )
  const listed = await olga.shouldReply('@oracle', '!model list', /mini on · openai mini/)
  assert.match(listed.text, /\$0\.4\/\$1\.6 a million · context 16,000/)
  const kept = JSON.stringify(await house.ledger.read(tx => recentTries(tx, 5)))
  assert.ok(!kept.includes('right-key'))
  assert.equal(service.requests.at(-1)?.headers.authorization, 'Bearer right-key')
  const record = house.server('a').transcript()
  assert.ok(record.includes('!model key openai right-key'), 'it was said on the network')
  const rows = await house.ledger.read(tx =>
    JSON.stringify([
      ...(tx as never as { prepare(sql: string): { all(): unknown[] } }).prepare('SELECT body FROM event').all(),
    ]),
  )
  assert.ok(!rows.includes('right-key'), 'and is wiped from the ledger')
})

test('a wrong key, a model that is not offered, one without a price: one line each, and nothing is stored', async t => {
  const { olga, url } = await open(t)
  await olga.shouldReply('@oracle', '!model key openai wrong-key', /sealed/)
  await olga.shouldReply(
    '@oracle',
    `!model add openai mini url=${url}`,
    /openai at .* refuses the key \(401\): bad key/,
  )
  await olga.shouldReply('@oracle', '!model key openai right-key', /sealed/)
  await olga.shouldReply('@oracle', `!model add openai mnii url=${url}`, /openai does not offer mnii/)
  await olga.shouldReply('@oracle', '!model list', /no model is configured/)
})

test('what is wrong with an address is said, and nothing of a password in it', async t => {
  const { house, olga, url } = await open(t, null)
  const page = await RawServer.listen(t, socket => {
    socket.end('HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<!doctype html>')
  })
  const add = (address: string, line: RegExp | string) =>
    olga.shouldReply('@oracle', `!model add compatible mini url=${address}`, line)
  await add(page.url, /^compatible at .* answers, and with no list of models$/)
  await add(page.url.replace('/v1', ''), /with no list of models: its address mostly ends in \/v1$/)
  await add(await nobody(), /can not be reached: nothing listens at its address$/)
  await add(url.replace('http:', 'https:'), /can not be reached: it speaks http there, not https$/)
  await add(url.replace('http://', 'http://user:hunter2@'), /^leave name and password out of it/)
  const said = house
    .server('a')
    .channel('@olga')
    .messages.filter(({ by }) => by === 'chanop')
  assert.ok(said.every(({ text }) => !text.includes('hunter2')))
  await olga.shouldReply('@oracle', '!model list', /no model is configured/)
})

test('a model that somebody else adds under the same name during the trial stays theirs', async t => {
  const { house, olga, url } = await open(t, null)
  await house.grant('chat', 'otto', 'owner')
  const otto = house.server('a').user('otto')
  const slow = await ModelServer.listen(t, async (response, { path }) => {
    if (path.endsWith('/models')) return refuse(response, 200, { data: offered })
    await otto.shouldReply('@oracle', `!model add compatible mini url=${url}`, /mini is on/)
    answer(response, ['Hello'])
  })
  const refused = /models\.mini was changed by somebody else just now: say it again/
  await olga.shouldReply('@oracle', `!model add compatible mini url=${slow.url}`, refused)
})

test('only owners change models; members see them', async t => {
  const { house, url } = await open(t, null)
  await house.grant('chat', 'bob', 'member')
  const bob = house.server('a').user('bob')
  await bob.shouldReply('#general', `!model add compatible mini url=${url}`, /owner/)
  await bob.shouldReply('#general', '!model list', /no model is configured/)
})

test('on, off, set, test, use and del', async t => {
  const { olga, url, service } = await open(t, null)
  await olga.shouldReply('@oracle', `!model add compatible mini url=${url}`, /mini is on/)
  await olga.shouldReply('@oracle', `!model add compatible maxi url=${url} price=1/2`, /maxi is on/)
  await olga.shouldReply('#general', '!model off mini', 'mini is off')
  await olga.shouldReply('#general', '!model off maxi', 'maxi is off; now none is on, and I can not answer')
  await olga.shouldReply('#general', '!model on maxi', 'maxi is on')
  await olga.shouldReply('#general', '!model set maxi priority 7', 'maxi: priority = 7')
  await olga.shouldReply('#general', '!model set maxi price 3/15', /maxi: price = .*"inputPerMillion":3/)
  await olga.shouldReply('#general', '!model set maxi price 0.000003/0.000015', /for a million tokens/)
  await olga.shouldReply('#general', '!model set maxi prioritty 7', 'a model has no prioritty; did you mean priority?')
  await olga.shouldReply('#general', '!model use maxi', 'general: maxi')
  const requests = service.requests.length
  await olga.shouldReply('#general', '!model test maxi', /^maxi answered in .* cost \$0\.000081/)
  assert.equal(service.requests.length, requests + 1)
  const listed = await olga.shouldReply('#general', '!models', /maxi on/)
  assert.match(listed.text, /mini off[\s\S]*maxi on[\s\S]*\ngeneral: maxi$/)
  const asked = await olga.shouldReply('#general', '!model del maxi', /!yes/)
  const [, code] = /!yes (\w+)/.exec(asked.text) ?? []
  await olga.shouldReply('#general', `!yes ${code}`, 'maxi is deleted')
  const left = await olga.shouldReply('#general', '!models', /mini off/)
  assert.ok(!left.text.includes('maxi'), 'and the room does not name it any more')
})

test('usage and budgets tell what is, and idle costs nothing', async t => {
  const { house, olga, url } = await open(t, null)
  await olga.shouldReply('@oracle', `!model add compatible maxi url=${url} price=100/1000`, /maxi is on/)
  const used = await olga.shouldReply('#general', '!usage', /in 1 request/)
  assert.match(
    used.text,
    /^\d{4}-\d\d-\d\d: \$0\.0042 in 1 request, 12 tokens read, 3 written\nyou: \$0\.0042 in 1 request/,
  )
  assert.equal(used.content.attachments, undefined, 'the words wait for no picture')
  const general = house.server('a').channel('#general')
  const drawn = (): boolean => general.messages.some(({ content }) => content.attachments?.[0]?.name === 'usage.png')
  await until(drawn, 'the picture')
  await olga.shouldReply('#general', '!more', /outside of answers: \$0\.0042 in 1 request \(tests/)
  await olga.shouldReply('#general', '!budget set person:olga daily=0.004', 'person:olga: $0.004 a day')
  await olga.shouldReply('#general', '!budget', /you: \$0\.0042 of \$0\.004 today \(105 %\)/)
  await olga.shouldReply(
    '#general',
    '!model test maxi',
    /budget: olga spent \$0\.0042 of today's \$0\.004; it begins anew in .* \(!budget\)/,
  )
  await olga.shouldReply('#general', '!budget del person:olga', 'person:olga: the general limit holds again')
  await olga.shouldReply('#general', '!model test maxi', /^maxi answered/)
})

test('what a closed room may spend is told there and to who asks alone, not in other rooms', async t => {
  const { olga } = await open(t)
  await olga.shouldReply('@oracle', '!budget set room:ops daily=1', 'room:ops: $1 a day')
  const said = await olga.shouldReply('#general', '!budget', /the day ends in/)
  assert.doesNotMatch(said.text, /ops/)
  await olga.shouldReply('@oracle', '!budget', /\nops: \$0 of \$1 today/)
  olga.join('#ops')
  await olga.shouldReply('#ops', '!budget', /\nops: \$0 of \$1 today/)
})

test('a budget of its own leaves what it does not name as it was in general, and is found by an account too', async t => {
  const { house, olga } = await open(t)
  await house.grant('chat', 'bob', 'member')
  await house.ledger.write(tx => tx.prepare("UPDATE person SET name = 'robert' WHERE name = 'bob'").run())
  const bob = house.server('a').user('bob')
  const set = (words: string, said: string | RegExp) => olga.shouldReply('@oracle', `!budget set ${words}`, said)
  await set('person:robert monthly=20', 'person:robert: $20 a month')
  await bob.shouldReply('@oracle', '!budget', /\nyou: \$0 of \$1 today \(0 %\), \$0 of \$20 this month \(0 %\)\n/)
  await set('person:chat:Bob daily=0.1', 'person:chat:Bob: $0.1 a day')
  await bob.shouldReply('@oracle', '!budget', /\nyou: \$0 of \$0\.1 today \(0 %\), \$0 of \$20 this month/)
  await set('person:olga soft=yes', /it is told and goes on/)
  await olga.shouldReply('@oracle', '!budget', /\nyou: \$0 of \$1 today .*; soft: it is told and goes on\n/)
  await olga.shouldReply('@oracle', '!budget del person:chat:bob', /the general limit holds again/)
  await bob.shouldReply('@oracle', '!budget', /\nyou: \$0 of \$1 today \(0 %\), \$0 this month, no limit\n/)
})
