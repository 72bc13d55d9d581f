/** The short form of `node test/five/kill.ts`: each thing is broken once, and the bridge three times, while people talk. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { availableServers } from '../../adapters/irc/server/testing.ts'
import { synapseMissing } from '../../adapters/matrix/testing/synapse.ts'
import { noRedis } from '../../core/bus/testing.ts'
import { killRun } from './killrun.ts'

const noIrc = (await availableServers()).find(({ kind }) => kind === 'inspircd')?.reason ?? null
const missing = (await synapseMissing()) ?? noIrc ?? noRedis
const messages = 100
const kinds = [
  'bridge',
  'redis',
  'redis files',
  ...['irc', 'dc', 'sl', 'tg', 'mx'].flatMap(to => [`cut ${to}`, `lose ${to}`]),
]

test('five platforms, with bridge, Redis and connections broken in mid-talk: nothing lost, doubled or out of order', {
  skip: missing,
}, async t => {
  const seed = Math.floor(Math.random() * 1e9)
  t.diagnostic(`seed ${seed}`)
  const { verdict, blows, evidence } = await killRun({
    messages,
    seed,
    irc: 'inspircd',
    blows: kinds.length + 2,
    everyMs: 250,
    say: text => t.diagnostic(text),
  })
  assert.equal(evidence, '')
  assert.equal(verdict.said, messages)
  assert.equal(verdict.recorded, messages)
  assert.deepEqual(new Set(Object.values(verdict.seen)), new Set([(messages / 5) * 4]))
  assert.deepEqual(new Set(blows.map(({ what }) => what)), new Set(kinds))
})
