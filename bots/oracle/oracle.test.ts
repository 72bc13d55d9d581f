import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { UserId } from '../../core/event.ts'
import { House } from '../../test/house.ts'
import { runAdmin } from '../admin/admin.ts'
import { runBridge } from '../bridge/run.ts'
import { runOracle } from './oracle.ts'

const line = "I can't answer yet: no model is configured."

async function open(t: TestContext, config?: string) {
  const house = new House(t, config === undefined ? {} : { config })
  await house.run('bridge', runBridge)
  await house.run('admin', context => runAdmin(context))
  await house.run('oracle', context => runOracle(context))
  await Promise.all([house.server('a').ready(), house.server('b').ready()])
  const said = () => house.server('a').transcript().split(line).length - 1
  return { house, a: house.server('a'), b: house.server('b'), said }
}

for (const words of [
  'oracle: what is this?',
  'Oracle, 2+2?',
  '@oracle: ¿qué tal?',
  'well @oracle, what’s up?',
  'oracle?',
]) {
  test(`by name, as “${words}”: one line in the whole room, that says what to do`, async t => {
    const { a, b } = await open(t)
    const answer = await a.user('bob').shouldReply('#general', words, line)
    assert.equal(answer.name, 'oracle')
    assert.match(answer.text, /Add one with !model add, in a direct message to me\.$/)
    await b.watch.until(() => b.transcript().includes(line), 'the other place', 5000)
  })
}

test('in a direct conversation with it, and when one of its lines is answered', async t => {
  const { a, said } = await open(t)
  const answer = await a.user('bob').shouldReply('#ops', 'oracle: are you there?', line)
  await a.user('bob').shouldReply('@oracle', 'hello there', line)
  await a.user('bob').shouldStayQuiet('#ops', 'oracle: again?', '!version', /^chanop/)
  assert.equal(said(), 2, 'once in #ops, once in the direct conversation')
  a.user('bob').say('#ops', 'thanks', { replyTo: answer.id })
  await a.user('bob').shouldStayQuiet('#ops', 'well', '!version', /^chanop/)
  assert.equal(said(), 2, 'the same is not said again so soon')
})

test('a mention as a platform knows it counts, and an answer to its line', async t => {
  const { a } = await open(t)
  const mention = {
    segments: [
      { kind: 'mention' as const, id: null, name: 'oracle' },
      { kind: 'text' as const, text: ' hi' },
    ],
  }
  const { seq } = a.user('bob').say('#general', mention)
  await a.user('bob').hears('#general', line, seq)
})

test('not when it is not meant, by no program, no notice, no relay, no command and nobody who is ignored', async t => {
  const { a, said } = await open(
    t,
    `
owner: chat:olga
networks:
  chat: { kind: memory, server: '{server}-a', channels: ['#general'] }
  other: { kind: memory, server: '{server}-b', channels: ['#general'] }
rooms:
  general: { places: ['chat:#general', 'other:#general'] }
ignore: { 'chat:mallory': null }
`,
  )
  const bob = a.user('bob')
  for (const words of [
    'oracle is down',
    'the oracle: a story',
    'admin: tell oracle: hi',
    'ask oracle',
    'oracles?',
    '!oracle hi',
  ])
    bob.say('#general', words)
  bob.say('#general', 'oracle: hi', { style: 'notice' })
  bob.say('#general', 'oracle: hi', { hops: 1 })
  a.user('robot', { bot: true }).say('#general', 'oracle: hi')
  a.user('mallory').say('#general', 'oracle: hi')
  a.user('bob').say('@admin', 'oracle hi')
  await bob.shouldReply('#general', '!version', /^chanop/)
  assert.equal(said(), 0)
})

test('where one account speaks for all bots, its mention and a private word are for the oracle', async t => {
  const { a } = await open(t)
  a.hasPersonas = false
  const dan = a.user('dan')
  const { seq } = dan.say('#general', {
    segments: [
      { kind: 'mention', id: 'chanop' as UserId, name: 'Whatever it is called' },
      { kind: 'text', text: ' are you there?' },
    ],
  })
  await dan.hears('#general', /no model/, seq)
  await dan.shouldReply('@chanop', 'and in private?', /no model/)
  await dan.shouldReply('@chanop', 'nothing again?', /no model/)
  await dan.shouldReply('@chanop', '!version', /^chanop/)
})
