import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { z } from 'zod'
import { parseConfig } from '../config/load.ts'
import { ChanopError } from '../error.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { dropSetting, storeSetting } from '../ledger/settings/settings.ts'
import { temporaryFolder, temporaryLedger } from '../ledger/testing.ts'
import { Settings } from './settings.ts'
import { changing } from './settings-changing.ts'
import { removed } from './settings-merge.ts'

const schema = z.strictObject({
  name: z.string().default('chanop'),
  budget: z
    .strictObject({ dailyUsd: z.number().min(0).default(5), alerts: z.array(z.int()).default([50]) })
    .prefault({}),
  rooms: z
    .record(
      z.string().regex(/^[a-z]+$/),
      z.strictObject({ places: z.array(z.string()).min(1), open: z.boolean().default(false) }),
    )
    .default({}),
  models: z.record(z.string(), z.strictObject({ priority: z.int().default(1) })).default({}),
  ignore: z.record(z.string(), z.int().nullable()).default({}),
  files: z
    .strictObject({ format: z.enum(['jsonl', 'csv']).default('jsonl') })
    .nullable()
    .prefault({}),
})

const text = `name: home
budget: { dailyUsd: 7 }
rooms: { general: { places: ['irc:#general'] } }
`

async function opened(t: TestContext, source = text) {
  const file = join(temporaryFolder(t), 'chanop.yaml')
  writeFileSync(file, source)
  const ledger = temporaryLedger(t)
  return { file, ledger, settings: await Settings.open(file, schema, ledger) }
}

let clockMs = 1000
async function set(ledger: Ledger, settings: Settings<typeof schema>, key: string, value: unknown): Promise<void> {
  const checked = settings.check(key, value)
  await ledger.write(db => storeSetting(db, key, checked, 'alice', clockMs++, settings.covers(key)))
  await settings.reload()
}

const code = (wanted: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ChanopError)
  assert.equal(error.code, wanted)
  assert.match(error.message, message)
  return true
}

it('chat wins over the file, the file over the default, and each value says where it comes from', async t => {
  const { ledger, settings } = await opened(t)
  await set(ledger, settings, 'budget.dailyUsd', 9)
  assert.deepEqual(settings.get('budget.dailyUsd'), {
    value: 9,
    origin: { from: 'chat', by: 'alice', atMs: clockMs - 1 },
  })
  assert.deepEqual(settings.get('name'), { value: 'home', origin: { from: 'file' } })
  assert.deepEqual(settings.get('files.format'), { value: 'jsonl', origin: { from: 'default' } })
  assert.equal(settings.current.budget.dailyUsd, 9)
  assert.ok(Object.isFrozen(settings.current.budget))
})

it('unset gives the file its say again', async t => {
  const { ledger, settings } = await opened(t)
  await set(ledger, settings, 'budget.dailyUsd', 9)
  assert.equal(await ledger.write(db => dropSetting(db, 'budget.dailyUsd')), 1)
  await settings.reload()
  assert.deepEqual(settings.get('budget.dailyUsd'), { value: 7, origin: { from: 'file' } })
  assert.equal(await ledger.write(db => dropSetting(db, 'budget.dailyUsd')), 0)
})

it('a whole group replaces what was set below it, and unset of a group drops all below, and nothing beside', async t => {
  const { ledger, settings } = await opened(t)
  await set(ledger, settings, 'budget.dailyUsd', 9)
  await set(ledger, settings, 'budget', { dailyUsd: 1 })
  assert.deepEqual(
    settings.diff().map(({ key }) => key),
    ['budget'],
  )
  assert.equal(settings.current.budget.dailyUsd, 1)
  assert.equal(settings.get('budget.dailyUsd').origin.from, 'chat')
  await set(ledger, settings, 'ignore.irc:budget.x', null)
  await set(ledger, settings, 'budget.alerts', [1])
  assert.equal(await ledger.write(db => dropSetting(db, 'budget')), 2)
  await settings.reload()
  assert.deepEqual(settings.current.ignore, { 'irc:budget.x': null })
})

