import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { rotateLogs } from './logs.ts'

test('a process log that has grown is copied, three copies are kept, and others stay as they are', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'chanop-logs-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'small.log'), 'x')
  writeFileSync(join(folder, 'notes.txt'), 'long enough to be rotated')
  for (const round of [1, 2, 3, 4, 5]) {
    appendFileSync(join(folder, 'admin.log'), `round ${round}, long enough`)
    assert.deepEqual(await rotateLogs(folder, 10), ['admin.log'])
  }
  assert.deepEqual(await rotateLogs(folder, 10), [])
  assert.deepEqual(readdirSync(folder).sort(), [
    'admin.log',
    'admin.log.1',
    'admin.log.2',
    'admin.log.3',
    'notes.txt',
    'small.log',
  ])
  const texts = ['', '.1', '.2', '.3'].map(end => readFileSync(join(folder, `admin.log${end}`), 'utf8'))
  assert.deepEqual(texts, ['', 'round 5, long enough', 'round 4, long enough', 'round 3, long enough'])
})
