import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Line, parseLine } from '../text/line.ts'
import { foldFor } from '../text/names.ts'
import { Roster } from './roster.ts'

test('nobody is in a channel that we are out of, nor in it again because they were', () => {
  const roster = new Roster(foldFor('ascii'))
  const hear = (raw: string): void => roster.follow(parseLine(raw) as Line, 'me')
  const enter = (...nicks: readonly string[]): void => {
    hear(':me!u@h JOIN #c')
    hear(`:s 353 me = #c :@me ${nicks.join(' ')}`)
  }
  enter('al', 'bo')
  assert.deepEqual(roster.channelsOf('al'), ['#c'])
  hear(':op!u@h KICK #c me :out')
  assert.deepEqual(roster.channelsOf('al'), [])
  enter('bo')
  assert.deepEqual([roster.channelsOf('al'), roster.channelsOf('bo')], [[], ['#c']])
  hear(':me!u@h PART #c')
  assert.deepEqual(roster.channelsOf('bo'), [])
})
