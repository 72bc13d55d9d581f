import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { NetworkId, UserId } from '../../../core/event.ts'
import { keyBehind } from '../../../core/ledger/oracle/tries.ts'
import { insertKey } from '../../../core/ledger/settings/api-keys.ts'
import { temporaryLedger } from '../../../core/ledger/testing.ts'
import { callerBooks } from './caller.ts'
import type { Context } from './services.ts'

const [network, account] = ['web' as NetworkId, 'ci' as UserId]

it('what a key asks for by a command in a room is on its budget', async t => {
  const ledger = temporaryLedger(t)
  const nobody = { rooms: null, perMinute: null, untilMs: null, usedMs: null, revokedMs: null, agent: null }
  await ledger.write(tx =>
    insertKey(tx, {
      ...{ network, account, prefix: 'aaaaaaaa', hash: '0'.repeat(64), scopes: [], budgetUsd: 1, forwards: false },
      ...{ ...nobody, createdMs: 0, createdBy: 'olga' },
    }),
  )
  const books = (by: string) => {
    const caller = { network, account: by, verified: true, person: { id: 7 }, agent: null, room: 'general' }
    return callerBooks({ caller, ledger } as unknown as Context)
  }
  const key = await books('ci')
  assert.equal(key.person, 'person:7')
  assert.equal((await ledger.read(tx => keyBehind(tx, { turn: null, room: key.room })))?.account, account)
  assert.deepEqual(await books('bob'), { person: 'person:7', room: 'general' })
})
