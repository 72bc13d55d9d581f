import assert from 'node:assert/strict'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import {
  type ChannelId,
  type MessageEvent,
  type MessageId,
  type NetworkId,
  text,
  type UserId,
} from '../../../core/event.ts'
import { append } from '../../../core/ledger/record/events.ts'
import { noteCopied } from '../../../core/ledger/record/media.ts'
import { MediaStore } from '../../../core/media/store.ts'
import { auditLines } from '../../../test/talk.ts'
import { until } from '../../bridge/testing.ts'
import type { ModelContent, ModelRequest } from '../models/contract.ts'
import { answers, openWorld, promptOf, questionOf, turnsIn, type World } from '../testing.ts'

const echo = (request: Parameters<typeof questionOf>[0]): string[] => [`re: ${questionOf(request)}`]

/** The oracle has read everything that was said so far: it answers what comes behind it. */
async function settledTalk({ a }: World): Promise<void> {
  await a.user('probe').shouldReply('@oracle', 'are you there?', 're: are you there?')
}

test('a mention of the one account that a platform knows us by, and a group that holds it', async t => {
  const world = await openWorld(t, echo)
  const { a } = world
  const mention = {
    segments: [
      { kind: 'mention' as const, id: null, name: 'chanop', self: true as const },
      { kind: 'text' as const, text: ' hi' },
    ],
  }
  const { seq } = a.user('bob').say('#general', mention)
  await a.user('bob').hears('#general', 're:', seq)
  await a.user('olga').shouldReply('#general', '!group add wise oracle', '@wise: 1 added')
  const asked = a.user('bob').say('#general', '@wise what now?')
  await a.user('bob').hears('#general', 're: @wise what now?', asked.seq)
  await a.user('bob').shouldReply('#general', 'so, @wise what now?', 're: so, @wise what now?')
})

test('in a direct conversation what is a command is no question, and what is a question is no command', async t => {
  const questions = ['why is the sky blue?', 'last night it rained', 'usage of this thing is odd']
  const commands = ['model list', 'usage', 'model key ollama abc']
  for (const personas of [true, false]) {
    const { a, house, models } = await openWorld(t, echo)
    a.hasPersonas = personas
    const olga = a.user('olga')
    const to = personas ? '@oracle' : '@chanop'
    for (const words of commands) await olga.shouldReply(to, words, /^(?!re: )/)
    for (const words of questions) await olga.shouldReply(to, words, `re: ${words}`)
    assert.deepEqual(models.requests.map(questionOf), questions)
    const ran = (await auditLines(house)).map(({ command }) => command)
    assert.deepEqual(ran, ['model list', 'usage', 'model key'])
  }
})

test('!ask, and !why says for what reason', async t => {
  const world = await openWorld(t, echo)
  const bob = world.a.user('bob')
  await bob.shouldReply('#general', '!ask what is up?', /^re: what is up\?$/)
  await bob.shouldReply('#general', '!why', /^“what is up\?”: it was asked by command · answered in \d+m?s$/)
  await bob.shouldReply('#general', 'oracle: and now?', 're: oracle: and now?')
  await bob.shouldReply('#general', '!why', /^“oracle: and now\?”: it was named · answered/)
  await world.a
    .user('carl')
    .shouldReply('#general', '!why', 'you asked nothing here yet; reply to a message to ask about it')
  const talk = bob.say('#general', 'nice weather')
  const { seq } = bob.say('#general', '!why', { replyTo: talk.id })
  await bob.hears('#general', 'not answered: nothing in it spoke to the oracle', seq)
})

test('what a question answers stands above it, however long ago it was said, and where it may be read', async t => {
  const { a, models } = await openWorld(t, echo, { more: 'oracle: { promptTokens: 600 }' })
  const bob = a.user('bob')
  const old = a.user('carl').say('#general', 'the cake is a lie')
  for (let n = 0; n < 20; n++) bob.say('#general', `line ${n} ${'words '.repeat(20)}`)
  const { seq } = bob.say('#general', 'oracle: is it?', { replyTo: old.id })
  await bob.hears('#general', 're: oracle: is it?', seq)
  const answered = () => promptOf(models.requests.findLast(({ task }) => task === 'answer') as never)
  const prompt = answered()
  assert.match(prompt, /\(about what carl said: “the cake is a lie”\)\noracle: is it\?$/)
  assert.ok(!prompt.includes('line 0 '))
  const file = bob.say('#general', '!ask what is it?', { attachments: [{ ref: 'f', name: 'plan.pdf' }] })
  await bob.hears('#general', 're:', file.seq)
  assert.match(answered(), /what is it\?\n\[plan\.pdf\]$/)
})

