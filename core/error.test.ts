import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { asChanopError, ChanopError, catalogue, type ErrorCode } from './error.ts'
import { errorPage, errorPagePath } from './error-page.ts'

const root = join(import.meta.dirname, '..')
const codes = Object.keys(catalogue) as ErrorCode[]

it('docs/errors.md says what the catalogue says, no more and no less', () => {
  assert.equal(readFileSync(errorPagePath, 'utf8'), errorPage(), 'run node core/error-page.ts')
  for (const code of codes) assert.match(errorPage(), new RegExp(`^\\| \`${code}\` \\|`, 'm'))
})

it('every help is one sentence line that says something', () => {
  for (const code of codes) {
    assert.match(catalogue[code].help, /^[A-Z`][^\n]{20,}\.$/, code)
  }
})

it('every code of the catalogue is used by some source', () => {
  const sources = ['core', 'adapters', 'bots', 'scripts'].flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'error.ts')
      .map(name => readFileSync(join(root, folder, name), 'utf8')),
  )
  const all = sources.join('\n')
  assert.deepEqual(
    codes.filter(code => !all.includes(`'${code}'`)),
    [],
  )
})

it('an error knows whether to try again and who hears of it; an unknown one is internal and keeps its cause', () => {
  const error = new ChanopError('send-later', 'wait', { afterMs: 5 })
  assert.deepEqual([error.retry, error.audience, error.afterMs], ['later', 'operator', 5])
  assert.equal(asChanopError(error), error)
  const cause = new TypeError('x is not a function')
  const known = asChanopError(cause)
  assert.deepEqual([known.code, known.message, known.cause], ['internal', 'x is not a function', cause])
  assert.equal(asChanopError('text').message, 'text')
  const behind = new SuppressedError(new Error('it could not be cleared up either'), error)
  assert.equal(asChanopError(new SuppressedError(new Error('nor this'), behind)), error)
})
