/** What the pages say about keys, commands and files is compared with what there is. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { test } from 'node:test'
import type { z } from 'zod'
import { configSchema } from '../config/schema.ts'
import { def } from '../core/zod.ts'

const root = resolve(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...globSync('docs/**/*.md', { cwd: root })]

/**
 * Every leaf with its defaults as JSON ('': it must be given, or means nothing when absent). Names that people choose are
 * `NAME`; the options of a union are told apart by nobody: their keys come together.
 */
function leaves(schema: z.ZodType, path: string, value?: unknown): [key: string, fallback: string][] {
  const { innerType, shape, valueType, options, defaultValue } = def(schema)
  if (innerType) return leaves(innerType, path, defaultValue === undefined ? value : defaultValue)
  if (options) return options.flatMap(option => leaves(option, path, value))
  if (shape) {
    const inside = (value ?? {}) as Readonly<Record<string, unknown>>
    return Object.entries(shape).flatMap(([key, inner]) => leaves(inner, path ? `${path}.${key}` : key, inside[key]))
  }
  if (valueType) return leaves(valueType, `${path}.NAME`)
  return [[path, value === undefined ? '' : JSON.stringify(value)]]
}

test('docs/configuration.md has every key of the schema with its default, and no other', () => {
  const wanted = new Map<string, Set<string>>()
  for (const [key, fallback] of leaves(configSchema, '')) {
    wanted.set(key, (wanted.get(key) ?? new Set()).add(fallback))
  }
  const rows = [...read('docs/configuration.md').matchAll(/^\| `([^`]+)` \| [^|]+ \| (?:`([^`]*)`)?[^|]* \|/gm)]
  const written = new Map(rows.map(([, key = '', fallback = '']) => [key, fallback]))
  assert.deepEqual([...written.keys()].sort(), [...wanted.keys()].sort())
  for (const [key, fallbacks] of wanted) {
    assert.ok(
      fallbacks.has(written.get(key) ?? ''),
      `${key}: ${written.get(key)} is not ${[...fallbacks].join(' or ')}`,
    )
  }
})

/** Of a heading, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

for (const page of pages) {
  const text = read(page)

  test(`${page}: what it links to is there`, () => {
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue
      const [path = '', anchor] = link.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      assert.ok(existsSync(join(root, file)), `${page} links to ${link}`)
      const headings = anchor
        ? [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))
        : []
      assert.ok(!anchor || headings.includes(anchor), `${page} links to ${link}: no such heading`)
    }
  })

  test(`${page}: the scripts that it names are in package.json`, () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const named = [...text.matchAll(/\bnpm (?:run ([a-z:]+)|(start|stop|test)\b)/g)].map(
      ([, run, short]) => run ?? short,
    )
    assert.deepEqual(
      named.filter(name => !Object.hasOwn(scripts, name ?? '')),
      [],
    )
  })
}

test("README's quickstart has at most 15 lines", () => {
  const [, quickstart = ''] = /^## Quickstart\n([\s\S]*?)^## /m.exec(read('README.md')) ?? []
  const lines = quickstart.split('\n').filter(line => line.trim() !== '')
  assert.ok(lines.length > 0 && lines.length <= 15, `${lines.length} lines`)
})

test('every variable of the environment that Chanop reads is in docs/operations.md', () => {
  const sources = globSync('{core,adapters,bots,scripts}/**/*.ts', { cwd: root }).filter(
    file => !file.endsWith('.test.ts'),
  )
  const used = new Set(
    [...sources, 'scripts/run', 'ecosystem.config.cjs'].flatMap(file =>
      [...read(file).matchAll(/\b(?:CHANOP_[A-Z]+|PM2_HOME|ERGO_BIN|REDIS_SERVER)\b/g)].map(([name]) => name),
    ),
  )
  const page = read('docs/operations.md')
  assert.deepEqual(
    [...used].filter(name => !page.includes(`\`${name}\``)),
    [],
  )
})

test('docs/security.md names a test that is there for each requirement, or says what is missing', () => {
  const rows = [...read('docs/security.md').matchAll(/^\| S(\d+) \| [^|]+ \| ([^|]+) \|$/gm)]
  assert.deepEqual(
    rows.map(([, number]) => Number(number)),
    Array.from({ length: 42 }, (_, n) => n + 1),
  )
  for (const [, number, held = ''] of rows) {
    const named = [...held.matchAll(/`([^`]+\.test\.ts)`: (.+?)(?= · `|; not yet|; nobody| $|$)/g)]
    assert.ok(named.length > 0 || /^not yet: \S/.test(held), `S${number}: ${held}`)
    for (const [, file = '', name = ''] of named) {
      assert.ok(existsSync(join(root, file)), `S${number}: there is no ${file}`)
      assert.ok(read(file).includes(name), `S${number}: ${file} has no test '${name}'`)
    }
  }
})
