import assert from 'node:assert/strict'
import { test } from 'node:test'
import { qualified } from './emoji.ts'

test('an emoji has one spelling, whichever selectors it came with', () => {
  const whole = [
    '👍',
    '⛔',
    '❤\ufe0f',
    '❤\ufe0f\u200d🔥',
    '1\ufe0f\u20e3',
    '🏳\ufe0f\u200d🌈',
    '🤷🏽\u200d♂\ufe0f',
    '☝🏽',
    '🇩🇪',
  ]
  for (const emoji of whole) {
    assert.equal(qualified(emoji), emoji)
    assert.equal(qualified(emoji.replaceAll('\ufe0f', '')), emoji)
  }
  assert.equal(qualified('⛔\ufe0f'), '⛔')
  assert.equal(qualified('❤\ufe0e'), '❤\ufe0f')
  for (const words of ['10/10', ':1up:', '+1', 'nice #2']) assert.equal(qualified(words), words)
})
