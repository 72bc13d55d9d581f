import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { temporaryFolder } from '../ledger/testing.ts'
import { keepValue, keptValue } from './kept.ts'
import { readConfig } from './load.ts'

const schema = z.strictObject({ a: z.array(z.number()).optional() })

test('a text that did not change is not read as YAML again; one that did is', t => {
  const folder = temporaryFolder(t)
  const [file, kept] = [join(folder, 'c.yaml'), join(folder, 'run', 'config.json')]
  writeFileSync(file, 'a: [1, 2]\n')
  assert.deepEqual(readConfig(file, schema, kept), { a: [1, 2] })
  assert.equal(statSync(kept).mode & 0o777, 0o600)
  // Shown by a value that only the kept one has.
  writeFileSync(kept, readFileSync(kept, 'utf8').replace('[1,2]', '[3]'))
  assert.deepEqual(readConfig(file, schema, kept), { a: [3] })
  writeFileSync(file, 'a: [4]\n')
  assert.deepEqual(readConfig(file, schema, kept), { a: [4] })
})

test('a fault is told with its line also when the text is known', t => {
  const folder = temporaryFolder(t)
  const [file, kept] = [join(folder, 'c.yaml'), join(folder, 'config.json')]
  writeFileSync(file, '# first\nb: 1\n')
  for (let time = 0; time < 2; time++) assert.throws(() => readConfig(file, schema, kept), /c\.yaml:2: unknown key 'b'/)
  keepValue(kept, '# first\nb: 1\n', { b: 1 })
  assert.throws(() => readConfig(file, schema, kept), /c\.yaml:2: unknown key 'b'/)
})

test('what is damaged, or no JSON, is read anew', t => {
  const path = join(temporaryFolder(t), 'config.json')
  for (const text of ['', '{', 'null', '{"value":1}']) {
    writeFileSync(path, text)
    assert.equal(keptValue(path, 'x'), undefined)
  }
  keepValue(path, 'x', { n: Number.POSITIVE_INFINITY })
  assert.equal(keptValue(path, 'x'), undefined)
  keepValue(path, 'x', { n: 1 })
  assert.deepEqual(keptValue(path, 'x'), { n: 1 })
})