test('!retry asks once more', async t => {
  let n = 0
  const { a } = await openWorld(t, request => [`${++n}: ${questionOf(request)}`])
  const bob = a.user('bob')
  await bob.shouldReply('#general', '!retry', 'you asked nothing here yet')
  await bob.shouldReply('#general', 'oracle: one', '1: oracle: one')
  await bob.shouldReply('#general', '!retry', '2: oracle: one')
  await bob.shouldReply('#general', '!retry', '3: oracle: one')
})

test('a question that was not answered is the last one too: !why says why, !retry asks it', async t => {
  const { a, models } = await openWorld(t, echo)
  const bob = a.user('bob')
  await bob.shouldReply('#general', 'oracle: one', 're: oracle: one')
  const limits = models.limits()
  models.limits = () => null as never
  await bob.shouldReply('#general', 'oracle: two', /no model is configured/)
  await bob.shouldReply('#general', '!why', 'not answered: no model is configured')
  models.limits = () => limits
  await bob.shouldReply('#general', '!retry', 're: oracle: two')
  await bob.shouldReply('#general', '!why', /^“oracle: two”: it was asked once more · answered/)
})

test('a room may be all ears, or none', async t => {
  const all = await openWorld(t, echo, { general: ', oracle: all' })
  const bob = all.a.user('bob')
  await bob.shouldReply('#general', 'nice weather', 're: nice weather')
  all.a.user('carl').join('#general')
  for (const line of ['carl: not you', 'Carl, nor this', '@dave hi', 'scribe: nor this']) bob.say('#general', line)
  await settledTalk(all)
  assert.deepEqual(answers(all.a), ['re: nice weather'])
  for (const line of ['Hello, how are you?', 'Note: it rains']) await bob.shouldReply('#general', line, `re: ${line}`)
  const off = await openWorld(t, echo, { general: ', oracle: off' })
  const asked = off.a.user('bob').say('#general', 'oracle: hi')
  await settledTalk(off)
  assert.deepEqual(answers(off.a), [])
  const { seq } = off.a.user('bob').say('#general', '!why', { replyTo: asked.id })
  await off.a.user('bob').hears('#general', 'not answered: the oracle is off in this room', seq)
  await off.a.user('bob').shouldReply('#general', '!ask hi', 'the oracle is off in this room')
})

test('in a thread its asker goes on without a name, others do not', async t => {
  const world = await openWorld(t, echo)
  const { a } = world
  const bob = a.user('bob')
  const root = bob.say('#general', 'a topic')
  const { seq } = bob.say('#general', 'oracle: one', { thread: root.id })
  await bob.hears('#general', 're: oracle: one', seq)
  a.user('carl').say('#general', 'not for it', { thread: root.id })
  bob.say('#general', 'not in the thread')
  bob.say('#general', 'and two?', { thread: root.id })
  await bob.hears('#general', 're: and two?', seq)
  await settledTalk(world)
  assert.deepEqual(answers(a), ['re: oracle: one', 're: and two?'])
  // Somebody else's question in between ends nobody's talk.
  a.user('carl').say('#general', 'oracle: mine', { thread: root.id })
  await bob.hears('#general', 're: oracle: mine', seq)
  bob.say('#general', 'and three?', { thread: root.id })
  await bob.hears('#general', 're: and three?', seq)
  a.user('carl').say('#general', 'and mine again?', { thread: root.id })
  await bob.hears('#general', 're: and mine again?', seq)
})

test('programs do not wake it unless they may; loops are cut, slow ones too', async t => {
  const world = await openWorld(t, echo, { more: "oracle: { bots: ['chat:robot'], botsInARow: 3, perBot: 5 }" })
  const { a, house } = world
  const robot = a.user('robot', { bot: true })
  a.user('other', { bot: true }).say('#general', 'oracle: hi')
  for (let n = 1; n <= 3; n++) await robot.shouldReply('#general', `oracle: ${n}`, `re: oracle: ${n}`)
  const cut = robot.say('#general', 'oracle: 4')
  await settledTalk(world)
  assert.equal((await turnsIn(house)).length, 4, 'the probe and three of the robot')
  const { seq } = a.user('bob').say('#general', '!why', { replyTo: cut.id })
  await a.user('bob').hears('#general', 'not answered: a loop was cut: 3 answers in a row without a person', seq)
  for (let n = 5; n <= 6; n++) {
    a.user('bob').say('#general', 'a person speaks')
    await robot.shouldReply('#general', `oracle: ${n}`, `re: oracle: ${n}`)
  }
  a.user('bob').say('#general', 'a person speaks')
  const often = robot.say('#general', 'oracle: 7')
  await settledTalk(world)
  const again = a.user('bob').say('#general', '!why', { replyTo: often.id })
  await a.user('bob').hears('#general', /a loop was cut: 5 answers to this program in 10m/, again.seq)
})

