import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { stopwatch } from '../../contract/stopwatch.ts'
import { assign, assignGiven, checkArgs } from './args.ts'
import { fieldsOf, usageOf } from './fields.ts'
import { hear, normalise, tokenise } from './grammar.ts'
import { durationMs, moment, parseMoment, rest, whole } from './values.ts'

const bots = new Map(['admin', 'oracle', 'scribe'].map(name => [name, name]))
const room = { prefix: '!', bots, direct: false, to: null }

describe('normalise', () => {
  for (const [typed, plain] of [
    ['\x02!status\x02', '!status'],
    ['\x0304,01!status\x0f', '!status'],
    ['\x04ff0000!status', '!status'],
    ['\u200b!status\u00a0x ', '!status x'],
    ['  !status\t', '!status'],
    ['it’s “fine”', 'it’s “fine”'],
  ] as const) {
    it(JSON.stringify(typed), () => assert.equal(normalise(typed), plain))
  }
})

describe('hear', () => {
  for (const [said, line, to] of [
    ['!status', 'status', null],
    ['/status', 'status', null],
    ['admin: status', 'status', 'admin'],
    ['Admin, status now', 'status now', 'admin'],
    ['@scribe last 5', 'last 5', 'scribe'],
    ['@scribe: !last', 'last', 'scribe'],
    ['oracle: what is it', 'what is it', 'oracle'],
    ['!role grant bob owner', 'role grant bob owner', null],
    ['！status', 'status', null],
    ['！ｓｔａｔｕｓ', 'status', null],
    ['admin： status', 'status', 'admin'],
  ] as const) {
    it(said, () => {
      const heard = hear(said, room)
      assert.deepEqual([heard?.line, heard?.to], [line, to])
    })
  }
  for (const said of [
    '',
    '!',
    '!!',
    '!!!',
    '!?',
    '!1',
    '! x',
    '!=',
    '/',
    '//x',
    '/me waves',
    '/ME waves',
    '/usr/bin/env',
    '!wow!',
    '!über',
    'status',
    'bob: status',
    '@bob status',
    'admin status',
    'admin:',
    'email@admin status',
    'http://admin: x',
    '-!x',
  ]) {
    it(`${said || 'nothing'} is talk`, () => assert.equal(hear(said, room), null))
  }
  it('needs no prefix in private', () => {
    const heard = hear('status', { ...room, direct: true, to: 'admin' })
    assert.deepEqual(heard, { line: 'status', to: 'admin', prefixed: false, addressed: true })
    assert.equal(hear('!!', { ...room, direct: true, to: 'admin' }), null)
  })
  it("has a prefix of one's choice", () => {
    assert.equal(hear('.status', { ...room, prefix: '.' })?.line, 'status')
    assert.equal(hear('!status', { ...room, prefix: '.' }), null)
    assert.equal(hear('...', { ...room, prefix: '.' }), null)
    assert.equal(hear('c!status', { ...room, prefix: 'c!' })?.line, 'status')
  })
})

describe('tokenise', () => {
  for (const [line, words] of [
    ['a  b\tc', ['a', 'b', 'c']],
    ['"a b" c', ['a b', 'c']],
    ["'a b' c", ['a b', 'c']],
    ['“a b” c', ['a b', 'c']],
    ["ams'01 it's", ["ams'01", "it's"]],
    ["'tis so", ["'tis", 'so']],
    ['it’s', ["it's"]],
    ['"a \\"b\\" \\\\"', ['a "b" \\']],
    ['a\\ b', ['a\\', 'b']],
    ["'a\\'", ['a\\']],
    ['"open end', ['"open', 'end']],
    ['"a"b', ['"a"b']],
    ['a"b c"', ['a"b', 'c"']],
    ['—force', ['--force']],
    ['""', ['']],
    ['', []],
  ] as const) {
    it(line || 'nothing', () =>
      assert.deepEqual(
        tokenise(line).map(token => token.text),
        words,
      ),
    )
  }
  it('reads key="two words"', () => {
    const [token] = tokenise('Why="two words" x')
    assert.deepEqual([token?.key, token?.value], ['why', 'two words'])
  })
  it('stays linear', () => {
    const tookMs = stopwatch()
    for (const char of ['"', "'", '“', ' "', '\\', 'a=', 'a="']) tokenise(char.repeat(30_000), 100_000)
    assert.ok(tookMs() < 2000)
  })
})

