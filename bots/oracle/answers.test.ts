import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currentOf } from '../../core/ledger/record/events.ts'
import { plain } from '../../core/text/text.ts'
import { settled, until } from '../bridge/testing.ts'
import { answers, openWorld, promptOf, questionOf, turnsIn } from './testing.ts'

const paragraphs = ['First.\n\n', 'Second.\n\n', 'Third.\n\n', 'Fourth.\n\n', 'Fifth.\n\n', 'Sixth.']

test('an answer grows where it can, comes whole elsewhere, and its record has the final text alone', async t => {
  const steps = Array.from({ length: 12 }, (_, n) => [`word${n} `, { waitMs: 150 }]).flat()
  const { house, a, b } = await openWorld(t, () => steps)
  a.user('bob').say('#general', 'oracle: tell me')
  const first = await a.user('bob').hears('#general', /^word0.* …$/)
  assert.deepEqual(answers(b), [], 'a bridge carries the final text')
  await a.user('bob').hears('#general', /word11$/)
  await settled(house)
  const whole = Array.from({ length: 12 }, (_, n) => `word${n}`).join(' ')
  assert.deepEqual(answers(a), [whole])
  assert.deepEqual(answers(b), [whole])
  assert.ok((a.message(first.id)?.edits.length ?? 0) > 1)
  const question = a.channel('#general').messages.find(({ text }) => text === 'oracle: tell me')
  assert.equal(a.message(first.id)?.edits[0]?.before.replyTo, question?.id)
  const [turn] = await turnsIn(house)
  assert.equal(turn?.state, 'done')
})

test('a short answer is said once, everywhere', async t => {
  const { house, a, b } = await openWorld(t, () => ['**Yes**', ', it is.'])
  await a.user('bob').shouldReply('#general', 'oracle: is it?', 'Yes, it is.')
  await settled(house)
  assert.deepEqual([answers(a), answers(b)], [['Yes, it is.'], ['Yes, it is.']])
  assert.equal(a.channel('#general').messages.at(-1)?.edits.length, 0)
})

test('a link that the conversation did not hold is no link, whatever its Markdown looks like', async t => {
  const { house, a, b } = await openWorld(t, () => ['Not ` https://evil.example/?d=1 but https://a.example/x'])
  a.user('bob').say('#general', 'oracle: what of https://a.example/x')
  await settled(house)
  for (const server of [a, b]) {
    const said = await until(() => server.channel('#general').messages.find(({ text }) => text.startsWith('Not')), 'it')
    assert.deepEqual(said.content.segments.slice(1), [
      { kind: 'code', block: false, text: 'https://evil.example/?d=1' },
      { kind: 'text', text: ' but ' },
      { kind: 'link', url: 'https://a.example/x' },
    ])
  }
})

test('where nothing can be edited: whole paragraphs as they come, four lines, then more', async t => {
  const slow = paragraphs.flatMap(text => [text, { waitMs: 500 }])
  const { house, a, b } = await openWorld(t, () => slow)
  const bob = b.user('bob')
  bob.say('#general', 'oracle: count')
  await bob.hears('#general', 'First.')
  assert.deepEqual(answers(b), ['First.'])
  await bob.hears('#general', /4\/6 · !more$/)
  await settled(house)
  assert.deepEqual(answers(b).join('\n').split('\n'), ['First.', 'Second.', 'Third.', 'Fourth. · 4/6 · !more'])
  assert.ok(answers(b).length > 2, 'as they came')
  assert.deepEqual(answers(a), [paragraphs.join('')])
  await bob.shouldReply('#general', '!more', 'Fifth.\nSixth.')
})

test('typing is shown while it works', async t => {
  const { a } = await openWorld(t, () => [{ waitMs: 300 }, 'Done.'])
  a.user('bob').say('#general', 'oracle: hi')
  await a.watch.until(() => a.channel('#general').typing.has('oracle'), 'typing', 5000)
  await a.user('bob').hears('#general', 'Done.')
  await a.watch.until(() => !a.channel('#general').typing.has('oracle'), 'no typing', 5000)
})