test('a command of a program asks under the same rules as its words', async t => {
  const world = await openWorld(t, echo, { more: "oracle: { bots: ['chat:robot'], botsInARow: 3, perBot: 5 }" })
  const { a, house } = world
  const [robot, other] = [a.user('robot', { bot: true }), a.user('other', { bot: true })]
  for (const name of ['robot', 'other']) await house.grant('chat', name, 'member')
  await other.shouldReply('#general', '!ask hi', /programs do not wake it unless they are allowed to/)
  for (let n = 1; n <= 3; n++) await robot.shouldReply('#general', `!ask ${n}`, `re: ${n}`)
  const cut = /a loop was cut: 3 answers in a row without a person/
  await robot.shouldReply('#general', '!ask 4', cut)
  await robot.shouldReply('#general', '!retry', cut)
  assert.equal((await turnsIn(house)).length, 3)
  a.user('bob').say('#general', 'a person speaks')
  await robot.shouldReply('#general', '!retry', 're: 3')
})

test('what was missed is answered while it is young, marked; not when somebody asked since, nor when it is old', async t => {
  const world = await openWorld(t, echo)
  const { a, house } = world
  await a.user('bob').shouldReply('#general', 'oracle: before', 're: oracle: before')
  a.down()
  a.faults.clockSkewMs = -11 * 60_000
  a.user('carl').say('#ops', 'oracle: too old')
  a.faults.clockSkewMs = -3 * 60_000
  a.user('bob').say('#general', 'oracle: while you were away')
  a.user('bob').say('#ops', 'oracle: first')
  a.user('bob').say('#ops', 'oracle: second')
  const open = a.user('bob').say('#den', 'oracle: who knows?')
  a.user('carl').say('#den', 'I do', { replyTo: open.id })
  a.faults.clockSkewMs = 0
  a.up()
  await a.ready()
  await a.user('bob').hears('#general', /^\(asked 3m ago, while I was away\) re: oracle: while you were away$/)
  await a.user('bob').hears('#ops', /^\(asked 3m ago, while I was away\) re: oracle: second$/)
  await settledTalk(world)
  assert.deepEqual((await turnsIn(house)).length, 4)
  assert.equal(answers(a, '#ops').length, 1)
  const { seq } = a.user('carl').say('#den', '!why', { replyTo: open.id })
  await a.user('carl').hears('#den', 'not answered: it was missed, and somebody answered it since', seq)
})

test('a server whose clock is behind: what was said just now was not missed, and what was missed is as old as it is', async t => {
  const world = await openWorld(t, echo)
  const { a, house } = world
  await settledTalk(world)
  const behindMs = 15 * 60_000
  const said = (key: string, words: string, more: Pick<MessageEvent, 'atMs' | 'origin'>): Promise<unknown> =>
    house.ledger.write(tx => {
      const place = { network: 'chat' as NetworkId, channel: '#general' as ChannelId }
      const sender = { id: 'bob' as UserId, name: 'bob', kind: 'person' as const, verified: true }
      const event = { kind: 'message' as const, key, id: key as MessageId, place, sender, content: text(words) }
      append(tx, { ...event, ...more, atMs: more.atMs - behindMs, aheadMs: -behindMs }, 'general', Date.now())
    })
  await said('chat:now', 'oracle: now', { atMs: Date.now(), origin: 'live' })
  await a.user('bob').hears('#general', /^re: oracle: now$/)
  await said('chat:missed', 'oracle: missed', { atMs: Date.now() - 120_000, origin: 'backfill' })
  await a.user('bob').hears('#general', /^\(asked 2m ago, while I was away\) re: oracle: missed$/)
})