it('find looks in names and values; diff shows both sides', async t => {
  const { ledger, settings } = await opened(t)
  await set(ledger, settings, 'budget.dailyUsd', 9)
  assert.deepEqual(
    settings.find('USD').map(({ key }) => key),
    ['budget.dailyUsd'],
  )
  assert.deepEqual(
    settings.find('#gener').map(({ key }) => key),
    ['rooms.general.places'],
  )
  assert.deepEqual(
    settings.diff().map(({ key, beneath, value }) => [key, beneath, value]),
    [['budget.dailyUsd', { value: 7, from: 'file' }, 9]],
  )
  await set(ledger, settings, 'files.format', 'csv')
  assert.deepEqual(settings.diff().at(-1)?.beneath, { value: 'jsonl', from: 'default' })
})

it('what holds without a change of chat is known before it is dropped', async t => {
  const { ledger, settings } = await opened(t)
  await set(ledger, settings, 'budget.dailyUsd', 9)
  await set(ledger, settings, 'files.format', 'csv')
  await set(ledger, settings, 'models.mini', { priority: 3 })
  await set(ledger, settings, 'models.mini.priority', 4)
  assert.deepEqual(settings.without('budget.dailyUsd'), { value: 7, from: 'file' })
  assert.deepEqual(settings.without('budget'), { value: { dailyUsd: 7, alerts: [50] }, from: 'file' })
  assert.deepEqual(settings.without('files.format'), { value: 'jsonl', from: 'default' })
  assert.deepEqual(settings.without('models.mini'), { value: undefined, from: 'default' })
  assert.deepEqual(settings.without('models.mini.priority'), { value: 3, from: 'file' })
  assert.throws(() => settings.without('name'), code('not-found', /^name was not changed in chat/))
  assert.throws(() => settings.without('nmae'), code('not-found', /did you mean 'name'/))
})

it('a name in a map that is not there is no key, and the nearest is named', async t => {
  const { settings } = await opened(t)
  assert.throws(() => settings.get('rooms.genral'), code('not-found', /did you mean 'rooms\.general'/))
  assert.throws(() => settings.get('models.mini'), code('not-found', /no key 'models\.mini'/))
  assert.throws(() => settings.get('dailyUsd'), code('not-found', /did you mean 'budget\.dailyUsd'/))
  assert.throws(() => settings.get('budgets.dailyUsdd'), code('not-found', /did you mean 'budget\.dailyUsd'/))
  assert.throws(() => settings.get('places'), code('not-found', /did you mean 'rooms\.general\.places'/))
})

it('a fault in a list names its item, and shows it unless it may be a secret', async t => {
  const { settings } = await opened(t)
  assert.throws(
    () => settings.check('budget.alerts', [50, 'many']),
    code('usage', /^item 2 of 'budget\.alerts' \(many\) must be a/),
  )
  const key = `sk-${'a'.repeat(30)}`
  assert.throws(() => settings.check('budget.alerts', [key]), code('usage', /^item 1 of 'budget\.alerts' must be a/))
})

it('an unknown key is refused with the nearest one', async t => {
  const { settings } = await opened(t)
  assert.throws(() => settings.get('budget.dailyUSDD'), code('not-found', /did you mean 'budget\.dailyUsd'/))
  assert.throws(() => settings.get('budgett'), code('not-found', /did you mean 'budget'/))
  assert.throws(() => settings.get('rooms.nowhere.open'), code('not-found', /no key 'rooms\.nowhere\.open'/))
  assert.throws(() => settings.check('name.first', 'x'), code('not-found', /no key/))
  assert.throws(() => settings.get(''), code('not-found', /no key ''/))
})

it('a value that does not fit is refused and says why', async t => {
  const { settings } = await opened(t)
  assert.throws(() => settings.check('budget.dailyUsd', -1), code('usage', /^'budget\.dailyUsd' must be at least 0$/))
  assert.throws(() => settings.check('rooms.new', { places: [] }), code('usage', /rooms\.new\.places/))
  assert.throws(() => settings.check('rooms.New', { places: ['a:b'] }), code('usage', /rooms\.New/))
  assert.equal(settings.current.budget.dailyUsd, 7)
})

