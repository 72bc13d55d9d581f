import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expandNames, select } from './selector.ts'

const agents = [
  { name: 'worker-1', type: 'worker' },
  { name: 'worker-2', type: 'worker' },
  { name: 'watch', type: 'observer' },
  { name: 'squid', type: 'proxy' },
]
const groups = new Map([
  ['night', ['worker-2', 'watch', 'person:bob']],
  ['observer', ['squid']],
])
const names = (selector: string, of = groups): string => select(selector, agents, of).names.join(' ')

test('each form of selector chooses what it says', () => {
  const cases: [string, string][] = [
    ['worker-1', 'worker-1'],
    ['WORKER-1', 'worker-1'],
    ['watch,worker-1', 'worker-1 watch'],
    ['@all', 'worker-1 worker-2 watch squid'],
    ['@worker', 'worker-1 worker-2'],
    ['@Workers', 'worker-1 worker-2'],
    ['@proxies', 'squid'],
    ['@wor*', 'worker-1 worker-2'],
    ['wor*', 'worker-1 worker-2'],
    ['@squid', 'squid'],
    ['@night', 'worker-2 watch'],
    ['@all -worker-2', 'worker-1 watch squid'],
    ['-@worker,@all', 'watch squid'],
    ['@all -@wor* -watch', 'squid'],
    ['-worker-1', ''],
    ['@', ''],
    ['', ''],
  ]
  for (const [selector, wanted] of cases) assert.equal(names(selector), wanted, selector)
})

test('a named group goes before a type', () => {
  assert.equal(names('@observer'), 'squid')
  assert.equal(names('@observers'), 'watch')
  assert.equal(select('@observer', agents).names.join(), 'watch')
})

test('what fits nobody is told as it was typed', () => {
  assert.deepEqual(select('worker-1 Nobody @ghosts -absent', agents), {
    names: ['worker-1'],
    nobody: ['Nobody', '@ghosts'],
  })
})

test('names are counted out', () => {
  assert.deepEqual(expandNames('w-{008..010}'), ['w-008', 'w-009', 'w-010'])
  assert.deepEqual(expandNames('w{9..11}x'), ['w9x', 'w10x', 'w11x'])
  assert.deepEqual(expandNames('plain'), ['plain'])
  assert.equal(expandNames('w-{1..500}')?.length, 500)
  for (const wrong of ['w-{2..1}', 'w-{a..b}', 'w-{1..2}{1..2}', 'w-{1..1002}', 'w-{1', 'w}'])
    assert.equal(expandNames(wrong), null, wrong)
})
