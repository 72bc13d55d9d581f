import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NetworkId } from '../../../core/event.ts'
import type { Order, OrderKind } from '../../../core/ledger/out/orders.ts'
import { nextOrder } from './orders.ts'

const nowMs = 1_000_000
let id = 0

const order = (kind: OrderKind, account: string, over: Partial<Order> = {}): Order => ({
  id: ++id,
  key: `k${id}`,
  network: 'irc' as NetworkId,
  kind,
  args: account === '' ? { channel: '#a' } : { account },
  sealed: null,
  state: 'queued',
  attempts: 0,
  notBeforeMs: 0,
  result: null,
  error: null,
  ...over,
})
const late = { notBeforeMs: nowMs + 5000 }
const next = (...queue: Order[]): OrderKind | undefined =>
  nextOrder(queue, ({ notBeforeMs }) => notBeforeMs <= nowMs)?.kind

test('orders are done in their order, what ends something first', () => {
  assert.equal(next(order('account.create', 'a'), order('account.create', 'b')), 'account.create')
  assert.equal(next(order('account.create', 'a'), order('account.suspend', 'b')), 'account.suspend')
  assert.equal(next(order('account.create', 'a'), order('place.kick', '')), 'place.kick')
  assert.equal(next(), undefined)
})

test('a suspension waits for nothing about its account but the making of it', () => {
  assert.equal(next(order('account.create', 'a'), order('account.suspend', 'A')), 'account.create')
  const failing = { ...late, attempts: 2 }
  assert.equal(next(order('account.create', 'a', failing), order('account.suspend', 'a')), undefined)
  assert.equal(next(order('account.password', 'a', failing), order('account.suspend', 'a')), 'account.suspend')
})

test('what was tried and put off holds up what follows about its account, what is for later does not', () => {
  assert.equal(next(order('account.suspend', 'a', { ...late, attempts: 1 }), order('account.restore', 'a')), undefined)
  assert.equal(
    next(order('account.suspend', 'a', { ...late, attempts: 1 }), order('account.restore', 'b')),
    'account.restore',
  )
  assert.equal(next(order('account.end-sessions', 'a', late), order('account.password', 'a')), 'account.password')
})