it('names with dots in them are one name', async t => {
  const { ledger, settings } = await opened(t)
  await set(ledger, settings, 'models.gpt-4.1', { priority: 3 })
  await set(ledger, settings, 'models.gpt-4.1.priority', 2)
  await set(ledger, settings, 'ignore.matrix:@a:example.org', 5)
  assert.deepEqual(settings.current.models, { 'gpt-4.1': { priority: 2 } })
  assert.deepEqual(settings.current.ignore, { 'matrix:@a:example.org': 5 })
  assert.equal(settings.get('models.gpt-4.1.priority').value, 2)
  assert.equal(settings.get('ignore.matrix:@a:example.org').origin.from, 'chat')
})

it('nobody reaches the prototype of all objects', async t => {
  const { ledger, settings } = await opened(t)
  for (const key of [
    'models.__proto__.priority',
    '__proto__.x',
    'models.constructor.prototype',
    'constructor',
    'toString',
  ]) {
    assert.throws(() => settings.check(key, 1), code('not-found', /no key/), key)
    await ledger.write(db => storeSetting(db, key, 1, 'mallory', 1))
  }
  await settings.reload()
  assert.equal(({} as { priority?: unknown }).priority, undefined)
  assert.equal(settings.ignored.length, 5)
})

it('the export is a file that gives the same configuration', async t => {
  const { ledger, settings } = await opened(t)
  await set(ledger, settings, 'budget.dailyUsd', 9)
  await set(ledger, settings, 'rooms.ops', { places: ['irc:#ops', 'x:y: z'] })
  await set(ledger, settings, 'ignore.matrix:@a:example.org', null)
  await set(ledger, settings, 'files', null)
  const said = settings.export()
  assert.deepEqual(schema.parse(parseConfig(said, 'export.yaml', schema)), settings.current)
  const again = await opened(t, said)
  assert.deepEqual(again.settings.current, settings.current)
  assert.deepEqual(again.settings.diff(), [])
})

it('a broken file keeps the old configuration, at a running system', async t => {
  const { file, ledger, settings } = await opened(t)
  await set(ledger, settings, 'budget.dailyUsd', 9)
  const before = settings.current
  let told = 0
  settings.onChange(() => told++)
  writeFileSync(file, 'budgett: {}\n')
  await assert.rejects(
    settings.reload(),
    code('config-invalid', /chanop\.yaml:1: unknown key 'budgett'; did you mean 'budget'/),
  )
  assert.equal(settings.current, before)
  assert.equal(told, 0)
  assert.equal(settings.get('budget.dailyUsd').value, 9)
  writeFileSync(file, 'name: fixed\n')
  await settings.reload()
  assert.equal(settings.current.name, 'fixed')
  assert.equal(settings.current.budget.dailyUsd, 9)
})

it('a broken file at the start is refused', async t => {
  await assert.rejects(opened(t, 'nam: x\n'), code('config-invalid', /did you mean 'name'/))
})

it('what chat has set and no longer fits is left out and named; the rest holds', async t => {
  const { file, ledger, settings } = await opened(t)
  await set(ledger, settings, 'rooms.general.open', true)
  await set(ledger, settings, 'budget.dailyUsd', 9)
  await ledger.write(db => storeSetting(db, 'budget.gone', 1, 'an older release', 1))
  writeFileSync(file, 'name: other\n')
  assert.deepEqual(await settings.reload(), { ignored: ['budget.gone', 'rooms.general.open'] })
  assert.deepEqual(settings.ignored, ['budget.gone', 'rooms.general.open'])
  assert.equal(settings.current.budget.dailyUsd, 9)
  assert.equal(settings.current.name, 'other')
  writeFileSync(file, text)
  assert.deepEqual(await settings.reload(), { ignored: ['budget.gone'] })
  assert.equal(settings.current.rooms['general']?.open, true)
})

