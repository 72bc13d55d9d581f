import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cursors } from '../../../core/adapter.ts'
import type { ChatEvent } from '../../../core/event.ts'
import type { Voice } from '../people/voice.ts'
import { DirectMarks } from './catchup.ts'

const voice = { persona: 'admin' } as Voice
const direct = (key: string, atMs: number) =>
  ({ key, atMs, place: { network: 'irc', channel: '@al/admin', private: true } }) as unknown as ChatEvent

function marks() {
  const set: [string, string][] = []
  const cursors = { set: async (name: string, value: string) => void set.push([name, value]) } as unknown as Cursors
  return { set, directs: new DirectMarks(cursors) }
}

test('the mark of private messages stays where it is until those that were missed are in the ledger', async () => {
  const { set, directs } = marks()
  directs.asked(voice)
  await directs.keep([direct('live', 9000)])
  assert.deepEqual(set, [])
  directs.found(voice, [direct('missed 1', 100), direct('missed 2', 200)])
  await directs.keep([direct('live 2', 9001)])
  await directs.keep([direct('missed 1', 100)])
  assert.deepEqual(set, [])
  await directs.keep([direct('missed 2', 200)])
  assert.equal(set.length, 1)
})

test('where none was missed it moves at once', async () => {
  const { set, directs } = marks()
  directs.asked(voice)
  directs.found(voice, [])
  await directs.keep([direct('live', 9000)])
  assert.deepEqual(
    set.map(([, value]) => value),
    ['9000'],
  )
})
