/** The short form of `npm run test:kill`: every part is killed once while people talk. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { availableServers } from '../../adapters/irc/server/testing.ts'
import type { ServerKind } from '../instance.ts'
import { killRun } from './run.ts'

const here = await availableServers()
const usable = here.flatMap(({ kind, reason }) => (reason === null && kind !== 'ngircd' ? [kind] : [])) as ServerKind[]
const [first, second = first] = usable
const seed = Math.floor(Math.random() * 1e9)

test('bots, Redis and both servers killed in mid-stream: nothing lost, doubled or out of order', {
  skip: first === undefined ? here.map(({ reason }) => reason).join('; ') : false,
}, async t => {
  const servers = [first, second] as [ServerKind, ServerKind]
  t.diagnostic(`seed ${seed}, ${servers.join(' and ')}`)
  const { verdict, evidence, blows } = await killRun({
    servers,
    seed,
    messages: 600,
    kills: 6,
    everyMs: 2000,
    say: text => t.diagnostic(text),
  })
  assert.equal(evidence, '')
  assert.ok(verdict.accepted >= 600)
  assert.equal(verdict.recorded - verdict.delivered, verdict.diedAfter.length)
  assert.ok(new Set(blows.map(({ target }) => target)).size >= 7)
  t.diagnostic(
    `apart: ${verdict.diedBefore.length} accepted by a server that died, ${verdict.diedAfter.length} confirmed by one`,
  )
})
