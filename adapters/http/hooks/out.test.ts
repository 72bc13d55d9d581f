/** Outgoing webhooks by themselves, with a ledger and without the bridge. */
import assert from 'node:assert/strict'
import { getEventListeners, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { it, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { until } from '../../../bots/bridge/testing.ts'
import { append, revise } from '../../../core/ledger/record/events.ts'
import { deadCount, hookOut, insertHookOut } from '../../../core/ledger/settings/hooks.ts'
import { messageNumber, slowDisk } from '../../../core/ledger/testing.ts'
import { silentLog } from '../../../core/log.ts'
import { House } from '../../../test/house.ts'
import { interiorOf } from '../testing/alone.ts'
import { config, web } from '../testing/world.ts'
import { Outgoing } from './out.ts'

/** One webhook that is told what is said in `general`, from now on. */
async function outgoing(t: TestContext, url = 'http://127.0.0.1:9/') {
  const house = new House(t, { config: config({}), aside: true })
  const interior = interiorOf(await house.context('bridge'))
  const { ledger, vault } = interior
  const made = { name: 'tell', network: web, room: 'general', createdMs: 0, createdBy: 'olga' }
  const aim = { url, secret: vault.seal('hook:tell', 'whsec_AAAA'), internal: true }
  const standing = { cursor: ledger.newestSeq(), failingMs: null, fault: null }
  await ledger.write(tx => insertHookOut(tx, { ...made, ...aim, ...standing, events: ['message'] }))
  const stop = new AbortController()
  const out = new Outgoing({ interior, network: web, log: silentLog(), backoff: { firstMs: 1, maxMs: 1 } })
  t.after(async () => {
    stop.abort()
    await out.settled()
  })
  return { out, stop, ledger, vault }
}

it('one that is woken for nothing leaves nothing behind, and ends with the signal', { timeout: 10_000 }, async t => {
  const { out, stop } = await outgoing(t)
  const listening = async (): Promise<number> => {
    out.look(stop.signal)
    await turn()
    return getEventListeners(stop.signal, 'abort').length
  }
  const first = await listening()
  for (let n = 0; n < 20; n++) await listening()
  assert.equal(await listening(), first)
  stop.abort()
  await out.settled()
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0)
})

it('what is committed and not on the disk is told to nobody, and is once it is there', { timeout: 10_000 }, async t => {
  const server = createServer((request, response) => request.resume().on('end', () => response.end()))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  const { out, stop, ledger, vault } = await outgoing(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  // Done for each fact that is about to be told, in the turn in which it is read.
  const opened = t.mock.method(vault, 'open').mock
  ledger.onCommit(() => out.look(stop.signal))
  out.look(stop.signal)
  const { waiting } = slowDisk(t)
  const asked = once(server, 'request')
  const written = ledger.write(tx => append(tx, messageNumber(1), 'general', 1))
  await turn()
  out.look(stop.signal)
  await turn()
  assert.deepEqual([ledger.newestSeq(), waiting.length, opened.callCount()], [1, 1, 0])
  waiting.shift()?.()
  await written
  await asked
})

it('three refusals for good give a thing up, whatever came before, and what is deleted meanwhile has no words', {
  timeout: 30_000,
}, async t => {
  const statuses = [503, 302, 404, 503, 404, 200]
  const got: unknown[] = []
  const { promise: delivered, resolve: taken } = Promise.withResolvers<void>()
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    got.push(await json(request))
    if (got.length === 1) await ledger.write(tx => revise(tx, 1, null, 2))
    response.writeHead(statuses[got.length - 1] ?? 500).end()
    if (got.length === statuses.length) taken()
  }
  const server = createServer((request, response) => void answer(request, response))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  const { out, stop, ledger } = await outgoing(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  await ledger.write(tx => append(tx, messageNumber(1), 'general', 1))
  out.look(stop.signal)
  await delivered
  await until(() => ledger.readNow(tx => hookOut(tx, 'tell'))?.cursor === 1, 'it to have arrived')
  assert.deepEqual(
    got.map(one => (one as { text: string }).text),
    ['message 1', '', '', '', '', ''],
  )
  assert.equal(
    ledger.readNow(tx => deadCount(tx, 'tell')),
    0,
  )
})
