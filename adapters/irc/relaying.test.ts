import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChanopError } from '../../core/error.ts'
import type { MessageId } from '../../core/event.ts'
import { Relaying } from './relaying.ts'

const refusal = (): ChanopError => new ChanopError('send-refused', 'the server refused it: no (PRIVS_NEEDED)')
const id = (name: string): readonly MessageId[] => [name as MessageId]

/** A server that answers when told to, and what was said without RELAYMSG, in order. */
function stage() {
  const said: string[] = []
  const answers: PromiseWithResolvers<readonly MessageId[]>[] = []
  const reasons: string[] = []
  const relaying = new Relaying((_, reason) => reasons.push(reason))
  const attempt = (name: string) => {
    const answer = Promise.withResolvers<readonly MessageId[]>()
    answers.push(answer)
    return relaying.attempt(
      '#a',
      () => answer.promise,
      async () => (said.push(name), id(name)),
    )
  }
  const plain = async (name: string): Promise<void> => {
    await relaying.clear('#a')
    said.push(name)
  }
  return { said, answers, reasons, relaying, attempt, plain }
}

test('what was refused is said again before anything that came later', async () => {
  const { said, answers, reasons, relaying, attempt, plain } = stage()
  const first = [attempt('1'), attempt('2'), attempt('3')]
  answers[0]?.reject(refusal())
  await first[0]
  assert.equal(relaying.allowed('#a'), false)
  const later = [plain('4'), plain('5')]
  answers[1]?.reject(refusal())
  answers[2]?.reject(refusal())
  await Promise.all([...first, ...later])
  assert.deepEqual(said, ['1', '2', '3', '4', '5'])
  assert.equal(reasons.length, 1)
})

test('where it is allowed nothing waits for it', async () => {
  const { said, answers, relaying, attempt, plain } = stage()
  const first = attempt('1')
  answers[0]?.resolve(id('1'))
  assert.deepEqual(await first, id('1'))
  void attempt('2')
  assert.equal(relaying.clear('#a'), null)
  await plain('3')
  assert.deepEqual(said, ['3'])
})

test('another failure is passed on and proves nothing', async () => {
  const { answers, relaying, attempt } = stage()
  const first = attempt('1')
  answers[0]?.reject(new ChanopError('network-down', 'gone'))
  await assert.rejects(first, { code: 'network-down' })
  assert.equal(relaying.allowed('#a'), true)
  assert.equal(relaying.clear('#a'), null)
})

test('on another connection it is found out anew, and what was under way on the last one ends there', async () => {
  const { answers, relaying, attempt } = stage()
  const first = [attempt('1'), attempt('2')]
  answers[0]?.reject(refusal())
  await first[0]
  relaying.forget()
  assert.equal(relaying.allowed('#a'), true)
  answers[1]?.reject(new ChanopError('network-down', 'gone'))
  await assert.rejects(first[1] ?? Promise.resolve(), { code: 'network-down' })
  assert.deepEqual([relaying.allowed('#a'), relaying.clear('#a')], [true, null])
})
