/** The short form of test/kept.ts: the bridge is killed once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { availableServers } from '../adapters/irc/server/testing.ts'
import { keptRun } from './kept.ts'

const here = (await availableServers()).filter(({ kind }) => kind !== 'ngircd')
/** The one whose channels have a history only when somebody sees to it, where it is there. */
const usable = here.filter(({ reason }) => reason === null).map(({ kind }) => kind)
const server = usable.find(kind => kind === 'inspircd') ?? usable[0]

test('a channel of whatever origin loses nothing when the bridge is killed', {
  skip: server === undefined ? here.map(({ reason }) => reason).join('; ') : false,
}, async t => {
  const kind = server === 'ergo' ? 'ergo' : 'inspircd'
  const { accepted, lost, doubled, gaps } = await keptRun({
    server: kind,
    kills: 1,
    rate: 120,
    say: text => t.diagnostic(text),
  })
  assert.deepEqual([lost.slice(0, 5), doubled.slice(0, 5), gaps], [[], [], []])
  assert.ok(accepted > 100, `${accepted} accepted`)
})
