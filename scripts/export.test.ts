import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Place, parsePlace, text } from '../core/event.ts'
import { Ledger } from '../core/ledger/ledger.ts'
import { append } from '../core/ledger/record/events.ts'

const config = `
networks: { memory: { kind: memory } }
rooms: { general: { places: ['memory:#general'], open: true } }
`

interface Ended {
  readonly code: number
  readonly out: string
  readonly error: string
}

/** An instance in which a few things were said, and the script run on it. */
async function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'chanop-export-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'chanop.yaml'), config)
  const env = { ...process.env, CHANOP_CONFIG: join(folder, 'chanop.yaml'), CHANOP_DATA: join(folder, 'data') }
  const run = (...args: string[]): Promise<Ended> =>
    new Promise(done => {
      execFile(process.execPath, [join(import.meta.dirname, 'export.ts'), ...args], { env }, (error, out, errors) => {
        done({ code: error ? Number(error.code) : 0, out, error: errors })
      })
    })
  const fill = async (): Promise<void> => {
    const ledger = Ledger.open(join(folder, 'data', 'ledger.db'))
    for (const [n, where] of ['memory:#general', 'memory:#lone', 'memory:#general'].entries()) {
      await ledger.write(db => append(db, messageIn(where, n), where === 'memory:#lone' ? undefined : 'general', n))
    }
    ledger.close()
  }
  return { folder, run, fill }
}

const messageIn = (where: string, n: number) => ({
  kind: 'message' as const,
  key: `memory:${n}`,
  id: `m${n}` as never,
  place: parsePlace(where) as Place,
  sender: { id: 'alice' as never, name: 'alice', kind: 'person' as const, verified: true },
  atMs: Date.UTC(2026, 3, 1 + n),
  origin: 'live' as const,
  content: text(`message ${n}`),
})

test('writes what it says, without bots', async t => {
  const { folder, run, fill } = await setUp(t)
  await fill()
  const out = join(folder, 'out.csv')
  const written = await run('#general', '--format', 'csv', '--out', out)
  assert.equal(written.error, '')
  const [path, lines, sum] = written.out.trimEnd().split('\n')
  assert.deepEqual([path, lines], [out, `2 lines, ${readFileSync(out).length} B`])
  assert.equal(sum, `SHA-256 ${createHash('sha256').update(readFileSync(out)).digest('hex')}`)
  assert.match((await run('#general', '--out', out)).error, /exists already/)
  assert.match((await run('#lone')).out, /exports\/memory%3A#lone-\S+\.jsonl\n1 lines/)
  assert.match((await run('--all', '--since', '2026-04-02', '--until', '2026-04-03')).out, /\n1 lines/)
  assert.equal(readdirSync(join(folder, 'data', 'exports')).length, 2)
})

test('says in one line what is wrong', async t => {
  const { folder, run, fill } = await setUp(t)
  assert.match((await run('general')).error, /^chanop: there is no ledger in \S+ yet: npm start makes it\n$/)
  assert.ok(!existsSync(join(folder, 'data')))
  await fill()
  for (const [args, error] of [
    [['nowhere'], /^chanop: no room nowhere; rooms: general\n$/],
    [[], /^chanop: say which room, or --all\nusage: /],
    [['general', '--all'], /^chanop: say which room, or --all\n/],
    [['general', '--format', 'xml'], /^chanop: --format xml: there are jsonl, csv, text, html\n/],
    [['general', '--since', 'soon'], /^chanop: --since soon: write a time/],
    [['general', '--wrong'], /^chanop: Unknown option '--wrong'\n/],
    [['general', '--since', '1m'], /^chanop: nothing to export: look at the room and the times\n$/],
  ] as const) {
    const ended = await run(...args)
    assert.equal(ended.code, 1)
    assert.match(ended.error, error)
  }
})

test('a place that can not be written is one line that says so', async t => {
  const { folder, run, fill } = await setUp(t)
  await fill()
  for (const [way, reason] of [
    [['out.jsonl'], 'is a file, not a folder'],
    [['below', 'out.jsonl'], 'lies below a file'],
  ] as const) {
    const { code, error } = await run('#general', '--out', join(folder, 'chanop.yaml', ...way))
    assert.equal(code, 1)
    assert.match(error, new RegExp(`^chanop: [^\\n]*: ${reason}: name another place\\n$`))
  }
})
