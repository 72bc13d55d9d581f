import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spenderOf } from '../../../core/access/spender.ts'
import type { NetworkId, UserId } from '../../../core/event.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { addSpend, spendOf } from '../../../core/ledger/oracle/spend.ts'
import {
  type Account,
  forgetEmpty,
  type Person,
  personAt,
  personByName,
  personFor,
} from '../../../core/ledger/people/people.ts'
import { grant } from '../../../core/ledger/people/roles.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { temporaryLedger } from '../../../core/ledger/testing.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { join, part } from './join.ts'

const account = (name: string) => ({ network: 'chat' as NetworkId, user: name as UserId, name })
const [anna, ben, cleo] = ['anna', 'ben', 'cleo'].map(account) as [Who, Who, Who]
type Who = ReturnType<typeof account>

const spender = (tx: Tx, { network, user }: Account): string =>
  spenderOf(network, { id: user, verified: true }, { person: personAt(tx, network, user), agent: null })

/** On the budget that the account is on now. */
const spend = (ledger: Ledger, who: Who, more: { cost: number; reserved?: number }) =>
  ledger.write(tx => {
    for (const period of ['2026-11-30', '2026-11']) {
      const sums = { tries: 1, inputTokens: 5, cachedTokens: 0, outputTokens: 5 }
      const scope = spender(tx, who)
      addSpend(tx, { period, scope, costMicroUsd: more.cost, reservedMicroUsd: more.reserved ?? 0, ...sums })
    }
  })

/** What counts of the day and of the month. */
const counts = (ledger: Ledger, who: Who): Promise<number[]> =>
  ledger.read(tx =>
    ['2026-11-30', '2026-11'].map(period => {
      const { costMicroUsd, reservedMicroUsd } = spendOf(tx, period, spender(tx, who))
      return costMicroUsd + reservedMicroUsd
    }),
  )

const link = (ledger: Ledger, giver: Who, joining: Who) => ledger.write(tx => join(tx, giver, joining, 0))
const unlink = (ledger: Ledger, who: Who) =>
  ledger.write(tx => part(tx, personAt(tx, who.network, who.user) as Person, who))

test('no link, and none that is taken away, gives a new budget, and none counts anything twice', async t => {
  const ledger = temporaryLedger(t)
  await ledger.write(tx => {
    const person = personFor(tx, 'chat' as NetworkId, 'olga' as UserId, 'olga', 0)
    grant(tx, { person, room: '', role: 'owner', untilMs: null }, 'test', 0)
  })
  await link(ledger, anna, ben)
  await spend(ledger, ben, { cost: 1000 })
  for (const [giver, joining] of [
    [ben, anna],
    [anna, ben],
    [cleo, anna],
  ] as const) {
    await unlink(ledger, joining)
    for (const who of [anna, ben]) assert.deepEqual(await counts(ledger, who), [1000, 1000], who.user)
    await link(ledger, giver, joining)
    for (const who of [giver, joining]) assert.deepEqual(await counts(ledger, who), [1000, 1000], who.user)
  }
})

test('who spent without being anybody goes on from there, with what is under way', async t => {
  const ledger = temporaryLedger(t)
  await spend(ledger, anna, { cost: 300 })
  await spend(ledger, ben, { cost: 500, reserved: 40 })
  await ledger.write(tx => personFor(tx, anna.network, anna.user, 'anna', 0))
  assert.deepEqual(await counts(ledger, anna), [300, 300])
  await link(ledger, anna, ben)
  assert.deepEqual(await counts(ledger, anna), [540, 540])
})

test('who is new does not come into what somebody spent who is gone', async t => {
  const ledger = temporaryLedger(t)
  await ledger.write(tx => personFor(tx, anna.network, anna.user, 'anna', 0))
  await spend(ledger, anna, { cost: 300 })
  await ledger.write(tx => {
    sql(tx, 'DELETE FROM identity').run()
    forgetEmpty(tx, personByName(tx, 'anna') as Person)
  })
  await ledger.write(tx => personFor(tx, ben.network, ben.user, 'ben', 0))
  assert.deepEqual(await counts(ledger, ben), [0, 0])
})
