import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { readAudit } from '../ledger/audit/audit.ts'
import { sql } from '../ledger/sqlite.ts'
import { channel, type Stage } from './testing.ts'
import { openToyStage, type Toy } from './testing-toy.ts'

const auditOf = (stage: Stage) => stage.read(db => readAudit(db, {}, 100))

describe('a command', () => {
  let stage: Stage
  let toy: Toy

  beforeEach(async () => {
    ;({ stage, toy } = await openToyStage())
  })
  afterEach(() => stage.close())

  describe('asked by name with arguments', () => {
    const ask = (
      name: string,
      args: Record<string, string | number>,
      by = 'otto',
      more: Parameters<Stage['say']>[1] = {},
    ) => stage.say(`/${name}`, { by, ...more, event: { asked: { name, args }, ...more?.event } })
    it('needs no quoting', async () => {
      const { seen, takenBy } = await ask('note', { words: '--dry "a" key=b  c' })
      assert.deepEqual([takenBy, seen.map(one => one.text)], [['admin'], ['noted']])
      assert.deepEqual(toy.done, ['--dry "a" key=b  c'])
      assert.equal((await auditOf(stage))[0]?.args, 'words=--dry "a" key=b  c')
    })
    it('goes by the same roles, faults and names', async () => {
      assert.match((await ask('note', { words: 'x' }, 'mia')).seen[0]?.text ?? '', /^note needs operator/)
      assert.match(
        (await ask('last', { count: 1000 })).seen[0]?.text ?? '',
        /^count: '1000' is no number from 1 to 100/,
      )
      assert.match((await ask('lastt', {})).seen[0]?.text ?? '', /^no command lastt; did you mean !last\?/)
      assert.deepEqual(toy.done, [])
    })
    it('carries nothing that law 4 forbids', async () => {
      const { seen } = await ask('note', { words: 'x' }, 'otto', { event: { hops: 1 } })
      assert.deepEqual([seen, toy.done], [[], []])
    })
    it('is confirmed with the arguments it had', async () => {
      const line = (await ask('role grant', { who: 'bob jones', role: 'OWNER' }, 'olga')).seen[0]?.text ?? ''
      const code = /!yes (\w{3})/.exec(line)?.[1] ?? assert.fail(line)
      assert.equal(await stage.ask(`!yes ${code}`, { by: 'olga' }), 'bob jones: owner')
    })
    it('leaves no secret in the record', async () => {
      const { stored } = await ask('secret set', { name: 'KEY', value: 'canary-8' }, 'otto')
      const event = await stage.read(db =>
        JSON.stringify(sql(db, 'SELECT body FROM event WHERE seq = ?').get(stored.seq)),
      )
      assert.doesNotMatch(event, /canary/)
      assert.match(event, /secret set/)
    })
    it('is answered with data, which text is not', async () => {
      const dataOf = async () =>
        (await stage.read(db => sql(db, 'SELECT act FROM delivery ORDER BY id').all())).map(
          row => (JSON.parse(row['act'] as string) as { data?: unknown }).data,
        )
      stage.rooms.set('#general', [channel('#general'), channel('#other')])
      await ask('last', { count: 2 })
      await stage.say('!last 2')
      assert.deepEqual(await dataOf(), [[1, 2], undefined, undefined, undefined])
    })
  })
})
