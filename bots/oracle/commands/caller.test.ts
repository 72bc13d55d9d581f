import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { keyBehind } from '../../../core/ledger/oracle/tries.ts'
import { type ApiKey, insertKey } from '../../../core/ledger/settings/api-keys.ts'
import { temporaryLedger } from '../../../core/ledger/testing.ts'
import { callerBooks } from './caller.ts'
import type { Context } from './services.ts'

const [network, account] = ['web' as NetworkId, 'ci' as UserId]

it('what a key asks for by a command in a room is on its budget', async t => {
  const ledger = temporaryLedger(t)
  const key: ApiKey = {
    network,
    account,
    prefix: 'aaaaaaaa',
    hash: '0'.repeat(64),
    agent: null,
    scopes: [],
    rooms: null,
    perMinute: null,
    budgetUsd: 1,
    forwards: false,
    createdMs: 0,
    createdBy: 'olga',
    untilMs: null,
    usedMs: null,
    revokedMs: null,
  }
  await ledger.write(tx => insertKey(tx, key))
  const books = (by: string) => {
    const caller = { network, account: by, verified: true, person: { id: 7 }, agent: null, room: 'general' }
    return callerBooks({ caller, ledger } as unknown as Context)
  }
  const own = await books('ci')
  assert.equal(own.person, 'person:7')
  assert.equal((await ledger.read(tx => keyBehind(tx, { turn: null, room: own.room })))?.account, account)
  assert.deepEqual(await books('bob'), { person: 'person:7', room: 'general' })
})
