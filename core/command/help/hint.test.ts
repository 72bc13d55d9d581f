import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withPrefix } from './hint.ts'

test('commands in a line stand with the prefix that holds, other exclamation marks stay', () => {
  const lines = {
    'no room x; !rooms lists them': 'no room x; $rooms lists them',
    '!help (or !find)': '$help (or $find)',
    'stop! !! !5 wow!now https://a/!b': 'stop! !! !5 wow!now https://a/!b',
    "say '!status'": "say '$status'",
  }
  for (const [line, shown] of Object.entries(lines)) {
    assert.equal(withPrefix(line, '$'), shown)
    assert.equal(withPrefix(line, '!'), line)
  }
  assert.equal(withPrefix('!help', '$&'), '$&help')
})
