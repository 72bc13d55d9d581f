/** The short form of test/stop.ts: one stop in mid-talk. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { availableServers } from '../adapters/irc/server/testing.ts'
import type { ServerKind } from './instance.ts'
import { stopRun } from './stop.ts'

const here = await availableServers()
const usable = here.flatMap(({ kind, reason }) => (reason === null && kind !== 'ngircd' ? [kind] : [])) as ServerKind[]
/** The one that keeps its history in memory alone, where it is there: what is not heard by its end is gone. */
const managed = usable.find(kind => kind === 'inspircd') ?? usable[0]
const external = usable.find(kind => kind !== managed) ?? managed

test('npm stop and npm start while people talk: nothing is lost, and no gap is named', {
  skip: managed === undefined ? here.map(({ reason }) => reason).join('; ') : false,
}, async t => {
  const found = await stopRun({
    servers: [managed, external] as [ServerKind, ServerKind],
    rounds: 1,
    history: 'disk',
    say: text => t.diagnostic(text),
  })
  assert.deepEqual(found.faults, [])
  assert.deepEqual(found.gaps, [])
  assert.ok(found.accepted > 200, `${found.accepted} accepted`)
})
