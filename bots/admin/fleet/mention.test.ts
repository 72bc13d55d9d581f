import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseFormat } from '../../../adapters/irc/text/format.ts'
import { stopwatch } from '../../../core/contract/stopwatch.ts'
import { type Content, type Segment, text } from '../../../core/event.ts'
import { type Known, mentionOf } from './mention.ts'

const known: Known = {
  isGroup: word => ['all', 'worker', 'workers', 'scout', 'crew'].includes(word),
  isAnybody: part => /^(@?(worker|scout)|worker-\d+|wor\*)$/.test(part),
}
const heard = (content: Content | string) => {
  const found = mentionOf(typeof content === 'string' ? text(content) : content, known)
  return found && `${found.selector} | ${found.words}`
}
const segments = (...all: Segment[]): Content => ({ segments: all })

describe('mentions of groups', () => {
  for (const [said, meant] of [
    ['@worker status', '@worker | status'],
    ['@Workers: status?', '@workers | status?'],
    ['@all, ping', '@all | ping'],
    ['@claude-* where are you', '@claude-* | where are you'],
    ['please look, @worker!', '@worker | please look, @worker!'],
    ['(@crew) go', '@crew | (@crew) go'],
    ['@worker @scout go', '@worker,@scout | go'],
    ['@worker and @scout: go', '@worker,@scout | go'],
    ['@worker -worker-003 go', '@worker,-worker-003 | go'],
    ['@all -@scout -worker-1: go', '@all,-@scout,-worker-1 | go'],
    ['@worker,-worker-003 go', '@worker,-worker-003 | go'],
    ['@all, -@scout ,-worker-1: go', '@all,-@scout,-worker-1 | go'],
    ['@worker,-v is an option', '@worker | -v is an option'],
    ['@worker-worker-1 go', null],
    ['@worker -v is an option', '@worker | -v is an option'],
    ['@worker', '@worker | '],
    ['hello\n@worker', '@worker | hello @worker'],
    ['ask @worker.', '@worker | ask @worker.'],
  ] as const) {
    it(`hears '${said.replaceAll('\n', '\\n')}'`, () => assert.equal(heard(said), meant))
  }

  for (const said of [
    'mail me: olga@worker',
    'olga@worker.example is my address',
    '@worker.example is a host',
    'https://example.org/@worker is a page',
    '@bob hello',
    '@workerbee hello',
    '@here and @everyone',
    'a@all b',
    'try `@all` in code',
    '```\n@all\n```',
    'git clone user@all:repo',
    'x/@worker/y',
    '@',
    '@*',
    'npm i @worker/core',
  ]) {
    it(`does not hear '${said.replaceAll('\n', '\\n')}'`, () => assert.equal(heard(said), null))
  }

  it('passes over code, quotes, links and mentions of people', () => {
    assert.equal(heard(segments({ kind: 'code', text: '@all', block: false })), null)
    assert.equal(heard(segments({ kind: 'quote', text: '@all ping' }, { kind: 'text', text: 'no' })), null)
    assert.equal(heard(segments({ kind: 'link', url: 'https://x.example', text: '@all' })), null)
    assert.equal(heard(segments({ kind: 'mention', id: 'u1' as never, name: 'all' })), null)
    assert.equal(
      heard(segments({ kind: 'mention', id: null, name: 'worker' }, { kind: 'text', text: ' go' })),
      '@worker | go',
    )
    assert.equal(heard({ segments: parseFormat('\x11@all\x11 is a group') }), null)
    assert.equal(heard({ segments: parseFormat('\x02@worker\x02 go') }), '@worker | go')
    assert.equal(heard({ ...text('@all ping'), style: 'notice' }), null)
  })

  it('takes long and odd text in its stride', () => {
    for (const said of [
      '@'.repeat(50_000),
      '@a '.repeat(20_000),
      '`'.repeat(50_000),
      '@worker'.repeat(8000),
      '@worker -'.repeat(8000),
    ]) {
      const tookMs = stopwatch()
      heard(said)
      assert.ok(tookMs() < 1000, said.slice(0, 10))
    }
  })
})
