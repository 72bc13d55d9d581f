import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { test } from 'node:test'
import { kinds } from '../adapters/index.ts'

const root = resolve(import.meta.dirname, '..')
const folders = ['core', 'adapters', 'bots', 'config', 'scripts', 'bench', 'test']
const files = globSync(`{${folders.join(',')}}/**/*.ts`, { cwd: root }).filter(file => !file.endsWith('.d.ts'))
const sources = new Map(files.map(file => [file, readFileSync(join(root, file), 'utf8')]))

interface Import {
  readonly from: string
  readonly to: string
  /** Gone when the program runs. */
  readonly typeOnly: boolean
}

const statement = /^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?['"](\.{1,2}\/[^'"]+)['"]/gm
const dynamic = /\bimport\(\s*['"](\.{1,2}\/[^'"]+)['"]/g

function importsOf(from: string, text: string): Import[] {
  const target = (specifier: string): string => relative(root, resolve(root, dirname(from), specifier))
  return [
    ...[...text.matchAll(statement)].map(([, type, to]) => ({
      from,
      to: target(to as string),
      typeOnly: Boolean(type),
    })),
    ...[...text.matchAll(dynamic)].map(([, to]) => ({ from, to: target(to as string), typeOnly: false })),
  ]
}

const imports = [...sources].flatMap(([file, text]) => importsOf(file, text))
const isTest = (file: string): boolean => /\.test\.ts$|\/(testing|trial)\b|^core\/contract\/|^test\//.test(file)
const shipped = imports.filter(({ from }) => !isTest(from))
const shown = (found: readonly Import[]): string => found.map(({ from, to }) => `${from} imports ${to}`).join('\n')
const none = (found: readonly Import[]): void => assert.equal(shown(found), '')
const part = (file: string, depth: number): string => file.split('/').slice(0, depth).join('/')

test('the imports are seen at all', () => {
  assert.ok(imports.length > files.length)
  assert.deepEqual(
    importsOf('core/a.ts', `import { b } from './b.ts'\nimport type { c } from '../bots/c.ts'\nawait import('./d.ts')`),
    [
      { from: 'core/a.ts', to: 'core/b.ts', typeOnly: false },
      { from: 'core/a.ts', to: 'bots/c.ts', typeOnly: true },
      { from: 'core/a.ts', to: 'core/d.ts', typeOnly: false },
    ],
  )
})

test('core imports core alone', () =>
  none(shipped.filter(({ from, to }) => part(from, 1) === 'core' && part(to, 1) !== 'core')))

test('adapters import core, their own folder and nothing else', () =>
  none(
    shipped.filter(
      ({ from, to }) =>
        part(from, 1) === 'adapters' &&
        from !== 'adapters/index.ts' &&
        part(to, 1) !== 'core' &&
        part(to, 2) !== part(from, 2),
    ),
  ))

test('nothing but scripts and benchmarks imports scripts', () =>
  none(shipped.filter(({ from, to }) => part(to, 1) === 'scripts' && !['scripts', 'bench'].includes(part(from, 1)))))

test('nothing imports a bot, and no bot another', () =>
  none(
    shipped.filter(
      ({ from, to }) =>
        part(to, 1) === 'bots' && part(from, 2) !== part(to, 2) && !['scripts', 'bench'].includes(part(from, 1)),
    ),
  ))

test('of the bots bridge alone knows adapters', () =>
  none(
    shipped.filter(
      ({ from, to }) => part(from, 1) === 'bots' && part(to, 1) === 'adapters' && part(from, 2) !== 'bots/bridge',
    ),
  ))

const ownDatabase = (file: string): boolean => /^bots\/scribe\/(index\/|stats\.ts$)/.test(file)

test('SQL of the ledger stands in its folder alone; scribe has a database of its own', () => {
  const mayKnow = (file: string): boolean => file.startsWith('core/ledger/') || ownDatabase(file)
  none(shipped.filter(({ from, to }) => to === 'core/ledger/sqlite.ts' && !mayKnow(from)))
  const found = [...sources]
    .filter(([file, text]) => !isTest(file) && !mayKnow(file) && /\.(prepare|pragma)\(/.test(text))
    .map(([file]) => file)
  assert.deepEqual(found, [])
})

test('the ledger knows what is said and who may what, and nothing that stands on it', () => {
  const below = /^core\/(ledger\/|event|error|access\/role|adapter|log|text\/lookalikes|stop|retry|trace)/
  none(shipped.filter(({ from, to }) => from.startsWith('core/ledger/') && !below.test(to)))
})

test('no import goes in a circle', () => {
  // A circle of types alone runs, but neither file can be read or moved without the other.
  const next = Map.groupBy(imports, ({ from }) => from)
  const done = new Set<string>()
  const visit = (file: string, way: readonly string[]): void => {
    assert.ok(!way.includes(file), `circle: ${[...way, file].join(' → ')}`)
    if (done.has(file)) return
    for (const { to } of next.get(file) ?? []) visit(to, [...way, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
})

/**
 * The lines of a source that are no comment as a whole. A comment behind code counts as code: to tell it from a string with
 * slashes in it takes a parser.
 */
function codeLines(text: string): string[] {
  let inComment = false
  return text.split('\n').filter(line => {
    const begins = inComment || /^\s*\/\*/.test(line)
    if (begins) inComment = !line.includes('*/')
    return !begins && !/^\s*\/\//.test(line)
  })
}

test('code is told from comments', () => {
  const text = [
    '/** discord',
    ' * slack */',
    '// matrix',
    "const a = ' //status', b = 'irc'",
    '  /* x */',
    "const glob = 'a/*', c = '*/'",
    'const d = /\\/\\*/ // telegram',
  ]
  assert.deepEqual(codeLines(text.join('\n')), [text[3], text[5], text[6]])
})

test('core names no platform', () => {
  const platforms = kinds.map(({ kind }) => kind).filter(kind => kind !== 'memory')
  // The scheme of an address is no platform, nor is a module of Node.js.
  const names = new RegExp(
    `(?<!node:)\\b(${[...new Set([...platforms, 'irc', 'discord', 'slack', 'telegram', 'matrix'])].join('|')})\\b(?!:)`,
    'i',
  )
  // Comments may give an example; what runs may not know one.
  const found = [...sources]
    .filter(([file]) => part(file, 1) === 'core' && !isTest(file))
    .flatMap(([file, text]) =>
      codeLines(text)
        .filter(text => names.test(text))
        .map(text => `${file}: ${text.trim()}`),
    )
  assert.deepEqual(found, [])
})

test('no file is longer than 400 lines', () => {
  const long = [...sources].filter(([, text]) => text.split('\n').length > 401).map(([file]) => file)
  assert.deepEqual(long, [])
})

test('no file only hands on what others export', () => {
  const barrels = [...sources].filter(([, text]) => /^export (\*|\{[^}]*\}) from/m.test(text)).map(([file]) => file)
  assert.deepEqual(barrels, [])
})
