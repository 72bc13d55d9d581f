import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { it } from 'node:test'
import { queueTurn, turnOfFact } from '../../../core/ledger/oracle/turns.ts'
import { keepDecision } from '../../../core/ledger/record/decisions.ts'
import { append } from '../../../core/ledger/record/events.ts'
import { messageNumber } from '../../../core/ledger/testing.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { silentLog } from '../../../core/log.ts'
import { House } from '../../../test/house.ts'
import { type Holder, holderOf } from '../door/access.ts'
import { interiorOf } from '../testing/alone.ts'
import { config, World, web } from '../testing/world.ts'
import { Waiting } from '../waiting.ts'
import { giveUp } from './answer.ts'
import { Spoken } from './form.ts'
import { streamed } from './reply.ts'

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

it('a stream that breaks off inside says so and ends', async t => {
  const log = silentLog()
  const failed = t.mock.method(log, 'error').mock
  const news = { parts: [{ text: 'so far' }], n: 1, ending: null }
  const until = async () => news
  const waiting = { until: t.mock.fn(until) }
  waiting.until.mock.mockImplementationOnce(() => Promise.reject(new Error('the disk')), 1)
  const raw = Object.assign(new PassThrough(), { headersSent: false, writeHead: () => (raw.headersSent = true) })
  const reply = { raw, hijack: () => undefined, getHeaders: () => ({}) }
  const form = new Spoken({ id: 'x', created: 0, model: 'oracle' }, false)
  const asking = { id: 'x', key: 'x', seq: 1 }
  await streamed({ log, waiting } as never, reply as never, { asking, form, signal: AbortSignal.timeout(5000) })
  const text = Buffer.concat(await raw.toArray()).toString()
  assert.match(text, /so far[^]*"error"/)
  assert.equal(failed.callCount(), 1)
})
