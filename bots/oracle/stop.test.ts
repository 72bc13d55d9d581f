import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stopwatch } from '../../core/contract/stopwatch.ts'
import { settled, until } from '../bridge/testing.ts'
import { answers, openWorld, questionOf, turnsIn } from './testing.ts'

const slow = [{ waitMs: 100 }, 'Some words ', { hang: true as const }]

/** A second of nothing would hide what comes late: only what is under way is waited for. */
for (const [form, say] of [
  ['!stop', '!stop'],
  ['/stop', '/stop'],
  ['oracle: stop', 'oracle: stop'],
  ['oracle, stop it!', 'oracle, stop it!'],
] as const) {
  test(`${form} ends my answer here: what was said is kept and marked, the model hears it, the next question is answered`, async t => {
    const { house, a, models } = await openWorld(t, request =>
      questionOf(request).endsWith('next') ? ['Next.'] : slow,
    )
    const bob = a.user('bob')
    bob.say('#general', 'oracle: tell me')
    await bob.hears('#general', /^Some words …$/)
    const tookMs = stopwatch()
    await bob.shouldReply('#general', say, /^stopping the answer “oracle: tell me” \(/)
    assert.ok(tookMs() < 1000)
    await bob.hears('#general', /^Some words\n\(stopped by bob\)$/)
    assert.equal(models.aborted.length, 1)
    const next = await bob.shouldReply('#general', 'oracle: next', /^Next\.$/)
    assert.ok(next)
    await settled(house)
    assert.deepEqual(
      (await turnsIn(house)).map(({ state }) => state),
      ['stopped', 'done'],
    )
  })
}

test('stop in a direct message, and as a reply to the answer', async t => {
  const { house, a } = await openWorld(t, () => slow)
  const bob = a.user('bob')
  bob.dm('oracle', 'tell me')
  await bob.hears('@oracle', /^Some words …$/)
  await bob.shouldReply('@oracle', 'stop', /^stopping the answer “tell me”/)
  await bob.hears('@oracle', '(stopped by bob)')
  bob.say('#general', 'oracle: again')
  const answer = await bob.hears('#general', /^Some words …$/)
  await settled(house)
  bob.say('#general', 'stop', { replyTo: answer.id })
  await bob.hears('#general', '(stopped by bob)')
})

test('the sign ⛔ on an answer stops it: by its asker, or by a member', async t => {
  const { house, a } = await openWorld(t, () => slow)
  await house.grant('chat', 'mona', 'member')
  const bob = a.user('bob')
  bob.say('#general', 'oracle: one')
  const first = await bob.hears('#general', /^Some words …$/)
  await settled(house)
  a.user('eve').react(first.id, '⛔')
  await bob.hears('#general', "to stop somebody else's answer needs member; you are guest")
  assert.deepEqual(
    (await turnsIn(house)).map(({ state }) => state),
    ['running'],
  )
  a.user('mona').react(first.id, '⛔\ufe0f')
  await bob.hears('#general', '(stopped by mona)')
  const { seq } = bob.say('#general', 'oracle: two')
  const second = await bob.hears('#general', /^Some words …$/, seq)
  await settled(house)
  bob.react(second.id, '🛑')
  await bob.hears('#general', '(stopped by bob)', seq)
})

test('before the model has said anything, and in the queue: nothing of it is said, and nothing comes back', async t => {
  const { house, a, models, stopOracle, startOracle } = await openWorld(t, () => [{ hang: true }])
  const bob = a.user('bob')
  bob.say('#general', 'oracle: one')
  await until(() => models.requests.length === 1, 'the request')
  bob.say('#general', 'oracle: two')
  await until(async () => (await turnsIn(house)).length === 2, 'both turns')
  const { seq } = await bob.shouldReply(
    '#general',
    'oracle: stop',
    /stopping the answer “oracle: one”.*\nstopped before it began: the answer “oracle: two”/,
  )
  await until(() => models.aborted.length === 1, 'the hang-up')
  await until(async () => (await turnsIn(house)).every(({ state }) => state === 'stopped'), 'both stopped')
  await stopOracle()
  await startOracle()
  await bob.shouldReply('#general', '!queue', 'nothing waits here')
  assert.equal(models.requests.length, 1)
  assert.deepEqual(
    a
      .channel('#general')
      .messages.filter(message => message.name === 'oracle' && message.seq > seq)
      .map(({ text }) => text),
    ['nothing waits here'],
  )
})

test('stop while the oracle is away: the turn is stopped, and the next process leaves it so', async t => {
  const { house, a, models, stopOracle, startOracle } = await openWorld(t, () => [{ hang: true }])
  const bob = a.user('bob')
  bob.say('#general', 'oracle: one')
  await until(() => models.requests.length === 1, 'the request')
  await stopOracle()
  await bob.shouldReply('#general', '!stop', /^stopp(ing|ed before it began: )/)
  await startOracle()
  await until(async () => (await turnsIn(house))[0]?.state === 'stopped', 'stopped')
  await bob.shouldReply('#general', '!queue', 'nothing waits here')
  assert.equal(models.requests.length, 1)
})

test('stop while the oracle is away in the middle of its words: the next process marks them, everywhere', async t => {
  const { house, a, b, models, stopOracle, startOracle } = await openWorld(t, () => slow)
  const bob = a.user('bob')
  bob.say('#general', 'oracle: one')
  await bob.hears('#general', /^Some words …$/)
  await settled(house)
  await stopOracle()
  await bob.shouldReply('#general', '!stop', /^stopping the answer “oracle: one” \(/)
  await bob.shouldReply('#general', '!stop', 'it is being stopped already')
  await startOracle()
  await bob.hears('#general', /^Some words\n\(stopped by bob\)$/)
  await settled(house)
  assert.deepEqual(answers(b), ['Some words\n(stopped by bob)'])
  assert.equal((await turnsIn(house))[0]?.state, 'stopped')
  assert.equal(models.requests.length, 1)
  await bob.shouldReply('#general', '!queue', 'nothing waits here')
})

test('stop as a reply to one of several questions that are answered together ends that answer', async t => {
  const { house, a, models } = await openWorld(
    t,
    request => [...(questionOf(request).endsWith('one') ? [{ waitMs: 400 }] : [{ hang: true as const }]), 'Said.'],
    { more: 'oracle: { followUps: merge }' },
  )
  const bob = a.user('bob')
  bob.say('#general', 'oracle: one')
  await until(() => models.requests.length === 1, 'the first request')
  bob.say('#general', 'oracle: two')
  const three = bob.say('#general', 'oracle: three')
  await until(() => models.requests.length === 2, 'both in one request')
  bob.say('#general', '!stop', { replyTo: three.id })
  await bob.hears('#general', /^stopping the answer “oracle: two” \(/)
  await until(async () => (await turnsIn(house)).every(({ settledMs }) => settledMs !== null), 'an end of all')
  await settled(house)
  assert.deepEqual(
    (await turnsIn(house)).map(({ state }) => state),
    ['done', 'stopped', 'stopped'],
  )
  assert.deepEqual(answers(a), ['Said.'])
})

test('there is nothing to stop: that is said, and no later answer is touched', async t => {
  const { a } = await openWorld(t, () => ['Fine.'])
  const bob = a.user('bob')
  await bob.shouldReply('#general', 'oracle: stop', 'nothing of yours runs here')
  await bob.shouldReply('#general', '!stop all', 'stop all needs operator; you are guest')
  await bob.shouldReply('#general', 'oracle: stop all', 'stop all needs operator; you are guest')
  await bob.shouldReply('#general', 'oracle: how are you?', 'Fine.')
})

test('50 stops while answers run: each is acknowledged soon, and has ended a second later', async t => {
  const { house, a } = await openWorld(t, () => ['Some words. ', { hang: true }])
  const timesMs: number[] = []
  for (let n = 0; n < 50; n++) {
    const bob = a.user(`bob${n}`)
    const { seq } = bob.say('#general', 'oracle: hi')
    await until(
      async () => (await turnsIn(house)).at(-1)?.state === 'running' && (await turnsIn(house)).length === n + 1,
      'it runs',
    )
    const tookMs = stopwatch()
    bob.say('#general', '!stop')
    await bob.hears('#general', /^stopping/, seq)
    timesMs.push(tookMs())
    await until(async () => (await turnsIn(house)).at(-1)?.state === 'stopped', 'an end')
    assert.ok(tookMs() < 1300, `ended after ${tookMs()} ms`)
  }
  timesMs.sort((x, y) => x - y)
  assert.ok((timesMs[48] ?? 0) < 300, `p98 ${timesMs[48]} ms`)
})
