import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Ledger } from '../../../../core/ledger/ledger.ts'
import { spendOf } from '../../../../core/ledger/oracle/spend.ts'
import { openTries, recentTries } from '../../../../core/ledger/oracle/tries.ts'
import { sql } from '../../../../core/ledger/sqlite.ts'
import { temporaryFolder } from '../../../../core/ledger/testing.ts'
import type { ModelRequest } from '../contract.ts'
import { answer, ModelServer, usage } from '../testing-server.ts'
import { hear, model, openWorld, question } from '../testing-world.ts'
import { usd } from './money.ts'
import { periodsAt } from './periods.ts'

const never = (): AbortSignal => new AbortController().signal
const today = (): string => periodsAt(Date.now(), 'UTC').day
const spent = (microUsd: number): object => usage(0, microUsd / 10)

/** Runs many at once; how many were answered, and the lines of those that were not. */
async function crowd(stream: (at: number) => AsyncIterable<never>, count: number) {
  const results = await Promise.allSettled(Array.from({ length: count }, (_, at) => hear(stream(at))))
  return {
    answered: results.filter(({ status }) => status === 'fulfilled').length,
    lines: results.flatMap(one => (one.status === 'rejected' ? [(one.reason as Error).message] : [])),
  }
}

for (const costUsd of [0.0001, 0.0101, 0.04]) {
  test(`500 at once against 1 USD, ${costUsd} USD each: at most one turn over, and at least half is used`, async t => {
    const oneMicroUsd = Math.round(costUsd * 1e6)
    const server = await ModelServer.listen(t, response => answer(response, ['ok'], spent(oneMicroUsd)))
    const { models, ledger } = await openWorld(t, {
      models: { only: model(server.url) },
      budget: { dailyUsd: 1, perPersonDailyUsd: 1000 },
    })
    const { answered, lines } = await crowd(() => models.stream(question, never()) as never, 500)
    const { costMicroUsd, reservedMicroUsd } = await ledger.read(tx => spendOf(tx, today(), 'all'))
    assert.equal(costMicroUsd, answered * oneMicroUsd)
    assert.ok(costMicroUsd <= 1e6 + oneMicroUsd, `${costMicroUsd}`)
    assert.ok(costMicroUsd >= Math.min(5e5, 500 * oneMicroUsd), `${costMicroUsd}`)
    assert.equal(reservedMicroUsd, 0)
    assert.equal(server.requests.length, answered)
    for (const line of lines)
      assert.match(line, /^budget: all of us spent \$[\d.]+ of today's \$1; it begins anew in .* \(!budget\)$/)
  })
}

test('a service that costs more than it may is known for it after one answer', async t => {
  const server = await ModelServer.listen(t, response => answer(response, ['ok'], spent(300_000)))
  const { models, ledger } = await openWorld(t, {
    models: { only: model(server.url) },
    budget: { dailyUsd: 1, perPersonDailyUsd: 1000 },
  })
  await hear(models.stream(question, never()))
  await crowd(() => models.stream(question, never()) as never, 50)
  const { costMicroUsd } = await ledger.read(tx => spendOf(tx, today(), 'all'))
  assert.ok(costMicroUsd >= 1e6 && costMicroUsd <= 1.3e6, `${costMicroUsd}`)
})

test('a person, a room and a model have budgets of their own', async t => {
  const server = await ModelServer.listen(t, response => answer(response, ['ok'], spent(30_000)))
  const { models } = await openWorld(t, {
    models: { only: model(server.url), spare: model(server.url, { priority: 2 }) },
    budget: {
      perPersonDailyUsd: 0.02,
      rooms: { tiny: { dailyUsd: 0.01 } },
      models: { only: { dailyUsd: 0.1 } },
    },
  })
  const ask = (more: Partial<ModelRequest>) => hear(models.stream({ ...question, ...more }, never()))
  await ask({})
  await assert.rejects(ask({}), {
    code: 'budget-reached',
    message: /^budget: chat:bob spent \$0\.03 of today's \$0\.02/,
  })
  await ask({ person: 'account:chat:ann', room: 'tiny' })
  await assert.rejects(ask({ person: 'account:chat:joe', room: 'tiny' }), { message: /^budget: the room tiny spent/ })
  await ask({ person: 'account:chat:eve' })
  assert.equal((await ask({ person: 'account:chat:max' })).end?.model, 'only')
  assert.equal((await ask({ person: 'account:chat:tom' })).end?.model, 'spare', 'the next model is asked')
})

test('a soft budget is told and goes on', async t => {
  const server = await ModelServer.listen(t, response => answer(response, ['ok'], spent(30_000)))
  const budget = { dailyUsd: 0.01, hard: false }
  const { models, ledger } = await openWorld(t, {
    networks: { chat: { kind: 'memory' } },
    rooms: { ops: { places: ['chat:#ops'] } },
    models: { only: model(server.url) },
    budget,
  })
  for (let n = 0; n < 3; n++) await hear(models.stream(question, never()))
  const said = await ledger.read(tx => sql(tx, "SELECT body ->> '$.content.segments[0].text' AS text FROM event").all())
  assert.deepEqual(
    said.map(row => row['text']),
    ["budget: all of us spent $0.03 of today's $0.01: it is only told, and goes on"],
  )
})

test('marks are told once each, the highest one that was passed, in the alert room', async t => {
  const server = await ModelServer.listen(t, response => answer(response, ['ok'], spent(20_000)))
  const { models, ledger } = await openWorld(t, {
    rooms: { ops: { places: ['chat:#ops'] } },
    models: { only: model(server.url) },
    budget: { dailyUsd: 0.1, monthlyUsd: 100 },
  })
  const told: number[] = []
  for (let n = 0; n < 5; n++) {
    await hear(models.stream(question, never()))
    told.push(await ledger.read(tx => Number(sql(tx, 'SELECT count(*) AS n FROM event').get()?.['n'])))
  }
  assert.deepEqual(told, [0, 0, 1, 2, 3], 'at 60, 80 and 100 %')
  const last = await ledger.read(tx => sql(tx, 'SELECT body, room FROM event ORDER BY seq DESC LIMIT 1').get())
  assert.match(String(last?.['body']), /all of us spent \$0\.1 of today's \$0\.1: nothing more is asked for/)
  assert.equal(last?.['room'], 'ops')
})

test('a model that costs nothing is under no budget', async t => {
  const server = await ModelServer.listen(t, response => answer(response, ['ok'], usage(1000, 1000)))
  const { models, ledger } = await openWorld(t, {
    models: { only: { provider: 'ollama', model: 'x', baseUrl: server.url } },
    budget: { dailyUsd: 0, perPersonDailyUsd: 0 },
  })
  const { end } = await hear(models.stream(question, never()))
  assert.deepEqual([end?.costMicroUsd, end?.usage.outputTokens], [0, 1000])
  assert.equal((await ledger.read(tx => spendOf(tx, today(), 'all'))).outputTokens, 1000)
})

test('cached input has its own price, and is kept', async t => {
  const server = await ModelServer.listen(t, response => answer(response, ['ok'], usage(1000, 10, 800)))
  const price = { inputPerMillion: 1, outputPerMillion: 10, cachedPerMillion: 0.1 }
  const { models, ledger } = await openWorld(t, { models: { only: model(server.url, { price }) } })
  const { end } = await hear(models.stream(question, never()))
  assert.deepEqual([end?.costMicroUsd, end?.usage.cachedTokens], [200 + 80 + 100, 800])
  const [row] = await ledger.read(tx => recentTries(tx, 1))
  assert.deepEqual(row?.price, { input: 1, cached: 0.1, output: 10 }, 'the price of its time stands with it')
})

test('a price that changes leaves what was booked as it was', async t => {
  const server = await ModelServer.listen(t, response => answer(response, ['ok'], usage(1000, 0)))
  const { models, ledger, configure } = await openWorld(t, { models: { only: model(server.url) } })
  await hear(models.stream(question, never()))
  configure({ models: { only: model(server.url, { price: { inputPerMillion: 5, outputPerMillion: 5 } }) } })
  await hear(models.stream(question, never()))
  const rows = await ledger.read(tx => recentTries(tx, 2))
  assert.deepEqual(
    rows.map(row => row.costMicroUsd),
    [5000, 1000],
  )
})

test('tries of a process that was killed are booked as estimated by the next', async t => {
  const folder = temporaryFolder(t)
  const server = await ModelServer.listen(t, async response => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    while (!response.destroyed) {
      response.write(`data: ${JSON.stringify({ choices: [{ delta: { content: 'word '.repeat(10) } }] })}\n\n`)
      await wait(50)
    }
  })
  const child = spawn(process.execPath, [join(import.meta.dirname, '../killed.child.ts'), folder, server.url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  const ledger = Ledger.open(join(folder, 'ledger.db'))
  t.after(() => ledger.close())
  const noted = async (): Promise<boolean> =>
    (await ledger.read(openTries)).some(({ outputTokens }) => outputTokens > 0)
  const endMs = performance.now() + 10_000
  while (!(await noted()) && performance.now() < endMs) await wait(50)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await openWorld(t, { models: { only: model(server.url) } }, ledger)
  assert.deepEqual(await ledger.read(openTries), [])
  const [lost] = await ledger.read(tx => recentTries(tx, 1))
  assert.deepEqual([lost?.outcome, lost?.estimated], ['lost', true])
  assert.ok((lost?.outputTokens ?? 0) > 10 && (lost?.costMicroUsd ?? 0) > 100)
  const all = await ledger.read(tx => spendOf(tx, today(), 'all'))
  assert.deepEqual([all.reservedMicroUsd, all.costMicroUsd, all.tries], [0, lost?.costMicroUsd, 1])
})

test('idle costs nothing: no request is made that nobody asked for', async t => {
  const server = await ModelServer.listen(t, response => answer(response, ['ok']))
  const { ledger } = await openWorld(t, { models: { only: model(server.url) } })
  await wait(300)
  assert.equal(server.requests.length, 0)
  assert.deepEqual(await ledger.read(tx => recentTries(tx, 5)), [])
})

test('sums are written as people read them', () => {
  assert.deepEqual([0, 420, 4200, 42_000, 420_000, 1e6, 4_020_000, 999_900].map(usd), [
    '$0',
    '$0.00042',
    '$0.0042',
    '$0.042',
    '$0.42',
    '$1',
    '$4.02',
    '$1',
  ])
})
