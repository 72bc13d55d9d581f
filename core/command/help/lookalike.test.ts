import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stopwatch } from '../../contract/stopwatch.ts'
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
  const tookMs = stopwatch()
  resembles(`ns${' '.repeat(60_000)}x`, options)
  assert.ok(tookMs() < 2000)
})
