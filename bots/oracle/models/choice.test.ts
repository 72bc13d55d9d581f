import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configSchema } from '../../../config/schema.ts'
import { endOf, periodsAt } from './budget/periods.ts'
import { allowed, candidateOf, isLocal, ordered } from './choice.ts'

const local = (more: object = {}) => ({ provider: 'ollama', model: 'llama3.2', ...more })
const config = (models: object, modelsFor: object = {}) =>
  configSchema.parse({ networks: { chat: { kind: 'memory' } }, models, modelsFor })

const names = (list: readonly { name: string }[]): string[] => list.map(({ name }) => name)

test('priority goes before weight, weight is the share of being first', () => {
  const { models, modelsFor } = config({
    last: local({ priority: 2, weight: 1000 }),
    often: local({ weight: 300 }),
    seldom: local({ weight: 100 }),
  })
  const candidates = allowed({ models, modelsFor }, 'answer', 'general')
  let first = 0
  const rounds = 4000
  for (let round = 0; round < rounds; round++) {
    const order = names(ordered(candidates))
    assert.equal(order[2], 'last')
    if (order[0] === 'often') first++
  }
  assert.ok(Math.abs(first / rounds - 0.75) < 0.04, `${first / rounds} of 0.75`)
})

test('a room and a task may have their own; what is off or has no weight is not asked', () => {
  const chosen = config(
    { a: local(), b: local(), c: local({ on: false }), d: local({ weight: 0 }) },
    { tasks: { guard: ['b', 'c'] }, rooms: { ops: ['d', 'a'] } },
  )
  assert.deepEqual(names(allowed(chosen, 'answer', 'general')), ['a', 'b'])
  assert.deepEqual(names(allowed(chosen, 'guard', 'ops')), ['b'])
  assert.deepEqual(names(allowed(chosen, 'answer', 'ops')), ['d', 'a'], 'chosen by name, it needs no weight')
  assert.deepEqual(names(allowed(chosen, 'summary', 'ops')), ['a', 'b'])
})

test('a model of modelsFor that is not there is a fault of the configuration', () => {
  assert.throws(
    () => config({ alpha: local() }, { rooms: { ops: ['alhpa'] } }),
    /no model 'alhpa'; did you mean 'alpha'/,
  )
})

test('addresses and prices come from the provider where the model says nothing', () => {
  const { models } = config({
    here: local(),
    there: { provider: 'openai', model: 'x', apiKey: 'env:K', price: { inputPerMillion: 1, outputPerMillion: 2 } },
  })
  const here = candidateOf('here', models['here'] as never)
  const there = candidateOf('there', models['there'] as never)
  assert.deepEqual([here.baseUrl, isLocal(here)], ['http://127.0.0.1:11434/v1', true])
  assert.deepEqual([there.baseUrl, there.price], ['https://api.openai.com/v1', { input: 1, cached: 1, output: 2 }])
})

for (const [name, model, reason] of [
  ['no price', { provider: 'openai', model: 'x', apiKey: 'env:K' }, /what a million tokens cost/],
  ['no key', { provider: 'groq', model: 'x', price: { inputPerMillion: 1, outputPerMillion: 1 } }, /GROQ_API_KEY/],
  ['no address', { provider: 'compatible', model: 'x' }, /address/],
  ['a price for one token', { ...local(), price: { inputPerMillion: 0.0000004, outputPerMillion: 1 } }, /million/],
  ['a price in cents of cents', { ...local(), price: { inputPerMillion: 1, outputPerMillion: 15_000 } }, /million/],
  ['a price below nothing', { ...local(), price: { inputPerMillion: -1, outputPerMillion: 1 } }, /million/],
] as const) {
  test(`refused: ${name}`, () => assert.throws(() => config({ x: model }), reason))
}

test('days and months are those of the zone, also when clocks change', () => {
  const at = Date.parse('2026-03-28T23:30:00Z')
  assert.deepEqual(periodsAt(at, 'UTC'), { day: '2026-03-28', month: '2026-03' })
  assert.deepEqual(periodsAt(at, 'Europe/Berlin'), { day: '2026-03-29', month: '2026-03' })
  assert.equal(new Date(endOf('day', at, 'Europe/Berlin')).toISOString(), '2026-03-29T22:00:00.000Z')
  assert.equal(new Date(endOf('month', at, 'Europe/Berlin')).toISOString(), '2026-03-31T22:00:00.000Z')
  assert.equal(
    new Date(endOf('month', Date.parse('2026-01-31T12:00:00Z'), 'UTC')).toISOString(),
    '2026-02-01T00:00:00.000Z',
  )
})
