import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { Catalogue, publish } from '../core/command/help/published.ts'
import { basics, topics } from '../core/command/help/topics.ts'
import { type Assigned, assign, assignGiven, checkArgs } from '../core/command/parse/args.ts'
import { type Field, fieldsOf } from '../core/command/parse/fields.ts'
import { jsonSchemaOf } from '../core/command/parse/json-schema.ts'
import { resolve } from '../core/command/parse/suggest.ts'
import { Ledger } from '../core/ledger/ledger.ts'
import { commands, pages, written } from './docs.ts'

for (const page of pages()) {
  test(`${page.path} says what the sources say`, async () => {
    assert.ok((await written(page)) === page.text, `${page.path} is stale: npm run docs`)
  })
}

test('docs/commands.md shows no patterns', () => {
  const text = pages()[0]?.text ?? ''
  const odd = [...text.matchAll(/^.*(?:\\[dwS.]|\[\^|\.\*|\\\/).*$/gm)].map(([line]) => line)
  assert.deepEqual(odd, [])
})

test('every command has its place in the first help', () => {
  const placed = new Set([...Object.values(topics).flat(), ...basics])
  const lost = commands.map(({ name }) => name.split(' ')[0] as string).filter(noun => !placed.has(noun))
  assert.deepEqual(lost, [])
})

test('to look changes nothing', () => {
  const { look = [] } = topics
  const there = commands.filter(({ name }) => look.includes(name) || look.includes(name.split(' ')[0] as string))
  assert.ok(there.length >= 9, `${there.length}`)
  assert.deepEqual(
    there.filter(({ mutates }) => mutates).map(({ name }) => name),
    [],
  )
})

/** What was read from text, as a program would give it. */
function byName(fields: readonly Field[], { values }: Assigned): Record<string, unknown> {
  const typed = (key: string, value: unknown): unknown => {
    const { type } = fields.find(field => field.key === key) as Field
    return type === 'integer' && /^\d+$/.test(String(value)) ? Number(value) : value
  }
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, typed(key, value)]))
}

for (const bot of ['admin', 'bridge', 'oracle', 'scribe']) {
  test(`what ${bot} takes as text it takes by name, as its JSON Schema says`, async t => {
    const ledger = Ledger.open(':memory:')
    t.after(() => ledger.close())
    const own = commands.filter(command => command.bot === bot)
    await ledger.write(db => publish(db, bot, own))
    const catalogue = await ledger.read(db => new Catalogue().refresh(db))
    for (const command of own) {
      const fields = fieldsOf(command.args)
      const schema = z.fromJSONSchema(jsonSchemaOf(fields) as never)
      assert.equal(schema.safeParse({ another: 'x' }).success, false, command.name)
      assert.ok(command.summary.length <= 100, `${command.name}: a summary of 100 letters at most`)
      for (const [said] of command.examples) {
        const found = resolve(catalogue, said.replace(/^!/, ''), false)
        assert.ok(found.is === 'command' && found.command.name === command.name, said)
        const text = assign(fields, found.rest)
        const given = byName(fields, text)
        const parsed = checkArgs(command.name, command.args, text)
        // An example of a mistake is one either way.
        if (parsed.ok) assert.ok(schema.safeParse(given).success, `${said}: ${JSON.stringify(given)}`)
        assert.deepEqual(checkArgs(command.name, command.args, assignGiven(fields, given)), parsed, said)
      }
    }
  })
}

/** What people type, and programs send, that is nothing: hostile to parsers of addresses, times, lists and patterns. */
const oddValues = [
  '',
  ' ',
  '0',
  '-1',
  '1e999',
  'x',
  'http://',
  'https://[',
  'http://a:b@',
  '://',
  '(',
  '[a-',
  '{',
  '\\',
  '2026-99-99',
  '9999999999999999h',
  'all',
  '@',
  '#',
  '__proto__',
  'constructor',
  'env:',
  'a=b',
  '\u0000',
  '\ud800',
  '\u202e',
  'x'.repeat(5000),
]

test('no value of an argument makes its check throw: it fits, or one line says why not', () => {
  for (const command of commands) {
    const fields = fieldsOf(command.args)
    for (const value of oddValues) {
      for (const lone of [...fields.map(({ key }) => [key]), fields.map(({ key }) => key)]) {
        const given = Object.fromEntries(lone.map(key => [key, value]))
        const checked = checkArgs(command.name, command.args, assignGiven(fields, given))
        if (!checked.ok) assert.match(checked.fault, /^[^\n]+ · usage: /, `${command.name} ${JSON.stringify(given)}`)
      }
    }
  }
})