test('two quick questions in a room are answered in order, each once; another room does not wait', async t => {
  const script = (request: Parameters<typeof questionOf>[0]) => [{ waitMs: 200 }, `answer to ${questionOf(request)}`]
  const { house, a, models } = await openWorld(t, script)
  const bob = a.user('bob')
  bob.say('#general', 'oracle: one')
  bob.say('#general', 'oracle: two')
  a.user('carl').say('#ops', 'oracle: three')
  await bob.hears('#general', 'answer to oracle: two')
  await a.user('carl').hears('#ops', 'answer to oracle: three')
  await settled(house)
  assert.deepEqual(answers(a), ['answer to oracle: one', 'answer to oracle: two'])
  assert.deepEqual(models.requests.map(questionOf).toSorted(), ['oracle: one', 'oracle: three', 'oracle: two'])
  assert.ok(models.requests.findIndex(r => questionOf(r) === 'oracle: three') < 2, 'side by side')
})

test('who waits longer than two seconds hears how many are before them; a full queue says so', async t => {
  const { house, a } = await openWorld(t, () => [{ waitMs: 2600 }, 'Done.'], { more: 'oracle: { queue: 1 }' })
  const bob = a.user('bob')
  bob.say('#general', 'oracle: one')
  await until(async () => (await turnsIn(house)).length === 1, 'the first turn')
  bob.say('#general', 'oracle: two')
  await until(async () => (await turnsIn(house)).length === 2, 'the second turn')
  const full = 'a question waits here already: ask again when it is answered'
  await bob.shouldReply('#general', 'oracle: three', full)
  bob.say('#general', 'oracle: three!')
  await a.user('carl').shouldReply('#general', 'oracle: four', full)
  assert.equal(answers(a).filter(text => text === full).length, 2, 'once to each')
  await bob.hears('#general', '1 before you: your answer follows')
  await until(() => answers(a).filter(text => text === 'Done.').length === 2, 'both answers')
  assert.equal((await turnsIn(house)).length, 2)
})

test('what the same person asks meanwhile may be answered together: it says so, and closes all of them', async t => {
  const { house, a, models } = await openWorld(t, () => [{ waitMs: 400 }, 'All of it.'], {
    more: 'oracle: { followUps: merge }',
  })
  const bob = a.user('bob')
  bob.say('#general', 'oracle: one')
  await until(() => models.requests.length === 1, 'the first request')
  bob.say('#general', 'oracle: two')
  bob.say('#general', 'oracle: three')
  a.user('carl').say('#general', 'oracle: four')
  await bob.hears('#general', '(to 2 messages) All of it.')
  await until(async () => (await turnsIn(house)).every(({ state }) => state === 'done'), 'all of them')
  assert.equal(models.requests.length, 3)
  assert.match(promptOf(models.requests[1] as never), /asks you 2 things[^]*oracle: two\noracle: three/)
  const [, two, three] = await turnsIn(house)
  assert.deepEqual([two?.answer, three?.merged], [three?.answer, two?.id])
})

test('a question that was deleted before its turn came is not asked, and nothing is said of it', async t => {
  const { house, a, models } = await openWorld(t, () => [{ waitMs: 500 }, 'Done.'])
  const bob = a.user('bob')
  bob.say('#general', 'oracle: one')
  await until(() => models.requests.length === 1, 'the first request')
  const { id } = bob.say('#general', 'oracle: two')
  await until(async () => (await turnsIn(house)).length === 2, 'the second turn')
  bob.remove(id)
  bob.say('#general', 'oracle: three')
  await settled(house)
  await until(() => answers(a).length === 2, 'both answers')
  assert.deepEqual(models.requests.map(questionOf), ['oracle: one', 'oracle: three'])
  const [, two] = await turnsIn(house)
  assert.deepEqual([two?.state, two?.error, two?.answer], ['failed', 'the question was deleted', null])
  const asked = bob.say('#general', '!ask four')
  await until(() => answers(a).length === 3, 'the next answer')
  bob.remove(asked.id)
  await bob.shouldReply('#general', '!retry', '(the question was deleted)')
})

test('a model that fails is said in one line, with what came before it', async t => {
  const { house, a } = await openWorld(t, () => ['Some words.', { fail: 'no model answers: main said 500' }])
  await a.user('bob').shouldReply('#general', 'oracle: hi', 'Some words.\n(no model answers: main said 500)')
  const [turn] = await turnsIn(house)
  assert.deepEqual([turn?.state, turn?.error], ['failed', 'no model answers: main said 500'])
})