describe('arguments', () => {
  const schema = z.object({
    who: z.string(),
    count: whole(1, 9).prefault('3'),
    for: durationMs().optional().meta({ named: true }),
    dry: z.boolean().optional(),
    why: rest().optional(),
  })
  const read = (line: string) => {
    const parsed = checkArgs('act', schema, assign(fieldsOf(schema), line))
    return parsed.ok ? parsed.args : { fault: parsed.fault }
  }
  it('has a usage line', () =>
    assert.equal(usageOf('act', fieldsOf(schema)), 'act <who> [count] [for=…] [--dry] [why…]'))
  for (const [line, result] of [
    ['bob', { who: 'bob', count: 3 }],
    ['bob 4', { who: 'bob', count: 4 }],
    ['bob 4 because  it\'s "so" for=2h', { who: 'bob', count: 4, why: 'because  it\'s "so" for=2h' }],
    ['FOR=2h bob —dry', { who: 'bob', count: 3, for: 7_200_000, dry: true }],
    ['bob count=5', { who: 'bob', count: 5 }],
    ['"x=y" 4', { who: 'x=y', count: 4 }],
    ['colour=red', { who: 'colour=red', count: 3 }],
    ['colour="dark red" 4', { who: 'colour="dark red"', count: 4 }],
    ['bob 4 who=ann and more', { who: 'bob', count: 4, why: 'who=ann and more' }],
    ['-- --dry', { who: '--dry', count: 3 }],
  ] as const) {
    it(line, () => assert.deepEqual(read(line), result))
  }
  for (const [line, fault] of [
    ['', /^who is missing · usage: act <who>/],
    ['bob x', /^count: 'x' is no number from 1 to 9/],
    ['bob for=soon', /^for: 'soon' is no duration: write 90s/],
    ['bob for=1s for=2s', /^for is given twice/],
    ['bob who=ann', /^who is given twice/],
  ] as const) {
    it(`${line || 'nothing'} has a fault`, () => assert.match((read(line) as { fault: string }).fault, fault))
  }
  it('lists take all words, keys among them', () => {
    const search = z.object({ words: z.array(z.string()), from: z.string().optional().meta({ named: true }) })
    const parsed = checkArgs('search', search, assign(fieldsOf(search), 'red from=bob "big apple"'))
    assert.deepEqual(parsed.ok && parsed.args, { words: ['red', 'big apple'], from: 'bob' })
  })
  describe('given by name', () => {
    const give = (args: Record<string, unknown>) => {
      const parsed = checkArgs('act', schema, assignGiven(fieldsOf(schema), args))
      return parsed.ok ? parsed.args : { fault: parsed.fault }
    }
    for (const [args, result] of [
      [
        { who: 'bob', count: 4 },
        { who: 'bob', count: 4 },
      ],
      [
        { why: 'two words', who: 'x=y --dry', dry: true },
        { who: 'x=y --dry', count: 3, why: 'two words', dry: true },
      ],
      [
        { who: 'bob', for: '2h', dry: 'false', why: null },
        { who: 'bob', count: 3, for: 7_200_000, dry: false },
      ],
    ] as const) {
      it(JSON.stringify(args), () => assert.deepEqual(give(args), result))
    }
    for (const [args, fault] of [
      [{ count: 4 }, /^who is missing · usage: act/],
      [{ who: 'bob', count: 10 }, /^count: '10' is no number from 1 to 9/],
      [{ who: 'bob', count: 1.5 }, /^count: '1.5' is no number/],
      [{ who: { name: 'bob' } }, /^who: text is needed/],
      [{ who: 'bob', dry: 'maybe' }, /^dry: true or false is needed/],
      [{ who: 'bob', whom: 'x' }, /^there is no argument 'whom'/],
      [JSON.parse('{"who":"bob","__proto__":"x"}'), /^there is no argument '__proto__'/],
    ] as const) {
      it(`${JSON.stringify(args)} has a fault`, () => assert.match((give(args) as { fault: string }).fault, fault))
    }
    it('masks secrets, also under a wrong name', () => {
      const secret = fieldsOf(z.object({ name: z.string(), value: z.string().meta({ secret: true }) }))
      for (const args of [{ value: 'canary' }, { name: 'KEY', valeu: 'canary' }, { value: ['canary'] }]) {
        const { masked, secret: held } = assignGiven(secret, args)
        assert.deepEqual([held, /canary/.test(masked)], [true, false], masked)
      }
    })
  })
  it('masks secrets wherever they stand, and what may be a part of one', () => {
    const secret = fieldsOf(z.object({ name: z.string(), value: z.string().meta({ secret: true }) }))
    for (const line of ['KEY canary', 'KEY value=canary', 'value="canary x" KEY', 'KEY a canary', 'KEY VALUE=canary']) {
      const { masked } = assign(secret, line)
      assert.doesNotMatch(masked, /canary/, line)
      assert.match(masked, /\*\*\*/, line)
    }
  })
  it('masks a secret that begins as an argument does', () => {
    const secret = fieldsOf(z.object({ name: z.string(), value: rest().meta({ secret: true }) }))
    const { values, masked, fault } = assign(secret, 'KEY name=canary')
    assert.deepEqual([values['value'], masked, fault], ['name=canary', 'KEY ***', null])
  })
  it('never shows what was typed for a secret', () => {
    const guarded = z.object({ pin: z.string().regex(/^\d+$/).meta({ secret: true }) })
    const parsed = checkArgs('pin', guarded, assign(fieldsOf(guarded), 'canary'))
    assert.deepEqual(parsed.ok ? '' : parsed.fault, 'pin can not be used · usage: pin <pin>')
  })
})

