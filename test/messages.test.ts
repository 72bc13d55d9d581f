/** What errors say: plain text that is escaped in one place (`core/command/failure.ts`), with commands as people type them. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'

const root = resolve(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const all = globSync('{core,bots,adapters}/**/*.ts', { cwd: root }).filter(
  file => !/\.test\.ts$|\/testing\b/.test(file),
)
const files = all.filter(file => !file.startsWith('adapters/'))

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
  const made = files.flatMap(file => calls(file, 'new ChanopError('))
  assert.ok(made.length > 200, `${made.length}`)
  assert.deepEqual(
    made.filter(call => call.includes('escapeInline')),
    [],
  )
})

/** The text in quotes of a line of source, where it is not what a declaration is called by. */
const quoted = (line: string): string[] =>
  /^\s*(name|aliases|summary|\/?\*|\/\/)/.test(line)
    ? []
    : [...line.matchAll(/'((?:[^'\\]|\\.)+)'|`([^`]+)`/g)].map(([, a, b]) => a ?? b ?? '')

/** Finds what a message points to without a prefix. */
function bareCommands(names: readonly string[]): (said: string) => boolean {
  const families = names.filter(name => name.includes(' ')).join('|')
  const singles = names.filter(name => !name.includes(' ') && name !== 'who')
  const rare = singles.filter(name => !/^(say|last|more|export|no|yes|can|call|find)$/.test(name)).join('|')
  const does = '(asks|comes|finds|gives|lists|looks|makes|says|shows|takes|tells|turns)'
  // Two words that are a command's are one wherever they stand, one word is where it is said what it does or to whom.
  const pair = new RegExp(`(?:[;:,(]|\\b(?:and|or|by|say|then|with|write))\\s(${families})\\b(?! needs)`)
  const word = new RegExp(`[;:,] (?:(${singles.join('|')})( \\S+)? ${does}\\b|(${rare}) \\$\\{)`)
  return said => pair.test(said) || word.test(said)
}

test('a command that a message points to stands with its prefix', () => {
  const names = [...read('docs/commands.md').matchAll(/^### (.+)$/gm)].map(([, name]) => name ?? '')
  assert.ok(names.length > 80, `${names.length}`)
  const bareIn = bareCommands(names)
  for (const said of [
    'no key; key new makes one',
    'it is over: restore ${name} for=30d',
    'none: hook new and hook out',
    '; retry asks again',
  ])
    assert.ok(bareIn(said), said)
  for (const said of ['no key; !key new makes one', 'over: ${prefix}restore ${name}', 'cut off: ask again'])
    assert.ok(!bareIn(said), said)
  const bare = all.flatMap(file =>
    read(file)
      .split('\n')
      .flatMap((line, at) =>
        quoted(line)
          .filter(said => bareIn(said))
          .map(said => `${file}:${at + 1} ${said}`),
      ),
  )
  assert.deepEqual(bare, [])
})
