import assert from 'node:assert/strict'
import { it } from 'node:test'
import { text } from '../../../core/event.ts'
import { plain } from '../../../core/text/text.ts'
import { toldEdit } from './edited.ts'

const told = (was: string | undefined, now: string): string | null => {
  const draft = toldEdit({ do: 'edit', seq: 1, draft: { content: text(now) }, ...(was === undefined ? {} : { was }) })
  return draft && plain(draft.content)
}
const long = Array.from({ length: 200 }, (_, n) => `word${n}`).join(' ')

it('an edit that can only be told is one short line', () => {
  assert.equal(told('helo', 'hello'), '(edited) hello')
  assert.equal(told('same', 'same'), null)
  assert.equal(told('a\nb', 'a  \n b'), null, 'nothing that could be seen on one line')
  assert.equal(told('one\ntwo', 'one\n2'), '(edited) one ⏎ 2')
  assert.equal(
    told(long, long.replace('word77 ', 'seventy-seven ')),
    '(edited) … word73 word74 word75 word76 seventy-seven word78 word79 word80 word81 …',
  )
  assert.equal(told(long, `${long} end`), '(edited) … word196 word197 word198 word199 end')
  assert.equal(told(long, `start ${long}`), '(edited) start word0 word1 word2 word3 …')
  assert.equal(
    told(long, long.replace(' word9 ', ' ')),
    '(edited) … word5 word6 word7 word8 word10 word11 word12 word13 …',
  )
})

it('whatever the texts are, it is one line and short', () => {
  for (const [was, now] of [
    [long, 'x'.repeat(5000)],
    ['x'.repeat(5000), long],
    ['', '\n'.repeat(999)],
    [' '.repeat(2000), long],
    ['👩‍👩‍👧‍👦'.repeat(500), '👩‍👩‍👧‍👦'.repeat(501)],
  ] as const) {
    const line = told(was, now) ?? ''
    assert.doesNotMatch(line, /\n/)
    assert.ok(Array.from(new Intl.Segmenter('und').segment(line)).length < 200, line)
  }
})

it('a text of tens of thousands of blanks keeps nothing up', () => {
  const before = process.cpuUsage()
  for (const blanks of [' '.repeat(60_000), ' \n'.repeat(30_000), `${'\t'.repeat(60_000)}\n`])
    assert.match(told('b', `a${blanks}b`) ?? '', /^\(edited\) a/)
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < 2_000_000, `${user + system} µs of a processor`)
})

it('what nobody knows the beginning of is told whole', () => {
  assert.equal(told(undefined, long), `(edited) ${long}`)
})
