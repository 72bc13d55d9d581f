import assert from 'node:assert/strict'
import { it } from 'node:test'
import { queueTurn, turnOfFact } from '../../../core/ledger/oracle/turns.ts'
import { keepDecision } from '../../../core/ledger/record/decisions.ts'
import { append } from '../../../core/ledger/record/events.ts'
import { messageNumber } from '../../../core/ledger/testing.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { House } from '../../../test/house.ts'
import { type Holder, holderOf } from '../door/access.ts'
import { interiorOf } from '../testing/alone.ts'
import { config, World, web } from '../testing/world.ts'
import { Waiting } from '../waiting.ts'
import { giveUp } from './answer.ts'

it('an answer that is given up before the oracle has begun with it is stopped when it does', async t => {
  const house = new House(t, { config: config({}) })
  const interior = interiorOf(await house.context('bridge'))
  const { ledger } = interior
  const key = await new World(house).key('alice')
  const holder = ledger.readNow(tx => holderOf(tx, web, key, Date.now())) as Holder
  const question = messageNumber(1)
  await ledger.write(tx => append(tx, question, '', 1))
  const seq = ledger.newestSeq()
  const waiting = new Waiting()
  ledger.onCommit(() => waiting.look())
  const given = giveUp({ interior, waiting, closing: house.signal }, seq, holder)
  const by = { network: web, user: holder.account, person: null, name: 'alice' }
  const begin = (tx: Tx): void => {
    queueTurn(tx, { asked: seq, place: question.place, lane: 'alice', by }, 2)
    keepDecision(tx, seq, { answers: true, reason: 'it was asked' }, 2)
  }
  await new Promise(resolve => setImmediate(resolve))
  await ledger.write(begin)
  await given
  assert.equal(ledger.readNow(tx => turnOfFact(tx, seq))?.state, 'stopped')
})
