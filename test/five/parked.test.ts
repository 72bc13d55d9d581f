/** What happens to a message that has not come yet waits in the ledger, and outlives `kill -9`. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Stored } from '../../adapters/telegram/testing/world.ts'
import { connect } from '../../core/ledger/sqlite.ts'
import { until } from '../instance.ts'
import { BridgeProcess } from './process.ts'
import { copyIn, meet, roomOf } from './room.ts'
import { discordSide, telegramSide } from './sides.ts'

function parkedIn(ledger: string): number {
  const db = connect(ledger, { readonly: true })
  try {
    return Number(db.prepare('SELECT count(*) FROM parked').pluck().get())
  } finally {
    db.close()
  }
}

test('an edit and a reaction whose message has not come outlive kill -9 of the bridge, and are applied', async t => {
  const sides = await Promise.all([telegramSide(), discordSide()])
  const [telegram, discord] = sides
  const { config, env } = roomOf(sides)
  const dataDir = await mkdtemp(join(tmpdir(), 'chanop-parked-'))
  const file = join(dataDir, 'chanop.yaml')
  await writeFile(file, config)
  const bridge = new BridgeProcess({ dataDir, config: file, env })
  t.after(async () => {
    await bridge.kill()
    await Promise.all(sides.map(side => side.stop()))
    await rm(dataDir, { recursive: true, force: true, maxRetries: 3 })
  })
  await bridge.start()
  await meet(sides)
  const { world } = telegram.server
  const room = world.rooms.get(Number(telegram.channel))
  const tom = [...world.users.values()].find(({ first_name: name }) => name === 'tom')
  assert.ok(room && tom)
  const unheard = world.store(room, tom, { text: 'the draft' })
  const draft = structuredClone(unheard.message)
  await telegram.edit?.(String(draft.message_id), 'the final text')
  await telegram.react?.(String(draft.message_id), '👍')
  const ledger = join(dataDir, 'ledger.db')
  await until('both in the ledger', 10_000, async () => parkedIn(ledger) === 2)
  await bridge.kill()
  assert.equal(parkedIn(ledger), 2)
  await bridge.start()
  world.push('message', draft satisfies Stored['message'])
  const copy = await copyIn(
    discord,
    ({ text, reactions }) => text.includes('the final text') && reactions.length > 0,
    'it',
  )
  assert.match(copy.text, /tom/)
  assert.equal((await discord.copies()).filter(({ text }) => /draft|final/.test(text)).length, 1)
  assert.equal(parkedIn(ledger), 0)
})
