import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'
import type { Visible } from '../../../core/access/visibility.ts'
import { commandsOf } from '../../../core/command/command.ts'
import { publish } from '../../../core/command/help/published.ts'
import { text } from '../../../core/event.ts'
import { Ledger } from '../../../core/ledger/ledger.ts'
import { after } from '../../../core/ledger/record/events.ts'
import { about, ear, folder, ledgerIn, record, said, startMs } from '../testing.ts'
import { SearchIndex } from './index.ts'
import { type Query, search, whoIs } from './search.ts'
import { parseTerms } from './words.ts'

const everything: Visible = { all: true, rooms: new Set(), places: new Set(), direct: null }

function setUp(t: TestContext) {
  const data = folder(t)
  const ledger = ledgerIn(t, data)
  const path = join(data, 'search.db')
  const index = SearchIndex.open(path, ear())
  t.after(() => index.close())
  const take = () => ledger.read(db => index.take(db, after(db, index.cursor, 1000)))
  const find = (written: string, visible = everything, more: Partial<Query> = {}, limit = 20) =>
    ledger.read(async db => (await search(index.db, db, { terms: parseTerms(written), ...more }, visible, limit)).seqs)
  return { data, path, ledger, index, take, find }
}

test('words, phrases, beginnings and words to leave out; newest first', async t => {
  const { ledger, take, find, path } = setUp(t)
  await record(ledger, [
    said('irc:#a', 'alice', 'the build failed on the new machine'),
    said('irc:#a', 'bob', 'Build is green, deployment done'),
    said('irc:#a', 'bob', 'failed build'),
    said('irc:#a', 'carol', 'Ünïcode café; 東京タワー and deploy-v2'),
  ])
  await take()
  assert.deepEqual(await find('build'), [3, 2, 1])
  assert.deepEqual(await find('BUILD failed'), [3, 1])
  assert.deepEqual(await find('"build failed"'), [1])
  assert.deepEqual(await find('“build failed”'), [1])
  assert.deepEqual(await find('build -failed'), [2])
  assert.deepEqual(await find('build -"failed build"'), [2, 1])
  assert.deepEqual(await find('deploy*'), [4, 2])
  assert.deepEqual(await find('deploy'), [4])
  assert.deepEqual(await find('unicode CAFE'), [4])
  assert.deepEqual(await find('京タ'), [4])
  assert.deepEqual(await find('deploy-v2'), [4])
  assert.deepEqual(await find('!!!'), [4, 3, 2, 1])
  assert.equal(statSync(path).mode & 0o777, 0o600)
  await assert.rejects(find('-build'), { code: 'usage' })
})

test('from, in, since, until, and a next page', async t => {
  const { ledger, index, take, find } = setUp(t)
  const rooms = { general: { places: ['irc:#a', 'memory:hall'], open: true, joins: true } }
  const at = (minute: number) => ({ atMs: startMs + minute * 60_000 })
  await record(
    ledger,
    [
      said('irc:#a', 'alice', 'one x', at(1)),
      said('memory:hall', 'Alice', 'two x', at(2)),
      said('irc:#b', 'alice', 'three x', at(3)),
      said('irc:#b', 'bob', 'four x', at(4)),
      said('irc:#b', 'bob', 'five x', at(0)),
    ],
    rooms,
  )
  await take()
  const alice = whoIs(index.db, 'alice', [])
  assert.deepEqual(await find('x', everything, { from: alice }), [3, 2, 1])
  assert.deepEqual(await find('x', everything, { from: whoIs(index.db, 'irc:alice', []) }), [3, 1])
  assert.deepEqual(
    await find('x', everything, { from: whoIs(index.db, 'nobody', [{ network: 'irc', user: 'bob' }]) }),
    [5, 4],
  )
  assert.deepEqual(await find('x', everything, { from: whoIs(index.db, 'nobody', []) }), [])
  assert.deepEqual(await find('x', everything, { rooms: ['general'] }), [2, 1])
  assert.deepEqual(await find('', everything, { rooms: ['general'] }), [2, 1])
  const place = await ledger.read(db => after(db, 0, 1)[0]?.placeId as number)
  assert.deepEqual(await find('x', everything, { places: [place] }), [1])
  assert.deepEqual(await find('x', everything, { sinceMs: at(2).atMs }), [4, 3, 2])
  assert.deepEqual(await find('x', everything, { untilMs: at(2).atMs }), [5, 1])
  assert.deepEqual(await find('x', everything, {}, 2), [5, 4])
  assert.deepEqual(await find('x', everything, { before: 4 }, 2), [3, 2])
})

test('edits are followed, and a deleted text is gone from the file', async t => {
  const { ledger, index, take, find, path } = setUp(t)
  const typo = said('irc:#a', 'alice', 'recieve')
  const secret = said('irc:#a', 'alice', 'password hunter2hunter2')
  await record(ledger, [typo, secret, ...Array.from({ length: 50 }, (_, n) => said('irc:#a', 'bob', `filler ${n}`))])
  await take()
  await record(ledger, [
    about(typo, { kind: 'edit', content: text('receive') }),
    about(typo, { kind: 'edit', content: text('receive it') }),
    about(secret, { kind: 'delete' }),
  ])
  await take()
  assert.deepEqual(await find('recieve'), [])
  assert.deepEqual(await find('receive'), [1])
  assert.deepEqual(await find('password'), [])
  index.db.pragma('wal_checkpoint(TRUNCATE)')
  assert.ok(!readFileSync(path).includes('hunter2'))
})

