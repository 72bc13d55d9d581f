import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ModelServer, nobody, refuse } from '../../bots/oracle/models/testing-server.ts'
import { Ledger } from '../../core/ledger/ledger.ts'
import { dropSetting } from '../../core/ledger/settings/settings.ts'
import { checkModels } from '../checks/models.ts'
import { instanceOf } from '../instance.ts'
import { findModels } from './models.ts'

const never = (): AbortSignal => new AbortController().signal

async function open(t: TestContext, env: Record<string, string>, models = '') {
  const folder = mkdtempSync(join(tmpdir(), 'chanop-models-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'data'))
  writeFileSync(join(folder, 'chanop.yaml'), `networks: { chat: { kind: memory } }\n${models}`)
  const service = await ModelServer.listen(t, (response, { headers }) =>
    headers.authorization === 'Bearer k'
      ? refuse(response, 200, { data: [{ id: 'gpt-4.1-mini' }] })
      : refuse(response, 401, {}),
  )
  const instance = instanceOf({
    CHANOP_CONFIG: join(folder, 'chanop.yaml'),
    CHANOP_DATA: join(folder, 'data'),
    HOME: folder,
    OLLAMA_HOST: await nobody(),
    OPENAI_BASE_URL: service.url,
    ...env,
  })
  return { instance, service }
}

test('a key in the environment is taken once, said with its budget and how to turn it off, and kept for the bots', async t => {
  const { instance, service } = await open(t, { OPENAI_API_KEY: 'k' })
  const first = await findModels(instance, never())
  assert.deepEqual(first.lines, [
    'model      gpt-4-1-mini is taken: openai gpt-4.1-mini, found by OPENAI_API_KEY',
    '           budget: $5 a day and $50 a month, $1 a day for each person; !model off gpt-4-1-mini turns it off',
  ])
  assert.deepEqual(first.variables, ['OPENAI_API_KEY'])
  assert.ok(
    service.requests.every(({ path }) => path.endsWith('/models')),
    'no model was asked: it cost nothing',
  )
  const again = await findModels(instance, never())
  assert.deepEqual(again.lines, ['models     gpt-4-1-mini (openai gpt-4.1-mini)'])
  const checks = await checkModels(instance)
  assert.deepEqual(
    checks.map(({ ok }) => ok),
    [true],
  )
  const ledger = Ledger.open(instance.paths.ledger)
  await ledger.write(tx => dropSetting(tx, 'models.gpt-4-1-mini'))
  ledger.close()
  const gone = await findModels(instance, never())
  assert.match(gone.lines.join('\n'), /no model is configured/, 'who took it out does not want it back')
})

test('one that is configured is left alone, and what is off is told', async t => {
  const models = 'models: { own: { provider: compatible, model: x, baseUrl: "http://127.0.0.1:9/v1", on: false } }'
  const { instance, service } = await open(t, { OPENAI_API_KEY: 'k' }, models)
  assert.deepEqual((await findModels(instance, never())).lines, [
    '! no model is on, so oracle can not answer: !model on NAME',
  ])
  assert.equal(service.requests.length, 0)
})

test('without any it is one line with two ways out', async t => {
  const { instance } = await open(t, {})
  assert.deepEqual((await findModels(instance, never())).lines, [
    '! no model is configured, so oracle can not answer: !model add, in a direct message to oracle, or export OPENAI_API_KEY=… and npm start again',
  ])
  assert.deepEqual(
    (await checkModels(instance)).map(({ ok }) => ok),
    [true],
  )
})

test('the doctor tells a model that can not be reached, one that is not offered and a key that is missing', async t => {
  const { instance, service } = await open(t, {}, '')
  const away = await nobody()
  writeFileSync(
    instance.config,
    `networks: { chat: { kind: memory } }
models:
  away: { provider: compatible, model: x, baseUrl: "${away}" }
  strange: { provider: compatible, model: x, baseUrl: "${service.url}", apiKey: env:THE_KEY }
  keyless: { provider: compatible, model: x, baseUrl: "${service.url}", apiKey: env:NO_KEY }
`,
  )
  // Of an instance that was never started nothing but the ledger that is missing is told.
  Ledger.open(instance.paths.ledger).close()
  const checks = await checkModels({ ...instance, env: { ...instance.env, THE_KEY: 'k' } })
  assert.deepEqual(
    checks.map(({ name, ok }) => [name, ok]),
    [
      ['model away', false],
      ['model strange', false],
      ['model keyless', false],
    ],
  )
  assert.match(checks[0]?.detail ?? '', /can not be reached: nothing listens at its address/)
  assert.match(checks[1]?.detail ?? '', /does not offer x/)
  assert.match(checks[2]?.detail ?? '', /NO_KEY is not set/)
})