test('context: what everybody there may see, the question last; a private word never reaches a room', async t => {
  const world = await openWorld(t, echo)
  const { a, house, models } = world
  const bob = a.user('bob')
  bob.say('#den', 'canary-den')
  bob.say('#general', 'canary-general')
  await bob.shouldReply('@oracle', 'canary-direct', 're: canary-direct')
  a.user('eve').say('#general', 'I am here')
  await bob.shouldReply('#general', 'oracle: what do you know?', /^re:/)
  const open = promptOf(models.requests.at(-1) as never)
  assert.ok(open.includes('canary-general'))
  assert.ok(!open.includes('canary-den') && !open.includes('canary-direct'))
  assert.ok(open.endsWith('oracle: what do you know?'))
  await bob.shouldReply('@oracle', 'and here?', 're: and here?')
  const own = promptOf(models.requests.at(-1) as never)
  assert.ok(own.includes('canary-direct') && own.includes('canary-den') && own.includes('canary-general'))
  await a.user('eve').shouldReply('@oracle', 'and I?', 're: and I?')
  const eves = promptOf(models.requests.at(-1) as never)
  assert.ok(eves.includes('canary-general') && !eves.includes('canary-den') && !eves.includes('canary-direct'))
  a.putOut('bob', '#den', 'out')
  await until(
    () =>
      house.ledger.read(
        tx =>
          (tx as never as { prepare(sql: string): { all(): unknown[] } })
            .prepare(
              "SELECT 1 FROM member m JOIN place p ON p.id = m.place WHERE p.channel = '#den' AND m.user = 'bob'",
            )
            .all().length === 0,
      ),
    'bob is out',
  )
  await bob.shouldReply('@oracle', 'and now?', 're: and now?')
  assert.ok(!promptOf(models.requests.at(-1) as never).includes('canary-den'), 'from now on no more')
})

test('the beginning of a prompt stays the same, and lines are dropped in big steps; !context shows it', async t => {
  const script = ({ task }: { task: string }) => [task === 'summary' ? 'bob counts lines' : 'ok']
  const { a, models } = await openWorld(t, script, { more: 'oracle: { promptTokens: 900 }' })
  const bob = a.user('bob')
  const answered = () => models.requests.filter(({ task }) => task === 'answer').at(-1) as never
  const starts: string[] = []
  for (let n = 0; n < 12; n++) {
    bob.say('#general', `line ${n} ${'words '.repeat(20)}`)
    const { seq } = bob.say('#general', `oracle: ${n}`)
    await bob.hears('#general', 'ok', seq)
    starts.push(
      promptOf(answered())
        .split('\n')
        .find(line => line.startsWith('[')) ?? '',
    )
  }
  assert.match(promptOf(answered()), /What was said before, in short:\nbob counts lines/)
  const [system] = (answered() as ModelRequest).messages
  assert.ok(!JSON.stringify(system).includes('bob counts lines'), 'what people said is material, not orders')
  const summaries = models.requests.filter(({ task }) => task === 'summary').length
  const moved = starts.filter((start, at) => at > 0 && start !== starts[at - 1]).length
  assert.ok(moved >= 1 && moved <= 4, `moved ${moved} times in 12`)
  assert.ok(summaries >= 1 && summaries <= moved, 'each line is put into a summary once')
  const shown = await bob.shouldReply(
    '#general',
    '!context',
    /^scripted: [\d,]+ of 900 tokens · mind .* lines .* · lines #\d+–#\d+/,
    { in: '@oracle' },
  )
  const [, total] = /: ([\d,]+) of/.exec(shown.text) ?? []
  assert.ok(Number(total?.replace(',', '')) <= 900)
})

test('pictures of a question are given to models that take them, and named to those that do not', async t => {
  const { house, a, models } = await openWorld(t, echo)
  const store = new MediaStore(join(house.dataDir, 'media'), house.ledger, () => ({
    fileBytes: 1e6,
    totalBytes: 1e6,
    keepMs: 1e9,
  }))
  const bytes = Readable.from([Buffer.from('a picture')])
  const kept = await store.put(bytes, new AbortController().signal)
  await house.ledger.write(tx => noteCopied(tx, 'chat' as NetworkId, 'file-1', kept, 0))
  const attachments = [{ ref: 'file-1', name: 'cat.png', type: 'image/png' }]
  const ask = async (words = 'oracle: what is it?', more: { attachments?: typeof attachments } = { attachments }) => {
    const { seq } = a.user('bob').say('#ops', words, more)
    await a.user('bob').hears('#ops', 're:', seq)
    return models.requests.at(-1)?.messages.at(-1)?.content
  }
  assert.match(JSON.stringify(await ask()), /what is it\?[^]*cat\.png/)
  const plain = models.limits()
  models.limits = () => ({ ...plain, images: true })
  const url = `data:image/png;base64,${Buffer.from('a picture').toString('base64')}`
  const [picture, question] = (await ask()) as ModelContent[]
  assert.deepEqual(picture, { kind: 'image', url, text: '[picture cat.png]' })
  assert.match(JSON.stringify(question), /what is it/)
  for (let times = 0; times < 2; times++) {
    const [again, asked] = (await ask('!retry', {})) as ModelContent[]
    assert.deepEqual(again, picture)
    assert.match(JSON.stringify(asked), /what is it\?[^]*cat\.png/)
  }
})