test('a message that was edited or deleted before it was indexed is indexed as it is now', async t => {
  const { ledger, take, find } = setUp(t)
  const [a, b] = [said('irc:#a', 'alice', 'before'), said('irc:#a', 'alice', 'gone')]
  await record(ledger, [a, b, about(a, { kind: 'edit', content: text('afterwards') }), about(b, { kind: 'delete' })])
  await take()
  assert.deepEqual(await find('before'), [])
  assert.deepEqual(await find('gone'), [])
  assert.deepEqual(await find('afterwards'), [1])
})

test('commands, and what the scribe answered to them, are not found; a secret is in no file', async t => {
  const { ledger, index, take, find, path } = setUp(t)
  const args = z.object({ name: z.string(), value: z.string().meta({ secret: true }) })
  const declare = commandsOf<null>('admin')
  const common = { summary: 'x', role: 'guest', reply: 'public', examples: [['x', 'x']], run: async () => '' } as const
  const commands = [
    declare({ ...common, name: 'search', args: z.object({ words: z.string().meta({ rest: true }) }) }),
    declare({ ...common, name: 'secret set', args }),
  ]
  await ledger.write(db => publish(db, 'admin', commands as never))
  const scribe = { id: 'scribe' as never, name: 'scribe', kind: 'self', verified: true } as const
  await record(ledger, [
    said('irc:#a', 'alice', 'the needle'),
    said('irc:#a', 'alice', '!search needle'),
    said('irc:#a', scribe, '1 hit: the needle'),
    said('irc:#a', { ...scribe, name: 'oracle' }, 'a needle is thin'),
    said('irc:#a', 'bob', '!important needle'),
    said('irc:@alice', 'alice', 'search needle'),
    said('irc:@alice', 'alice', 'secret set needle hunter2hunter2'),
    said('irc:#a', 'alice', '/secret set needle hunter2hunter2'),
    said('irc:@alice/oracle', 'alice', 'search the needle for me', { to: 'oracle' }),
  ])
  await take()
  const direct = await ledger.read(db => after(db, 8, 1)[0]?.placeId as number)
  assert.deepEqual(await find('needle', { ...everything, direct }), [9, 5, 4, 1])
  assert.deepEqual(await find('hunter2hunter2', { ...everything, direct }), [])
  index.db.pragma('wal_checkpoint(TRUNCATE)')
  assert.ok(!readFileSync(path).includes('hunter2'))
})

test('a batch that is offered twice counts once; the cursor survives', async t => {
  const { ledger, index, find, path } = setUp(t)
  await record(ledger, [said('irc:#a', 'alice', 'once')])
  const batch = await ledger.read(db => after(db, 0, 10))
  await ledger.read(db => index.take(db, batch))
  await ledger.read(db => index.take(db, batch))
  assert.deepEqual(await find('once'), [1])
  assert.equal((index.db.prepare('SELECT sum(messages) AS n FROM tally').get() as { n: number }).n, 1)
  const again = SearchIndex.open(path, ear())
  assert.equal(again.cursor, 1)
  again.close()
})

test('an older or another ledger is noticed, and the index made again', async t => {
  const { ledger, index, take, data } = setUp(t)
  await record(ledger, [said('irc:#a', 'alice', 'one'), said('irc:#a', 'alice', 'two')])
  await take()
  assert.ok(await ledger.read(db => index.fits(db)))
  const restored = Ledger.open(join(data, 'restored.db'))
  t.after(() => restored.close())
  assert.ok(!(await restored.read(db => index.fits(db))))
  await record(restored, [
    said('irc:#a', 'alice', 'three'),
    said('irc:#a', 'alice', 'four'),
    said('irc:#a', 'alice', 'five'),
  ])
  assert.ok(!(await restored.read(db => index.fits(db))))
  index.rebuild()
  assert.equal(index.cursor, 0)
  await restored.read(db => index.take(db, after(db, 0, 10)))
  assert.ok(await restored.read(db => index.fits(db)))
  const found = await restored.read(db => search(index.db, db, { terms: parseTerms('two') }, everything, 5))
  assert.deepEqual(found.seqs, [])
})

test('a damaged file is made anew', t => {
  const path = join(folder(t), 'search.db')
  writeFileSync(path, 'this is no database at all, '.repeat(100))
  const index = SearchIndex.open(path, ear())
  assert.equal(index.cursor, 0)
  index.close()
})

test('whatever is typed, a search answers and never fails', async t => {
  const { ledger, take, find } = setUp(t)
  await record(ledger, [said('irc:#a', 'alice', 'NEAR AND OR NOT text tags r1 p1 * " - : ^ ( )')])
  await take()
  const pieces = [
    '"',
    '*',
    '-',
    'NEAR(',
    ')',
    'AND',
    'OR',
    'NOT',
    'text:',
    'tags:r1',
    '^',
    '{',
    '}',
    '+',
    'a',
    "'",
    ';--',
    '\0',
    '😀',
    '京',
    '-"',
    '\\',
    'ª',
    '\u0301',
    '\ud800',
    ':',
    ',',
    '%',
    '᭄',
  ]
  let seed = 7
  const next = (): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648
  for (let run = 0; run < 5000; run++) {
    const written = Array.from(
      { length: 1 + Math.floor(next() * 6) },
      () => pieces[Math.floor(next() * pieces.length)],
    ).join(next() < 0.5 ? '' : ' ')
    await find(written).catch((error: { code?: string }) => assert.equal(error.code, 'usage', JSON.stringify(written)))
  }
  assert.deepEqual(await find('NEAR NOT tags'), [1])
  assert.deepEqual(await find('tags:w1'), [])
})
