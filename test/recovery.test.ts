/** The short form of test/recovery.ts: every part is killed twice and is back in time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { availableServers } from '../adapters/irc/server/testing.ts'
import type { ServerKind } from './instance.ts'
import { median, parts, recoveryTimes } from './recovery.ts'

const here = await availableServers()
const usable = here.flatMap(({ kind, reason }) => (reason === null && kind !== 'ngircd' ? [kind] : [])) as ServerKind[]
const [first, second = first] = usable

/** The aims, with room for a machine on which other suites run at the same time. */
const aimMs = { bridge: 2000, admin: 2000, oracle: 2000, scribe: 2000, redis: 3000, ircd: 5000 } as const
const room = 2.5

test('what is killed is back in time', {
  skip: first === undefined ? here.map(({ reason }) => reason).join('; ') : false,
}, async t => {
  const servers = [first, second] as [ServerKind, ServerKind]
  const times = await recoveryTimes({ servers, rounds: 2, say: text => t.diagnostic(text) })
  for (const part of parts) assert.ok(median(times[part]) < aimMs[part] * room, `${part}: ${times[part].join(', ')} ms`)
})
