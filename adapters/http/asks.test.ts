import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Sink } from '../../core/adapter.ts'
import type { ChatEvent } from '../../core/event.ts'
import { audit } from '../../core/ledger/audit/audit.ts'
import { keepLetter } from '../../core/ledger/out/inbox.ts'
import { append } from '../../core/ledger/record/events.ts'
import type { Connection } from '../../core/ledger/sqlite.ts'
import { messageNumber, slowDisk } from '../../core/ledger/testing.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import { House } from '../../test/house.ts'
import { Asks } from './asks.ts'
import { type Holder, holderOf } from './door/access.ts'
import { factKey, ownPlace } from './place.ts'
import { interiorOf } from './testing/alone.ts'
import { config, World, web } from './testing/world.ts'
import { Waiting } from './waiting.ts'

it('what answers a request is read once it is done, however often it is looked at before', async t => {
  const house = new House(t, { config: config({}) })
  const interior = interiorOf(await house.context('bridge'))
  const { ledger } = interior
  const secret = await new World(house).key('alice')
  const holder = ledger.readNow(tx => holderOf(tx, web, secret, Date.now())) as Holder
  const place = ownPlace(web, holder.account)
  await ledger.write(tx => append(tx, messageNumber(1, { key: factKey(web, holder.account, 'one'), place }), '', 1))
  const event = ledger.newestSeq()
  const waiting = new Waiting()
  // A statement is prepared the first time that it is used.
  const prepared = t.mock.method(ledger.readNow(tx => tx) as Connection, 'prepare').mock
  const isRead = () => prepared.calls.some(({ arguments: [text] }) => String(text).includes('FROM inbox'))
  const asked = new Asks(interior, waiting).wait(holder, 'one', AbortSignal.timeout(10_000))
  waiting.look()
  await turn()
  await turn()
  assert.ok(prepared.callCount() > 0 && !isRead())
  const who = { network: web, channel: '', account: holder.account, name: 'alice', role: 'member' }
  const what = { command: 'version', args: '', decision: 'allowed', result: 'told', ms: 1 } as const
  const letter = { network: web, delivery: 'd', channel: place.channel, reply: 'one', body: '{}', sealed: null }
  await ledger.write((tx: Tx) => {
    audit(tx, { ...who, ...what, atMs: 1, bot: 'admin', event })
    keepLetter(tx, letter, 1)
  })
  waiting.look()
  const { done, letters } = await asked
  assert.deepEqual([done, letters.length, isRead()], [true, 1, true])
})

it('a request that comes again while the disk works is taken once the disk has it', async t => {
  const house = new House(t, { config: config({}), aside: true })
  const interior = interiorOf(await house.context('bridge'))
  const { ledger } = interior
  const asks = new Asks(interior, new Waiting())
  const event = messageNumber(1, { key: 'web:one' })
  const sink: Sink = async ([fact]) => void (await ledger.write(tx => append(tx, fact as ChatEvent, '', 1)))
  const { waiting } = slowDisk(t)
  const told: string[] = []
  const first = asks.take(sink, event).then(() => told.push('first'))
  while (waiting.length === 0) await turn()
  const again = asks.take(sink, event).then(() => told.push('again'))
  await turn()
  assert.deepEqual(told, [])
  waiting.shift()?.()
  await Promise.all([first, again])
  assert.equal(told.length, 2)
})
