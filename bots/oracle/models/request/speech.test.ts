import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stopwatch } from '../../../../core/contract/stopwatch.ts'
import { SpeechFilter } from './speech.ts'

/** What people read in the end, when the text comes in pieces of `size`. */
function said(text: string, size: number): string {
  const filter = new SpeechFilter()
  let out = ''
  for (let at = 0; at < text.length; at += size) {
    const piece = filter.push(text.slice(at, at + size))
    out = filter.voided ? piece : out + piece
  }
  return out + filter.end()
}

const cases: readonly [name: string, text: string, said: string][] = [
  ['plain text', 'Hello, world < 3 & <b>bold</b>', 'Hello, world < 3 & <b>bold</b>'],
  ['thinking first', '<think>secret\nplan</think>\n\nHello', 'Hello'],
  ['thinking in the middle', 'Hello <think>secret</think>world', 'Hello world'],
  ['several, in capitals', '<THINK>a</THINK>one <Thinking>b</Thinking>two', 'one two'],
  ['a tool called in words', 'Let me see. <tool_call>{"name":"ls"}</tool_call>Done.', 'Let me see. Done.'],
  ['never closed', 'Hello <think>and then', 'Hello '],
  ['nothing but thinking', '<think>only', ''],
  ['closed and never opened', 'first I plan\nthen</think>\nHello', 'Hello'],
  ['closed twice', 'plan</think>Hello <think>x</think>you</think>!', 'Hello you!'],
  ['named in code', 'Models write `<think>` before they answer.', 'Models write `<think>` before they answer.'],
  ['named in a fence', '```\n<think>x</think>\n```\nok', '```\n<think>x</think>\n```\nok'],
  ['after a fence', '```\ncode\n```\n<think>x</think>ok', '```\ncode\n```\nok'],
  ['a lone back-tick', 'it`s here\n<think>x</think>ok', 'it`s here\nok'],
  ['two back-ticks', '``a ` <think>`` b<think>x</think>', '``a ` <think>`` b'],
  ['a tag that is none', 'a <thinker> and a </thin', 'a <thinker> and a </thin'],
  ['letters whose small form is longer', '<think>İİİ</think>Merhaba', 'Merhaba'],
  ['a tag inside of thinking', '<think>so <b>what</b> </thinking>?</think>yes', 'yes'],
]

for (const [name, text, wanted] of cases) {
  test(`${name}, wherever it is cut`, () => {
    for (let size = 1; size <= text.length; size++) assert.equal(said(text, size), wanted, `pieces of ${size}`)
  })
}

test('what is hidden is kept for its price', () => {
  const filter = new SpeechFilter()
  filter.push('<think>four words are here</think>yes')
  assert.deepEqual([filter.takeHidden(), filter.takeHidden()], ['four words are here', ''])
})

test('a long text costs no more than its length', () => {
  const tookMs = stopwatch()
  const filter = new SpeechFilter()
  for (let at = 0; at < 20_000; at++) filter.push('<think'.slice(at % 6, (at % 6) + 1))
  filter.push('<think>')
  for (let at = 0; at < 20_000; at++) filter.push('</thin')
  assert.ok(tookMs() < 2000)
})
