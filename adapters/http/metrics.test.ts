import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ledger } from '../../core/ledger/ledger.ts'
import { addSpend } from '../../core/ledger/oracle/spend.ts'
import type { Connection } from '../../core/ledger/sqlite.ts'
import type { Interior } from '../../core/process/interior.ts'
import { Metrics } from './metrics.ts'

/** A connection that writes down each question it is asked. */
function counted(db: Connection, asked: string[]): Connection {
  const statement = (text: string): object =>
    new Proxy(db.prepare(text), {
      get: (target, name) => {
        const value = Reflect.get(target, name, target) as unknown
        if (typeof value !== 'function') return value
        return (...given: unknown[]) => {
          asked.push(text)
          return (value as (...all: unknown[]) => unknown).apply(target, given)
        }
      },
    })
  return new Proxy(db, { get: (target, name) => (name === 'prepare' ? statement : Reflect.get(target, name, target)) })
}

test('a scrape asks the ledger for nothing twice, and has what models read, wrote and cost', async t => {
  const ledger = Ledger.open(':memory:')
  t.after(() => ledger.close())
  const spent = { period: '2026-04', costMicroUsd: 1_500_000, reservedMicroUsd: 0, tries: 3 }
  const read = { inputTokens: 30, outputTokens: 20, cachedTokens: 10 }
  await ledger.write(tx => addSpend(tx, { ...spent, ...read, scope: 'model:main' }))
  const asked: string[] = []
  const shown = {
    readNow: <T>(work: (tx: Connection) => T) => ledger.readNow(tx => work(counted(tx, asked))),
    onDurable: () => () => undefined,
    newestSeq: () => 7,
  }
  const interior = { ledger: shown, settings: () => ({ networks: {} }) } as unknown as Interior
  const metrics = new Metrics(interior, () => 4)
  t.after(() => metrics.close())
  const { text } = await metrics.text()
  assert.ok(asked.length > 5)
  assert.deepEqual([...new Set(asked)], asked)
  for (const line of [
    'chanop_model_tokens_total{model="main",kind="input"} 30',
    'chanop_model_tokens_total{model="main",kind="output"} 20',
    'chanop_model_tokens_total{model="main",kind="cached"} 10',
    'chanop_model_usd_total{model="main"} 1.5',
    'chanop_model_tries_total{model="main"} 3',
    'chanop_deliveries{state="queued"} 0',
    'chanop_delivery_oldest_seconds{state="queued"} 0',
    'chanop_facts_total 7',
    'chanop_http_streams 4',
  ])
    assert.ok(text.includes(line), line)
})
