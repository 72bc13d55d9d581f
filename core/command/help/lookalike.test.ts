import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resembles } from './lookalike.ts'

const options = { names: ['secret set'], known: () => false, direct: false }

test('words for the services of a network, however they are written', () => {
  for (const said of [
    'ns identify me word',
    '/msg NickServ : identify word',
    'nickserv, :IDENTIFY word',
    'ns:identify word',
  ])
    assert.equal(resembles(said, options)?.meant, 'identify', said)
  for (const said of ['ns', 'ns what', 'nickserv is down']) assert.equal(resembles(said, options), null, said)
})

test('blanks without end are looked through once', () => {
  const sinceMs = performance.now()
  resembles(`ns${' '.repeat(60_000)}x`, options)
  assert.ok(performance.now() - sinceMs < 2000)
})
