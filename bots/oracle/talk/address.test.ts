/** To whom a line is said, as people write it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reader } from '../../../core/command/visit/reading.ts'
import { type Segment, text } from '../../../core/event.ts'
import { messageNumber, temporaryLedger } from '../../../core/ledger/testing.ts'
import { bots } from '../../../core/process/bots.ts'
import { addressOf } from './address.ts'

const named = [
  'oracle: hi',
  'oracle, hi',
  'Oracle:hi',
  'oracle : salut',
  'oracle\u00a0: salut',
  'oracle：你好',
  'oracle，你好',
  'oracle、元気？',
  'oracle، مرحبا',
  'ORACLE?',
  'oracle？',
  'oracle',
  '@oracle hi',
  '@oracle: hi',
  'what do you think, @oracle?',
  'well (@oracle knows) …',
  '请问@oracle你怎么看',
  '¿@oracle, qué dices?',
  'thanks @oracle.',
]
const others = [
  'oracles: they were asked in Delphi',
  'the oracle said so',
  'oracle database is slow',
  "oracle's answer was odd",
  "I liked @oracle's answer",
  'I liked @oracle’s answer',
  'mail bob@oracle.example',
  'see @oracle.example',
  '@oracle-2 hi',
  '@oracles hi',
  'coracle: a boat',
  'https://x.example/@oracle',
  'say "@oracle hi" to wake it',
  'say “@oracle hi” to wake it',
  'write `@oracle hi`',
  'bob: oracle is nice',
]

test('by its name, in the ways of many scripts, and by no other word', async t => {
  const ledger = temporaryLedger(t)
  const reader = new Reader({ prefix: () => '!', bots })
  const is = (segments: readonly Segment[]): Promise<string> =>
    ledger.read(tx => addressOf(tx, messageNumber(1, { content: { segments } }), reader).is)
  for (const line of named) assert.equal(await is(text(line).segments), 'oracle', line)
  for (const line of others) assert.equal(await is(text(line).segments), 'talk', line)
  const code = (block: boolean): Segment => ({ kind: 'code', text: '@oracle: rm -rf', block })
  const quote: Segment = { kind: 'quote', text: '@oracle: hello' }
  for (const segment of [code(true), code(false), quote]) {
    assert.equal(await is([{ kind: 'text', text: 'look: ' }, segment]), 'talk', segment.kind)
    assert.equal(await is([segment]), 'talk', segment.kind)
    assert.equal(await is([{ kind: 'text', text: 'oracle: what is this? ' }, segment]), 'oracle', segment.kind)
  }
})

test('what is asked stands without its name', async t => {
  const ledger = temporaryLedger(t)
  const reader = new Reader({ prefix: () => '!', bots })
  for (const line of ['oracle: stop', 'oracle : stop', 'oracle：stop', '@oracle stop', '@oracle, stop']) {
    const address = await ledger.read(tx => addressOf(tx, messageNumber(1, { content: text(line) }), reader))
    assert.deepEqual([address.is, address.is === 'oracle' && address.words], ['oracle', 'stop'], line)
  }
})