test('a model that begins anew: what it said first is replaced', async t => {
  const { house, a, b } = await openWorld(t, () => [
    'Wrong.\n\nwords',
    { waitMs: 800 },
    { restart: 'cut' },
    'Right.\n\nEnd.',
  ])
  a.user('bob').say('#general', 'oracle: hi')
  await a.user('bob').hears('#general', 'Wrong.')
  await a.user('bob').hears('#general', 'Right.\n\nEnd.')
  await settled(house)
  assert.deepEqual(answers(a), ['Right.\n\nEnd.'])
  b.user('bob').say('#general', 'oracle: hi')
  await b.user('bob').hears('#general', 'End.', b.channel('#general').messages.at(-1)?.seq)
  await settled(house)
  assert.deepEqual(answers(b).slice(1), ['Wrong.', '(the model failed; from the beginning:) Right.\nEnd.'])
})

test('the oracle dies while it answers: the same message is made whole, and where it can not be it is marked', async t => {
  let calls = 0
  const { house, a, b, stopOracle, startOracle } = await openWorld(t, () =>
    ++calls % 2 === 1 ? ['Half.\n\nof', { waitMs: 1000 }, { hang: true }] : ['Whole.'],
  )
  a.user('bob').say('#general', 'oracle: hi')
  await a.user('bob').hears('#general', 'Half.')
  await stopOracle()
  const again = await startOracle()
  await a.user('bob').hears('#general', /^Whole\.$/)
  await settled(house)
  assert.deepEqual(answers(a), ['Whole.'])
  assert.deepEqual(answers(b), ['Whole.'])
  b.user('bob').say('#general', 'oracle: hi again')
  await b.user('bob').hears('#general', 'Half.')
  await again()
  await startOracle()
  await b.user('bob').hears('#general', '(it was interrupted here by a restart; !retry asks again)')
  await settled(house)
  assert.deepEqual(answers(b).slice(1), ['Half.', '(it was interrupted here by a restart; !retry asks again)'])
  assert.deepEqual(
    (await turnsIn(house)).map(({ state }) => state),
    ['done', 'failed'],
  )
})

test('an answer that somebody deletes while it grows is said nowhere', async t => {
  const { house, a, b } = await openWorld(t, () => ['Some words ', { waitMs: 800 }, 'and more.'])
  const bob = a.user('bob')
  bob.say('#general', 'oracle: tell me')
  const { id } = await bob.hears('#general', /^Some words …$/)
  await settled(house)
  a.user('mona').remove(id)
  await until(async () => (await turnsIn(house))[0]?.settledMs != null, 'its end')
  await settled(house)
  assert.deepEqual([answers(a), answers(b)], [[], []])
})

test('an answer in lines that a restart broke off: others and the record have what was said of it, and why it ends', async t => {
  const steps = ['First.\n\nSecond.\n\nTh', { waitMs: 800 }, 'ird.\n\nF', { hang: true as const }]
  const { house, a, b, stopOracle, startOracle } = await openWorld(t, () => steps)
  const bob = b.user('bob')
  bob.say('#general', 'oracle: count')
  await bob.hears('#general', /^Third\.$/m)
  await settled(house)
  await stopOracle()
  await startOracle()
  await bob.hears('#general', '(it was interrupted here by a restart; !retry asks again)')
  await settled(house)
  const whole = 'First.\nSecond.\nThird.\n(it was interrupted here by a restart; !retry asks again)'
  assert.equal(answers(b).join('\n'), whole)
  assert.deepEqual(answers(a), [whole])
  const [turn] = await turnsIn(house)
  const kept = await house.ledger.read(tx => currentOf(tx, turn?.answer ?? 0)?.content)
  assert.equal(kept && plain(kept), whole)
})

test('what is asked after an answer was broken off by a restart is answered by itself, also where questions are answered together', async t => {
  const { house, b, models, stopOracle, startOracle } = await openWorld(
    t,
    request => (questionOf(request).endsWith('two') ? ['Two.'] : ['First.\n\nSecond', { hang: true as const }]),
    { more: 'oracle: { followUps: merge }' },
  )
  const bob = b.user('bob')
  bob.say('#general', 'oracle: one')
  await bob.hears('#general', 'First.')
  bob.say('#general', 'oracle: two')
  await until(async () => (await turnsIn(house)).length === 2, 'both turns')
  await stopOracle()
  await startOracle()
  await bob.hears('#general', '(it was interrupted here by a restart; !retry asks again)')
  await bob.hears('#general', 'Two.')
  assert.equal(models.requests.length, 2)
})
