/** What the router does when a command fails, comes too often, or is cut off. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { ChanopError } from '../error.ts'
import { readAudit, verifyAudit } from '../ledger/audit/audit.ts'
import { sql } from '../ledger/sqlite.ts'
import { type Stage } from './testing.ts'
import { adminCommands, openToyStage, type Toy } from './testing-toy.ts'

const auditOf = (stage: Stage) => stage.read(db => readAudit(db, {}, 100))

describe('Router: limits and failures', () => {
  let stage: Stage
  let toy: Toy

  beforeEach(async () => {
    ;({ stage, toy } = await openToyStage())
  })
  afterEach(() => stage.close())

  describe('rate', () => {
    it('is said once, then silence; never for what is urgent', async () => {
      stage.settings = { ...stage.settings, perMinute: 6, burst: 2 }
      assert.equal(await stage.ask('!version'), '1')
      assert.equal(await stage.ask('!version'), '1')
      assert.match(await stage.ask('!version', { sender: { name: 'renamed' } }), /^too many commands: go on in 10 s/)
      assert.equal(await stage.ask('!version'), '')
      assert.equal(await stage.ask('!halt'), 'halted')
      assert.equal(await stage.ask('!version', { by: 'bob' }), '1')
      stage.nowMs += 10_000
      assert.equal(await stage.ask('!version'), '1')
    })
    it('is not reset by another nick', async () => {
      stage.settings = { ...stage.settings, perMinute: 6, burst: 1 }
      assert.equal(await stage.ask('!version', { by: '~a', sender: { verified: false } }), '1')
      assert.match(await stage.ask('!version', { by: '~b', sender: { verified: false } }), /^too many commands/)
      assert.equal(await stage.ask('!version', { by: 'alice' }), '1')
    })
    it('of mistakes is five a minute', async () => {
      const said: string[] = []
      for (let n = 0; n < 8; n++) said.push(await stage.ask('!last many'))
      assert.match(said[4] ?? '', /usage: last/)
      assert.match(said[5] ?? '', /^too many mistakes/)
      assert.deepEqual(said.slice(6), ['', ''])
    })
  })

  describe('failures', () => {
    it('of the user are said as they are', async () =>
      assert.equal(await stage.ask('!fail conflict'), 'taken: choose another'))
    it('inside have an id and no details', async () => {
      const line = await stage.ask('!fail inside')
      assert.match(line, /^fail failed \(i[0-9a-f]{6}\): nothing was changed/)
      assert.doesNotMatch(line, /boom/)
    })
    it('of an effect undo it and become the answer', async () => {
      assert.equal(await stage.ask('!fail effect'), 'it changed meanwhile: look again')
      assert.equal(await stage.read(db => sql(db, "SELECT 1 FROM setting WHERE key = 'half'").get()), undefined)
      assert.deepEqual(
        (await auditOf(stage)).map(row => row.decision),
        ['failed'],
      )
    })
    it('show the form', async () => {
      assert.equal(await stage.ask('!last x'), "count: 'x' is no number from 1 to 100 · usage: last [count]")
      assert.match(await stage.ask('!last 1 2'), /^too many words: '2' · usage/)
      assert.match(
        await stage.ask('!role grant bob king', { by: 'olga' }),
        /^role is owner, operator, member; not 'king'/,
      )
      assert.match(await stage.ask('!note', { by: 'otto' }), /^words is missing · usage: note <words…>/)
    })
    it('by time are given up', async () => {
      await stage.bot('admin', adminCommands, toy, { front: true, deadlineMs: 5 })
      assert.match(await stage.ask('!slow'), /longer than 0.005 s and was given up/)
    })
    it('of the process leave the command for the next', async () => {
      const stop = new AbortController()
      const router = await stage.bot('admin', adminCommands, toy, { front: true, signal: stop.signal })
      const asked = router.asked(await stage.record('!slow')) ?? assert.fail('it is a command')
      const handled = router.handle(asked, () => assert.fail('nothing is finished'))
      stop.abort()
      await assert.rejects(handled)
      assert.deepEqual(await auditOf(stage), [])
      const next = await stage.bot('admin', adminCommands, toy, { front: true })
      toy.gate.resolve()
      assert.equal(await next.handle(asked, () => {}), true)
    })
  })

  it('commits answer, effect, audit and cursor together or not at all', async () => {
    const router = stage.routers.get('admin') ?? assert.fail('there is an admin')
    const asked = router.asked(await stage.record('!note together', { by: 'otto' })) ?? assert.fail('it is a command')
    const before = await stage.lastDelivery()
    await assert.rejects(
      router.handle(asked, () => {
        throw new ChanopError('ledger-full', 'the disk is full')
      }),
      /disk is full/,
    )
    assert.deepEqual([await stage.seen(before), await auditOf(stage)], [[], []])
    assert.equal(await stage.read(db => sql(db, "SELECT 1 FROM setting WHERE key LIKE 'note%'").get()), undefined)
    assert.equal(await router.handle(asked, () => {}), true)
    assert.deepEqual(
      (await stage.seen(before)).map(one => one.text),
      ['noted'],
    )
  })

  it('serves others, and what is urgent, while a command waits', async () => {
    const slow = stage.ask('!slow')
    assert.equal(await stage.ask('!version', { by: 'bob' }), '1')
    assert.equal(await stage.ask('!halt'), 'halted')
    toy.gate.resolve()
    assert.match(await slow, /awake/)
  })

  it('keeps an audit that verifies', async () => {
    await stage.say('!version')
    await stage.say('!note x', { by: 'mia' })
    assert.deepEqual(await stage.read(verifyAudit), { lines: 2, broken: null })
  })
})
