/** What errors say: plain text that is escaped in one place (`core/command/failure.ts`), with commands as people type them. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'

const root = resolve(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const files = globSync('{core,bots}/**/*.ts', { cwd: root }).filter(file => !/\.test\.ts$|\/testing\b/.test(file))

/** The whole calls that begin so, with the line where each stands. */
function calls(file: string, beginning: string): string[] {
  const source = read(file)
  const found: string[] = []
  for (let at = source.indexOf(beginning); at >= 0; at = source.indexOf(beginning, at + 1)) {
    let open = 1
    let end = at + beginning.length
    for (; open > 0 && end < source.length; end++) open += source[end] === '(' ? 1 : source[end] === ')' ? -1 : 0
    found.push(`${file}:${source.slice(0, at).split('\n').length} ${source.slice(at, end)}`)
  }
  return found
}

test('no message of an error is escaped where it is made', () => {
  const all = files.flatMap(file => calls(file, 'new ChanopError('))
  assert.ok(all.length > 200, `${all.length}`)
  assert.deepEqual(
    all.filter(call => call.includes('escapeInline')),
    [],
  )
})

test('a command that a message points to stands with its prefix', () => {
  const names = [...read('docs/commands.md').matchAll(/^### (.+)$/gm)].map(([, name]) => name)
  assert.ok(names.length > 80, `${names.length}`)
  const bare = new RegExp(
    `[;:,] (${names.join('|')})( \\S+)? (lists|shows|looks|makes) (it|them|who|where|which|how)\\b`,
  )
  const lines = files.flatMap(file =>
    read(file)
      .split('\n')
      .map((line, at) => `${file}:${at + 1} ${line.trim()}`),
  )
  assert.deepEqual(
    lines.filter(line => /['`]/.test(line) && bare.test(line)),
    [],
  )
})
