import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NetworkId } from '../../../core/event.ts'
import { repairAgents, type Step } from '../../../core/ledger/agents/agent-steps.ts'
import { type AgentState, agentNamed, insertAgent } from '../../../core/ledger/agents/agents.ts'
import { Ledger } from '../../../core/ledger/ledger.ts'
import { type OrderKind, placeOrder, settleOrder } from '../../../core/ledger/out/orders.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { accountOrder } from './orders.ts'

const network = 'irc' as NetworkId
const nowMs = 5000

const record = (db: Tx, name: string, state: AgentState): void =>
  insertAgent(db, {
    name,
    network,
    type: 'worker',
    owner: 'irc:olga',
    state,
    channels: ['*'],
    permissions: [],
    skills: [],
    rate: { count: 5, perMs: 1000 },
    native: false,
    engagement: null,
    reason: null,
    paused: false,
    createdMs: 1,
    changedMs: 1,
    expiresMs: null,
    createdBy: 'olga',
  })

const ordered = (db: Tx, account: string, kind: OrderKind, step: Step): number =>
  placeOrder(db, accountOrder({ network, account, kind, step, seq: account }), 1)

const done = { done: true as const, result: 'done' }
const failed = { done: false as const, error: 'it exists already' }

/** The records after an order about `a` of this kind has ended. */
async function after(state: AgentState, kind: OrderKind, step: Step, end: typeof done | typeof failed) {
  const ledger = Ledger.open(':memory:')
  const found = await ledger.write(db => {
    record(db, 'a', state)
    settleOrder(db, ordered(db, 'a', kind, step), end, nowMs)
    return agentNamed(db, 'a')?.state ?? 'none'
  })
  ledger.close()
  return found
}

test('the end of an order moves its record on, in the same transaction', async () => {
  assert.equal(await after('registering', 'account.create', 'register', done), 'active')
  assert.equal(await after('registering', 'account.create', 'register', failed), 'none')
  assert.equal(await after('rotating', 'account.password', 'rotate', done), 'active')
  assert.equal(await after('rotating', 'account.password', 'rotate', failed), 'active')
  assert.equal(await after('revoked', 'account.suspend', 'suspend', done), 'revoked')
  assert.equal(await after('revoked', 'account.restore', 'restore', done), 'active')
  assert.equal(await after('revoked', 'account.restore', 'restore', failed), 'revoked')
  assert.equal(await after('deleted', 'account.drop', 'drop', done), 'none')
  assert.equal(await after('deleted', 'account.drop', 'drop', failed), 'revoked')
})

test('what was revoked or taken meanwhile stays so', async () => {
  assert.equal(await after('revoked', 'account.create', 'register', done), 'revoked')
  assert.equal(await after('revoked', 'account.password', 'rotate', done), 'revoked')
  assert.equal(await after('active', 'account.create', 'register', failed), 'active')
})

test('a start repairs records whose order is gone or ended, and leaves those alone that are under way', async () => {
  const ledger = Ledger.open(':memory:')
  await ledger.write(db => {
    for (const [name, state] of [
      ['lost', 'registering'],
      ['open', 'registering'],
      ['turning', 'rotating'],
      ['going', 'deleted'],
      ['made', 'registering'],
      ['fine', 'active'],
    ] as const)
      record(db, name, state)
    ordered(db, 'open', 'account.create', 'register')
    settleOrder(db, ordered(db, 'made', 'account.create', 'register'), done, nowMs)
    db.prepare("UPDATE agent SET state = 'registering' WHERE name = 'made'").run()
  })
  const repaired = await ledger.write(db => repairAgents(db, nowMs))
  assert.deepEqual([...repaired].sort(), [
    'going was deleted',
    'lost was registering',
    'made was registering',
    'turning was rotating',
  ])
  const states = await ledger.read(db =>
    ['lost', 'open', 'turning', 'going', 'made', 'fine'].map(name => agentNamed(db, name)?.state ?? 'none'),
  )
  assert.deepEqual(states, ['none', 'registering', 'active', 'revoked', 'active', 'active'])
  assert.deepEqual(await ledger.write(db => repairAgents(db, nowMs)), [])
  ledger.close()
})