describe('values', () => {
  const nowMs = Date.UTC(2026, 3, 1, 12, 0)
  for (const [typed, direction, at] of [
    ['18:00', 'past', '2026-03-31T18:00:00.000Z'],
    ['18:00', 'future', '2026-04-01T18:00:00.000Z'],
    ['9:30', 'future', '2026-04-02T09:30:00.000Z'],
    ['2h', 'past', '2026-04-01T10:00:00.000Z'],
    ['1d', 'future', '2026-04-02T12:00:00.000Z'],
    ['yesterday', 'past', '2026-03-31T00:00:00.000Z'],
    ['2026-02-03', 'past', '2026-02-03T00:00:00.000Z'],
    ['2026-02-03T04:05', 'past', '2026-02-03T04:05:00.000Z'],
    ['2026-02-03 04:05:06+02:00', 'past', '2026-02-03T02:05:06.000Z'],
  ] as const) {
    it(`${typed} in the ${direction}`, () =>
      assert.equal(new Date(parseMoment(typed, direction, nowMs) ?? 0).toISOString(), at))
  }
  for (const typed of ['', 'soon', '25:00', '2026-13-01', '9', '1e9', '999999999999w']) {
    it(`${typed || 'nothing'} is no time`, () => assert.equal(moment('past').safeParse(typed).success, false))
  }
  for (const [typed, direction, fault] of [
    ['2999-01-01', 'past', "'2999-01-01' is still to come"],
    ['tomorrow', 'past', "'tomorrow' is still to come"],
    ['2020-01-01', 'future', "'2020-01-01' is over already"],
    ['today', 'future', "'today' is over already"],
  ] as const) {
    it(`${typed} is not in the ${direction}`, () =>
      assert.equal(moment(direction).safeParse(typed).error?.issues[0]?.message, fault))
  }
  it('numbers', () => {
    for (const typed of ['0', '10', '1.5', '1e1', '0x1', ' 1', ''])
      assert.equal(whole(1, 9).safeParse(typed).success, false)
  })
})

it('words with wide digits, dashes and quotes read as typed plainly', () => {
  const plain = (line: string) => tokenise(line).map(({ text, key, value }) => [key, value ?? text])
  for (const [typed, meant] of [
    ['last ５', 'last 5'],
    ['x —flag', 'x --flag'],
    ['x –1', 'x -1'],
    ['x since＝２d', 'x since=2d'],
    ['x in=“a b”', 'x in="a b"'],
    ['x «a b»', 'x "a b"'],
  ] as const) {
    assert.deepEqual(plain(typed), plain(meant), typed)
  }
  assert.equal(parseMoment('2026-02-31', 'past', Date.UTC(2026, 5, 1)), null)
  assert.equal(parseMoment('2026-02-28', 'past', Date.UTC(2026, 5, 1)), Date.UTC(2026, 1, 28))
})
