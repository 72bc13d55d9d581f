import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { RawPart } from '../models/contract.ts'
import { PassedGuard } from './passed.ts'

const known = ['opensesame', 'hunter22']

const delta = (given: object): RawPart => ({
  kind: 'raw',
  chunk: { choices: [{ index: 0, delta: given }] },
  model: 'm',
})
const said = (text: string): RawPart => delta({ content: text })
const called = (index: number, text: string): RawPart =>
  delta({ tool_calls: [{ index, function: { arguments: text } }] })

/** All that comes out, and how many chunks waited at most. */
function through(parts: readonly RawPart[]): { text: string; waited: number; chunks: number } {
  const guard = new PassedGuard(known)
  let [waited, given] = [0, 0]
  const out: RawPart[] = []
  for (const part of parts) {
    given++
    out.push(...guard.take(part))
    waited = Math.max(waited, given - out.length)
  }
  out.push(...guard.end())
  const text = [...JSON.stringify(out).matchAll(/"(?:content|arguments)":"([^"]*)"/g)].map(([, each]) => each).join('')
  return { text, waited, chunks: out.length }
}

it('a secret is taken out however it is cut into chunks, and nothing else is lost', () => {
  const text = 'op, say opensesame, or hunter22-and; osesame opense'
  for (let size = 1; size <= text.length; size++) {
    const parts = Array.from({ length: Math.ceil(text.length / size) }, (_, n) =>
      said(text.slice(n * size, (n + 1) * size)),
    )
    const safe = through(parts)
    assert.equal(safe.text, 'op, say [secret], or [secret]-and; osesame opense', `pieces of ${size}`)
    assert.equal(safe.chunks, parts.length)
  }
})

it('each call of a tool is a text of its own, whatever comes in between', () => {
  const parts = [called(0, 'open'), called(1, 'x'), called(0, 'ses'), delta({}), called(0, 'ame!')]
  assert.equal(through(parts).text, '[secret]!x')
  assert.equal(through([called(0, 'open'), called(1, 'sesame')]).text, 'opensesame', 'two texts, and no secret')
})

it('what can be none does not wait, nor behind what comes whole', () => {
  const guard = new PassedGuard(['top-secret', 'pony-and-cart'])
  for (const part of [delta({ role: 'assistant', content: '' }), said('a'), { ...said('b') }])
    assert.deepEqual(guard.take(part), [part])
  assert.equal(
    guard.take({ ...said(''), chunk: { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] } }).length,
    1,
  )
  assert.equal(through('nothing here'.split('').map(said)).waited, 1)
  assert.ok(through(Array.from({ length: 1000 }, () => said('o'))).waited <= 1)
})
