import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configSchema } from '../../../config/schema.ts'
import type { MessageEvent } from '../../../core/event.ts'
import { append, type Stored } from '../../../core/ledger/record/events.ts'
import { saveStatus } from '../../../core/ledger/settings/networks.ts'
import { messageNumber, temporaryLedger } from '../../../core/ledger/testing.ts'
import { seenFor } from './seen.ts'

test('links are previewed unless every place that hears the answer says that they are not', async t => {
  const ledger = temporaryLedger(t)
  const network = { kind: 'memory', channels: ['#general'] }
  const config = (places: string[]) =>
    configSchema.parse({ networks: { irc: network, chat: network }, rooms: { general: { places } } })
  const limits = { textBytes: 400, marks: true, threads: false }
  await ledger.write(tx => {
    const status = { state: 'up' as const, sinceMs: 1, lacks: [] }
    const asked = append(tx, messageNumber(1), 'general', 1) as Stored<MessageEvent>
    const previews = (places: string[]): boolean => seenFor(tx, asked, [], config(places), 2).previews
    assert.equal(previews(['irc:#general']), true, 'nothing is known of it')
    saveStatus(tx, 'irc', { ...status, can: { edits: false, limits: { ...limits, previews: false } } }, 1)
    assert.equal(previews(['irc:#general']), false)
    saveStatus(tx, 'chat', { ...status, can: { edits: true, limits } }, 1)
    assert.equal(previews(['irc:#general', 'chat:#general']), true)
  })
})
