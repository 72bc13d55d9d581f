/** Outgoing webhooks by themselves, with a ledger and without the bridge. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { it, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { insertHookOut } from '../../../core/ledger/settings/hooks.ts'
import { silentLog } from '../../../core/log.ts'
import { House } from '../../../test/house.ts'
import { config, web } from '../testing/world.ts'
import { Outgoing } from './out.ts'

/** One webhook that is told of `general`, from now on. */
async function outgoing(t: TestContext) {
  const house = new House(t, { config: config({}) })
  const { ledger, bus, rooms, vault, settings } = await house.context('bridge')
  const interior = { ledger, bus, rooms, vault, settings: () => settings.current }
  const made = { name: 'tell', network: web, room: 'general', createdMs: 0, createdBy: 'olga' }
  const aim = { url: 'http://127.0.0.1:9/', secret: vault.seal('hook:tell', 'whsec_AAAA'), internal: true }
  const standing = { cursor: ledger.newestSeq(), failingMs: null, fault: null }
  await ledger.write(tx => insertHookOut(tx, { ...made, ...aim, ...standing, events: ['message'] }))
  const stop = new AbortController()
  const out = new Outgoing({ interior, network: web, log: silentLog() })
  t.after(async () => {
    stop.abort()
    await out.settled()
  })
  return { out, stop }
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
