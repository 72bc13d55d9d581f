import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { text } from '../event.ts'
import { readAudit } from '../ledger/audit/audit.ts'
import { usePending } from '../ledger/out/confirmations.ts'
import { settleOrder } from '../ledger/out/orders.ts'
import { sql } from '../ledger/sqlite.ts'
import { publish } from './help/published.ts'
import { channel, type Stage } from './testing.ts'
import { anyone, openToyStage, scribe, type Toy } from './testing-toy.ts'

const auditOf = (stage: Stage) => stage.read(db => readAudit(db, {}, 100))

describe('Router', () => {
  let stage: Stage
  let toy: Toy

  beforeEach(async () => {
    ;({ stage, toy } = await openToyStage())
  })
  afterEach(() => stage.close())

  describe('one answer', () => {
    for (const [said, answer, by] of [
      ['!version', '1', 'admin'],
      ['/version', '1', 'admin'],
      ['  !VERSION ', '1', 'admin'],
      ['admin: version', '1', 'admin'],
      ['@scribe last 1', '1', 'scribe'],
      ['scribe: version', '1', 'admin'],
      ['!role', 'none', 'admin'],
      ['oracle: stop', 'stopped', 'oracle'],
    ] as const) {
      it(`${said} → ${by}`, async () => {
        const { seen, takenBy } = await stage.say(said)
        assert.deepEqual(takenBy, [by])
        assert.deepEqual(
          seen.map(one => [one.text, one.as]),
          [[answer, by]],
        )
      })
    }

    for (const said of [
      'hello',
      '!',
      '!!',
      '!1',
      '!?',
      '! version',
      '/me version',
      '//version',
      'oracle: what is up?',
      'oracle: stop that please',
      '!wow such',
      'version',
    ]) {
      it(`${said} is talk`, async () => {
        const { seen, takenBy } = await stage.say(said)
        assert.deepEqual([seen, takenBy], [[], []])
      })
    }

    it('answers in every place of the room, as one fact of the conversation', async () => {
      stage.rooms.set('#general', [channel('#other'), channel('#general')])
      const { seen, stored } = await stage.say('!version')
      assert.deepEqual(
        seen.map(one => one.place),
        ['irc:#general', 'irc:#other'],
      )
      const facts = await stage.read(db => sql(db, 'SELECT seq, flags, body FROM event WHERE seq > ?').all(stored.seq))
      assert.equal(facts.length, 1)
      assert.equal(Number(facts[0]?.['flags']) & 4, 4)
      const rows = await stage.read(db => sql(db, 'SELECT source, act FROM delivery').all())
      assert.ok(rows.every(row => row['source'] === facts[0]?.['seq']))
      assert.equal((JSON.parse(rows[0]?.['act'] as string) as { replySeq: number }).replySeq, stored.seq)
    })

    it('refuses a name that stands alone and has verbs', async () => {
      const make = (name: string) =>
        scribe({ ...anyone, name, summary: 'x', examples: [['!x', 'x']], run: async () => 'x' })
      for (const names of [['tell', 'tell all'], ['version all'], ['role']]) {
        await assert.rejects(
          stage.ledger.write(db => publish(db, 'scribe', names.map(make))),
          /its first word is a command of/,
        )
      }
    })
    it('refuses a name that another bot owns', async () => {
      const twin = scribe({
        ...anyone,
        name: 'version',
        summary: 'x',
        examples: [['!version', '1']],
        run: async () => '1',
      })
      await assert.rejects(
        stage.ledger.write(db => publish(db, 'scribe', [twin])),
        /belongs to admin/,
      )
      assert.equal(await stage.ask('!last 1'), '1', 'the refused publication is undone')
    })
  })

  describe('in private', () => {
    const dm = (by: string, to = 'admin') => ({ by, to, in: stage.direct(by) })
    it('needs no prefix', async () => assert.equal(await stage.ask('version', dm('bob')), '1'))
    it('runs the commands of other bots', async () => assert.equal(await stage.ask('last 1', dm('bob')), '1'))
    it('answers what nobody knows', async () =>
      assert.match(await stage.ask('hello there', dm('bob')), /^no command hello; !help/))
    it('leaves talk to the oracle', async () => assert.equal(await stage.ask('last night', dm('bob', 'oracle')), ''))
    it('takes its stop', async () => assert.equal(await stage.ask('stop', dm('bob', 'oracle')), 'stopped'))
    it('takes short forms of what changes nothing', async () => {
      assert.equal(await stage.ask('vers', dm('bob')), '1')
      assert.equal(await stage.ask('!vers', { by: 'bob' }), '')
      assert.match(await stage.ask('noet x', dm('otto')), /did you mean !note/)
      assert.deepEqual(toy.done, [])
    })
  })

  describe('the one account that speaks for all bots', () => {
    const chanop = { kind: 'mention', id: null, name: 'Chanop', self: true } as const
    for (const [after, answered] of [
      [' note x', true],
      [': note x', true],
      [', !note x', true],
      [' nothing that anybody knows', false],
      ['', false],
    ] as const)
      it(`@Chanop${after} is ${answered ? 'a command' : 'talk'}`, async () => {
        const { takenBy } = await stage.say('', {
          by: 'otto',
          content: { segments: [chanop, { kind: 'text', text: after }] },
        })
        assert.deepEqual(takenBy, answered ? ['admin'] : [])
      })
    it('is not mentioned at the end of a command', async () => {
      const content = { segments: [{ kind: 'text', text: 'note ' } as const, chanop] }
      assert.deepEqual((await stage.say('', { by: 'otto', content })).takenBy, [])
    })
  })

  describe('law 4', () => {
    const old = 61_000
    const cases: [string, () => Parameters<Stage['say']>[1], RegExp][] = [
      ['bridged', () => ({ by: 'otto', event: { hops: 1 } }), /^ignored: bridged/],
      ['backfilled', () => ({ by: 'otto', event: { origin: 'backfill' } }), /^ignored: backfill/],
      ['old when it came', () => ({ by: 'otto', event: { atMs: stage.nowMs - old } }), /^ignored: stale/],
      [
        'old when read',
        () => ({ by: 'otto', receivedMs: stage.nowMs - old, event: { atMs: stage.nowMs - old } }),
        /^ignored: stale/,
      ],
      ['an action', () => ({ by: 'otto', content: { ...text('!note x'), style: 'action' } }), /^ignored: action/],
      ['a notice', () => ({ by: 'otto', content: { ...text('!note x'), style: 'notice' } }), /^ignored: notice/],
      ['a strange program', () => ({ by: 'robo', sender: { kind: 'bot' } }), /^ignored: bot/],
      [
        'a program nobody vouches for',
        () => ({ by: 'otto', sender: { kind: 'bot', verified: false } }),
        /^ignored: bot/,
      ],
    ]
    for (const [name, said, result] of cases) {
      it(`${name}: nothing happens, the audit says why`, async () => {
        const { seen, takenBy } = await stage.say('!note x', said())
        assert.deepEqual([takenBy, toy.done], [['admin'], []])
        // What was said here and came too late is named: its asker waits for it.
        const late = seen.filter(line => line.text.startsWith('!note of otto was not carried out: it was 1m old'))
        assert.deepEqual([seen.length, late.length], name.startsWith('old') ? [1, 1] : [0, 0])
        const [row, ...more] = await auditOf(stage)
        assert.equal(row?.decision, 'ignored')
        assert.match(row?.result ?? '', result)
        assert.deepEqual(more, [])
      })
    }
    it('our own words are nothing at all', async () => {
      assert.deepEqual((await stage.say('!note x', { by: 'otto', sender: { kind: 'self' } })).takenBy, [])
      assert.deepEqual(await auditOf(stage), [])
    })
    it('ignored commands of other bots are noted once, by the front', async () => {
      assert.deepEqual((await stage.say('!last', { event: { hops: 1 } })).takenBy, ['admin'])
    })
    it('unknown words that carry no command leave no trace', async () => {
      assert.deepEqual((await stage.say('!dance', { event: { hops: 1 } })).takenBy, [])
    })
    it('a bare nick has no role', async () => {
      assert.match(await stage.ask('!note x', { by: 'otto', sender: { verified: false } }), /log in to your account/)
      const [row] = await auditOf(stage)
      assert.deepEqual([row?.decision, toy.done], ['denied', []])
      assert.match(row?.result ?? '', /^unverified/)
    })
    it('a program with a role may', async () =>
      assert.equal(await stage.ask('!note x', { by: 'otto', sender: { kind: 'bot' } }), 'noted'))
    it('quoted text is not said', async () => {
      const content = { segments: [{ kind: 'quote' as const, text: '!note x' }] }
      assert.deepEqual((await stage.say('', { by: 'otto', content })).takenBy, [])
    })
  })

  it('the audit marks what only reads: words that anybody may have', async () => {
    const marks: [string, boolean][] = []
    for (const [said, by] of [
      ['!version', 'mia'],
      ['!version 7', 'mia'],
      ['!role list', 'mia'],
      ['!note x', 'mia'],
      ['!note x', 'otto'],
      ['!role grant bob owner', 'olga'],
      ['!secret set a b', 'otto'],
    ] as const) {
      await stage.ask(said, { by })
      marks.push([said, (await auditOf(stage))[0]?.reads === true])
    }
    assert.deepEqual(
      marks.filter(([, reads]) => reads).map(([said]) => said),
      ['!version', '!role list'],
    )
  })

  describe('roles', () => {
    it('names what is needed', async () => {
      assert.equal(await stage.ask('!note x', { by: 'mia' }), 'note needs operator; you are member')
      assert.equal((await auditOf(stage))[0]?.decision, 'denied')
    })
    it('an operator of a room is none elsewhere', async () => {
      await stage.role('rita', 'operator', 'irc:#general')
      assert.match(await stage.ask('!note x', { by: 'rita' }), /everywhere, not in this room alone; you are guest/)
    })
  })

  describe('secrets', () => {
    it('are for a direct message; what was typed is wiped', async () => {
      const { seen, stored } = await stage.say('!secret set KEY canary-1 more', { by: 'otto' })
      assert.match(seen[0]?.text ?? '', /only in a direct message to admin; others saw/)
      assert.deepEqual(toy.done, [])
      const body = await stage.read(db => sql(db, 'SELECT body FROM event WHERE seq = ?').get(stored.seq)?.['body'])
      assert.doesNotMatch(String(body), /canary/)
    })
    for (const said of [
      '!secret st KEY canary-9',
      '!secrte set KEY canary-9',
      '!secret canary-9',
      '/secret\u00a0canary-9',
    ]) {
      for (const by of ['otto', 'bob']) {
        it(`mistyped are neither kept nor said: ${said} of ${by}`, async () => {
          await stage.say(said, { by })
          const dump = await stage.read(db =>
            ['event', 'audit', 'delivery'].map(table => JSON.stringify(sql(db, `SELECT * FROM ${table}`).all())).join(),
          )
          assert.doesNotMatch(dump, /canary/)
          assert.deepEqual(toy.done, [])
        })
      }
    }
    it('reach the command whole and nothing else', async () => {
      const said = { by: 'otto', to: 'admin', in: stage.direct('otto') }
      assert.equal(await stage.ask('secret set KEY a "b"  canary-2', said), 'KEY set')
      assert.deepEqual(toy.done, ['KEY=a "b"  canary-2'])
      const dump = await stage.read(db =>
        ['event', 'audit', 'delivery'].map(table => JSON.stringify(sql(db, `SELECT * FROM ${table}`).all())).join(),
      )
      assert.doesNotMatch(dump, /canary/)
      assert.match(dump, /KEY \*\*\*/)
    })
    it('are said in private, sealed, once their order is done', async () => {
      const { seen } = await stage.say('!person add bob', { by: 'otto' })
      assert.deepEqual(
        seen.map(one => [one.place, one.text, one.secret, one.held]),
        [
          ['irc:#general', 'bob is made', false, true],
          ['irc:#general', 'bob could not be made: {reason}', false, true],
          ['irc:#general for otto alone', 'account=bob password=canary-77', true, true],
        ],
      )
      const raw = await stage.read(db => JSON.stringify(sql(db, 'SELECT act FROM delivery').all()))
      assert.doesNotMatch(raw, /canary/)
      const order = await stage.read(db => Number(sql(db, 'SELECT id FROM orders').get()?.['id']))
      const released = await stage.ledger.write(db => settleOrder(db, order, { done: true, result: 'ok' }, 1))
      assert.equal(released.length, 2)
    })
  })

  describe('confirmation', () => {
    const codeOf = (line: string): string => /!yes (\w{3})/.exec(line)?.[1] ?? assert.fail(line)
    it('is asked for, and used once', async () => {
      const line = await stage.ask('!role grant bob owner', { by: 'olga' })
      assert.match(line, /^makes bob an owner · !yes \w{3} within 60 s, or !no$/)
      assert.deepEqual(toy.done, [])
      assert.match(
        await stage.ask(`!yes ${codeOf(line)} not yet`, { by: 'olga' }),
        /^too many words: 'not' · usage: yes/,
      )
      assert.equal(await stage.ask(`!yes ${codeOf(line)}`, { by: 'olga' }), 'bob: owner')
      assert.match(await stage.ask(`!yes ${codeOf(line)}`, { by: 'olga' }), /was used or dropped already/)
      assert.deepEqual(toy.done, ['bob owner'])
    })
    it('is not asked for where there is no need', async () =>
      assert.equal(await stage.ask('!role grant bob member', { by: 'olga' }), 'bob: member'))
    it('is answered by the bot that asked, and by it alone', async () => {
      const code = codeOf(await stage.ask('!erase', { by: 'otto' }))
      const { takenBy, seen } = await stage.say(`!yes ${code.toUpperCase()}`, { by: 'otto' })
      assert.deepEqual([takenBy, seen.map(one => one.text)], [['scribe'], ['erased']])
      assert.deepEqual((await stage.say(`!yes ${code}`, { by: 'otto' })).takenBy, ['scribe'])
      assert.deepEqual((await stage.say('!yes zzz', { by: 'otto' })).takenBy, ['admin'])
    })
    it("is its asker's, in the same place", async () => {
      const code = codeOf(await stage.ask('!erase', { by: 'otto' }))
      assert.match(await stage.ask(`!yes ${code}`, { by: 'olga' }), /nothing of yours/)
      assert.match(await stage.ask(`!yes ${code}`, { by: 'otto', in: channel('#x') }), /nothing of yours/)
      assert.deepEqual(toy.done, [])
      assert.equal(await stage.ask(`!yes ${code}`, { by: 'otto' }), 'erased')
    })
    it('can be used up once, whoever comes second', async () => {
      const code = codeOf(await stage.ask('!erase', { by: 'otto' }))
      assert.deepEqual(await stage.ledger.write(db => [usePending(db, code), usePending(db, code)]), [true, false])
    })
    it('runs out', async () => {
      const code = codeOf(await stage.ask('!erase', { by: 'otto' }))
      stage.nowMs += 61_000
      assert.match(await stage.ask(`!yes ${code}`, { by: 'otto' }), /has run out/)
      assert.deepEqual(toy.done, [])
    })
    it('is dropped by no', async () => {
      const code = codeOf(await stage.ask('!erase', { by: 'otto' }))
      assert.match(await stage.ask('!no', { by: 'otto' }), /^dropped/)
      assert.match(await stage.ask(`!yes ${code}`, { by: 'otto' }), /used or dropped/)
      assert.deepEqual(toy.done, [])
    })
    it('is about what was shown: when that has changed it is asked anew', async () => {
      const line = await stage.ask('!drop all', { by: 'otto' })
      assert.match(line, /^drops 2 · !yes/)
      toy.herd.push('c')
      const again = await stage.ask(`!yes ${codeOf(line)}`, { by: 'otto' })
      assert.match(again, /^that has changed meanwhile: drops 3 · !yes \w{3} within/)
      assert.deepEqual(toy.done, [])
      assert.equal(await stage.ask(`!yes ${codeOf(again)}`, { by: 'otto' }), 'dropped a, b, c')
      assert.match(await stage.ask(`!yes ${codeOf(line)}`, { by: 'otto' }), /used or dropped/)
    })
    it('is asked anew when one of as many is another', async () => {
      const line = await stage.ask('!drop all', { by: 'otto' })
      toy.herd.splice(0, 1, 'x')
      assert.match(await stage.ask(`!yes ${codeOf(line)}`, { by: 'otto' }), /^that has changed meanwhile/)
    })
    it('needs no code while one alone waits', async () => {
      await stage.ask('!erase', { by: 'otto' })
      assert.equal(await stage.ask('!yes', { by: 'olga' }), 'nothing of yours waits here')
      const { takenBy, seen } = await stage.say('!yes', { by: 'otto' })
      assert.deepEqual([takenBy, seen.map(one => one.text)], [['scribe'], ['erased']])
      const erase = codeOf(await stage.ask('!erase', { by: 'otto' }))
      stage.nowMs += 1000
      const codes = [erase, codeOf(await stage.ask('!drop all', { by: 'otto' }))]
      assert.equal(await stage.ask('!yes', { by: 'otto' }), `which one: ${codes.join(', ')}?`)
      assert.deepEqual(toy.done, ['erased'])
    })
    it('asks for the role again', async () => {
      const code = codeOf(await stage.ask('!erase', { by: 'otto' }))
      await stage.role('otto', 'member')
      assert.match(await stage.ask(`!yes ${code}`, { by: 'otto' }), /needs operator/)
      assert.deepEqual(toy.done, [])
    })
  })

  describe('more', () => {
    it('goes on page by page, and at once', async () => {
      assert.equal(await stage.ask('!last 10'), '1\n2\n3\n4 · 4/10 · !more')
      assert.equal(await stage.ask('!more'), '5\n6\n7\n8 · 8/10 · !more')
      assert.equal(await stage.ask('!more all'), '9\n10')
      assert.equal(await stage.ask('!more'), 'nothing more to show')
    })
    it("is each one's own, and ends", async () => {
      await stage.say('!last 10')
      assert.equal(await stage.ask('!more', { by: 'bob' }), 'nothing more to show')
      stage.nowMs += 16 * 60_000
      assert.equal(await stage.ask('!more'), 'nothing more to show')
    })
  })
})
