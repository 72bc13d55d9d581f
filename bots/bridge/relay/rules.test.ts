import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Content, text } from '../../../core/event.ts'
import { loneRoom } from '../../../core/rooms.ts'
import { reworded } from './rules.ts'

const { bridging } = loneRoom({ network: 'irc' as never, channel: '#a' as never })
const words = (content: Content): string =>
  content.segments.map(segment => ('text' in segment ? segment.text : '')).join('')

test('rules that make a text longer without end leave it as it was', () => {
  const doubling = Array.from({ length: 40 }, () => ({ find: 'a', with: 'aa' }))
  assert.equal(words(reworded({ ...bridging, replace: doubling }, text('a cat'))), 'a cat')
  assert.equal(words(reworded({ ...bridging, replace: doubling.slice(0, 3) }, text('a'))), 'aaaaaaaa')
})
