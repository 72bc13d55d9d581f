/** The short form of `node test/agents-crash.ts`: each part is killed once in the middle of register, rotate and revoke. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { availableServers } from '../../../adapters/irc/server/testing.ts'
import { crashRun } from '../../../test/agents-crash.ts'
import type { ServerKind } from '../../../test/instance.ts'

const here = await availableServers()
const usable = here.flatMap(({ kind, reason }) => (reason === null && kind !== 'ngircd' ? [kind] : [])) as ServerKind[]
const [server] = usable
const seed = Math.floor(Math.random() * 1e9)

test('admin, bridge and the IRC server killed in mid-command: records and accounts agree', {
  skip: server === undefined ? here.map(({ reason }) => reason).join('; ') : false,
}, async t => {
  t.diagnostic(`seed ${seed} on ${server}`)
  const outcome = await crashRun({ runs: 3, seed, server: server as ServerKind, say: text => t.diagnostic(text) })
  assert.deepEqual(outcome.findings, [])
  assert.equal(outcome.kills, 3)
})
