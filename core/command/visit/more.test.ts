import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { readAudit } from '../../ledger/audit/audit.ts'
import { Stage } from '../testing.ts'
import { adminCommands, newToy, scribeCommands } from '../testing-toy.ts'

describe('answers of the front', () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await Stage.open()
    await stage.bot('admin', adminCommands, newToy(), { front: true })
    await stage.bot('scribe', scribeCommands, newToy())
  })
  afterEach(() => stage.close())

  it('go on, with more, from the bot that answered', async () => {
    await stage.ask('!last 12')
    for (let n = 0; n < 2; n++) {
      const { seen, takenBy } = await stage.say('!more')
      assert.deepEqual([takenBy, seen.map(one => one.as)], [['admin'], ['scribe']])
    }
    assert.equal(await stage.ask('!more'), 'nothing more to show')
  })
  it('stand in the audit as they were read', async () => {
    assert.match(await stage.ask('!last *[x]*'), /\*\[x\]\*/)
    const [row] = await stage.read(db => readAudit(db, {}, 1))
    assert.match(row?.result ?? '', /\*\[x\]\*/)
    assert.doesNotMatch(row?.result ?? '', /\\/)
  })
})
