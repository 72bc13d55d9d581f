import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Content, text } from '../../../core/event.ts'
import { loneRoom } from '../../../core/rooms.ts'
import { isLeftOut, reworded } from './rules.ts'

const { bridging } = loneRoom({ network: 'irc' as never, channel: '#a' as never })
const words = (content: Content): string =>
  content.segments.map(segment => ('text' in segment ? segment.text : '')).join('')

test('rules that make a text longer without end leave it as it was', () => {
  const doubling = Array.from({ length: 40 }, () => ({ find: 'a', with: 'aa' }))
  assert.equal(words(reworded({ ...bridging, replace: doubling }, text('a cat'))), 'a cat')
  assert.equal(words(reworded({ ...bridging, replace: doubling.slice(0, 3) }, text('a'))), 'aaaaaaaa')
})

test('who is ignored is so whatever is hidden in the name', () => {
  const ignoring = { ...bridging, ignore: { names: ['^spammer$'], texts: [] } }
  const by = (name: string) =>
    isLeftOut(ignoring, {
      kind: 'message',
      place: { network: 'irc', channel: '#a' },
      sender: { id: 'x', name, kind: 'person', verified: true },
      content: text('buy'),
    } as never)
  assert.deepEqual(['spammer', 'spam\u200bmer', '\u202espammer', 'Spammer', 'spammers'].map(by), [
    true,
    true,
    true,
    true,
    false,
  ])
})
