import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { ChanopError } from '../../core/error.ts'
import type { MessageId } from '../../core/event.ts'
import { silentLog } from '../../core/log.ts'
import { Forgetting } from './forget.ts'

test('while we are logged out a secret stays one that is to be taken back', async t => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] })
  const kept = new Map<string, string>()
  const cursors = { newest: async () => null, get: async () => null, set: async (...one: [string, string]) => void kept.set(...one) } // biome-ignore format: one line
  const forgotten: MessageId[] = []
  let loggedIn = false
  const forget = async (_: string, id: MessageId): Promise<void> => {
    if (!loggedIn) throw new ChanopError('network-refused', 'logged out')
    forgotten.push(id)
  }
  const { signal } = new AbortController()
  const forgetting = new Forgetting({ cursors, log: silentLog(), signal, forget })
  await forgetting.later('!r', ['$e' as MessageId])
  const minute = async (): Promise<void> => {
    t.mock.timers.tick(60_000)
    await new Promise(resolve => setImmediate(resolve))
  }
  await minute()
  assert.match(kept.get('secrets') ?? '', /\$e/)
  loggedIn = true
  await minute()
  assert.deepEqual([forgotten, kept.get('secrets')], [['$e'], '[]'])
})
