import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import type { ChatEvent } from '../../../core/event.ts'
import { silentLog } from '../../../core/log.ts'
import { Intake } from './intake.ts'

const fact = (key: string): ChatEvent => ({ kind: 'topic', key, topic: key }) as unknown as ChatEvent

test('what was missed goes first, and what is left out is asked for once there is room', async () => {
  const told: string[] = []
  const acknowledged: string[] = []
  const asked: string[] = []
  const all = Promise.withResolvers<void>()
  const intake = new Intake({
    sink: async events => void told.push(...events.map(({ key }) => key)),
    log: silentLog(),
    signal: new AbortController().signal,
    mostWaiting: 3,
    leftOut: channel => {
      asked.push(channel)
      all.resolve()
    },
  })
  const release = intake.hold()
  for (const key of ['1', '2', '3', '4', '5'])
    intake.live(
      'C',
      async () => [fact(key)],
      () => void acknowledged.push(key),
    )
  void intake.missed('C', async () => [fact('0')])
  release()
  await all.promise
  await intake.settled()
  assert.deepEqual(told, ['0', '1', '2', '3'])
  assert.deepEqual(acknowledged, ['1', '2', '3'], 'what is left out is not acknowledged')
  assert.deepEqual(asked, ['C'])
})

test('an event that can not be read is not acknowledged, and holds up none behind it', async () => {
  const acknowledged: string[] = []
  const done = Promise.withResolvers<void>()
  const intake = new Intake({
    sink: async () => undefined,
    log: silentLog(),
    signal: new AbortController().signal,
    leftOut: () => undefined,
  })
  intake.live(
    'C',
    () => Promise.reject(new Error('odd')),
    () => void acknowledged.push('odd'),
  )
  intake.live(
    'C',
    async () => [fact('1')],
    () => {
      acknowledged.push('1')
      done.resolve()
    },
  )
  await done.promise
  assert.deepEqual(acknowledged, ['1'])
})