it('listeners hear of real changes alone, with the new value, and until they leave', async t => {
  const { ledger, settings } = await opened(t)
  const heard: number[] = []
  const off = settings.onChange(current => heard.push(current.budget.dailyUsd))
  await settings.reload()
  await set(ledger, settings, 'budget.dailyUsd', 7)
  await set(ledger, settings, 'budget.dailyUsd', 8)
  off()
  await set(ledger, settings, 'budget.dailyUsd', 9)
  assert.deepEqual(heard, [8])
})

it('two processes on one ledger hold the same after a reload', async t => {
  const { file, ledger, settings } = await opened(t)
  const other = await Settings.open(file, schema, ledger)
  await set(ledger, settings, 'budget.dailyUsd', 9)
  assert.equal(other.current.budget.dailyUsd, 7)
  await other.reload()
  assert.deepEqual(other.current, settings.current)
  assert.deepEqual(other.get('budget.dailyUsd'), settings.get('budget.dailyUsd'))
})

it('a name that another one goes on with a dot is another name', async t => {
  const { ledger, settings } = await opened(t)
  await set(ledger, settings, 'models.gpt-5.1', { priority: 2 })
  await set(ledger, settings, 'models.gpt-5', { priority: 3 })
  assert.deepEqual(settings.current.models, { 'gpt-5.1': { priority: 2 }, 'gpt-5': { priority: 3 } })
  await set(ledger, settings, 'models.gpt-5.priority', 4)
  await set(ledger, settings, 'models.gpt-5', { priority: 5 })
  assert.deepEqual(settings.current.models, { 'gpt-5.1': { priority: 2 }, 'gpt-5': { priority: 5 } })
  assert.equal(settings.without('models.gpt-5').value, undefined)
  const key = 'models.gpt-5'
  assert.equal(await ledger.write(db => dropSetting(db, key, settings.covers(key))), 1)
  await settings.reload()
  assert.deepEqual(Object.keys(settings.current.models), ['gpt-5.1'])
})

it('a key that somebody else changed since it was seen is found in the ledger, before it is told', async t => {
  const { ledger, settings } = await opened(t)
  const seen = settings.current
  await ledger.write(db => storeSetting(db, 'rooms.ops', { places: ['irc:#ops'] }, 'bob', 1))
  await ledger.read(db => settings.demandSame(db, seen, ['rooms.general', 'budget.dailyUsd']))
  await assert.rejects(
    ledger.read(db => settings.demandSame(db, seen, ['rooms.general', 'rooms.ops'])),
    code('conflict', /^rooms\.ops was changed by somebody else just now: say it again$/),
  )
  assert.deepEqual(await ledger.read(db => Object.keys(settings.in(db).rooms)), ['general', 'ops'])
})

it('what is removed is gone whoever said it, stays so, and is not noted where chat alone had it', async t => {
  const { ledger, settings } = await opened(t, `${text}models: { mini: {} }\n`)
  const context = { settings, bus: { signal: () => Promise.resolve() } }
  const remove = async (key: string): Promise<void> => {
    const asker = { person: null, account: 'olga' }
    const asked = { services: { context }, caller: asker, atMs: clockMs++ } as unknown as Parameters<typeof changing>[0]
    const { effect } = changing(asked, { [key]: removed })
    await ledger.write(effect)
    await settings.reload()
  }
  await set(ledger, settings, 'models.mini', { priority: 2 })
  await remove('models.mini')
  assert.deepEqual(settings.current.models, {}, 'the file has it')
  await set(ledger, settings, 'models', { mini: {}, maxi: {} })
  await remove('models.maxi')
  assert.deepEqual(Object.keys(settings.current.models), ['mini'], 'chat has all of them as one value')
  await set(ledger, settings, 'rooms.ops', { places: ['irc:#ops'] })
  await remove('rooms.ops')
  assert.ok(!settings.diff().some(({ key }) => key === 'rooms.ops'))
})
