/** The hub by itself, with a ledger and without the bridge. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { until } from '../../../bots/bridge/testing.ts'
import { text } from '../../../core/event.ts'
import { Ledger } from '../../../core/ledger/ledger.ts'
import { append, revise } from '../../../core/ledger/record/events.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { messageNumber, slowDisk } from '../../../core/ledger/testing.ts'
import { silentLog } from '../../../core/log.ts'
import { House } from '../../../test/house.ts'
import { type Holder, holderOf } from '../door/access.ts'
import { Rights } from '../door/rights.ts'
import { interiorOf } from '../testing/alone.ts'
import { config, World, web } from '../testing/world.ts'
import { Hub, type Reader } from './hub.ts'

/** A reader of everything that its key may see; `got` are the numbers that it was given. */
function readerOf(holder: Holder, cursor: number): Reader & { readonly got: number[] } {
  const got: number[] = []
  const give: Reader['give'] = ({ facts }) => void got.push(...facts.map(({ seq }) => seq))
  return { holder, rooms: null, cursor, full: false, got, give, beat: () => undefined, end: () => undefined }
}

it('a fact is told once it is on the disk, as soon as it is', async t => {
  const house = new House(t, { config: config({}), aside: true })
  const interior = interiorOf(await house.context('bridge'))
  const { ledger } = interior
  const key = await new World(house).key('alice')
  const holder = ledger.readNow(tx => holderOf(tx, web, key, Date.now())) as Holder
  const rights = new Rights(interior)
  const hub = new Hub(interior, rights, silentLog())
  ledger.onCommit(() => hub.look())
  const add = (n: number, to: Ledger = ledger) => to.write(tx => append(tx, messageNumber(n), 'general', n))
  await add(1)
  const live = readerOf(holder, 1)
  hub.add(live)
  // Whatever there is to be told is told in the turn in which rights are asked for.
  const { mock } = t.mock.method(rights, 'of')
  const round = async (): Promise<void> => {
    const before = mock.callCount()
    hub.look()
    await until(() => mock.callCount() > before, 'a round')
  }
  await round()
  const { waiting } = slowDisk(t)
  const second = add(2)
  await turn()
  const behind = readerOf(holder, 0)
  hub.add(behind)
  await round()
  await until(() => behind.got.length > 0, 'what was there before')
  assert.deepEqual([ledger.newestSeq(), live.got, behind.got], [2, [], [1]])
  const third = add(3)
  await turn()
  const other = Ledger.open(ledger.path)
  t.after(() => other.close())
  await add(4, other)
  waiting.shift()?.()
  await second
  await until(() => live.got.length > 0, 'the first')
  await round()
  assert.deepEqual(live.got, [2])
  waiting.shift()?.()
  await third
  await until(() => live.got.length > 1 && behind.got.length > 3, 'the rest')
  assert.deepEqual(
    [live.got, behind.got],
    [
      [2, 3, 4],
      [1, 2, 3, 4],
    ],
  )
})

it('what was deleted has no words for who comes back, whoever had them at hand', async t => {
  const house = new House(t, { config: config({}), aside: true })
  const interior = interiorOf(await house.context('bridge'))
  const { ledger } = interior
  const key = await new World(house).key('alice')
  const holder = ledger.readNow(tx => holderOf(tx, web, key, Date.now())) as Holder
  const hub = new Hub(interior, new Rights(interior), silentLog())
  ledger.onCommit(() => hub.look())
  const texts = (after: number) => {
    const got: Record<string, unknown>[] = []
    const give: Reader['give'] = ({ facts }) => void got.push(...facts.map(({ json }) => JSON.parse(json)))
    hub.add({ ...readerOf(holder, after), give })
    return got
  }
  const message = messageNumber(1)
  const { key: _key, id: target, kind: _kind, content: _content, ...common } = message
  await ledger.write(tx => append(tx, message, 'general', 1))
  const live = texts(0)
  await until(() => live.length === 1, 'the message')
  const edit = { ...common, kind: 'edit' as const, key: 'irc:e', target, content: text('other words') }
  await ledger.write(tx => {
    append(tx, edit, 'general', 2)
    revise(tx, 1, edit.content, 2)
  })
  await until(() => live.length === 2, 'the edit')
  await ledger.write(tx => {
    append(tx, { ...common, kind: 'delete', key: 'irc:d', target }, 'general', 3)
    revise(tx, 1, null, 3)
  })
  await until(() => live.length === 3, 'its end')
  const back = texts(0)
  await until(() => back.length === 3, 'all of it')
  const shown = (got: typeof live) => got.map(one => [one['kind'], one['target'], one['text']])
  assert.deepEqual(shown(live), [
    ['message', undefined, 'message 1'],
    ['edit', 1, 'other words'],
    ['delete', 1, undefined],
  ])
  assert.deepEqual(shown(back), [
    ['message', undefined, ''],
    ['edit', 1, ''],
    ['delete', 1, undefined],
  ])
})

it('who comes back is told what it missed while something is edited all the time', async t => {
  const house = new House(t, { config: config({}), aside: true })
  const interior = interiorOf(await house.context('bridge'))
  const { ledger } = interior
  const key = await new World(house).key('alice')
  const holder = ledger.readNow(tx => holderOf(tx, web, key, Date.now())) as Holder
  const hub = new Hub(interior, new Rights(interior), silentLog())
  ledger.onCommit(() => hub.look())
  const most = 1500
  // So many that a round has an edit each time.
  const live = Array.from({ length: 400 }, () => readerOf(holder, 0))
  for (const reader of live) hub.add(reader)
  await ledger.write(tx => {
    for (let n = 1; n <= most; n++) append(tx, messageNumber(n), 'general', n)
  })
  await until(() => live.every(({ got }) => got.length === most), 'all of it')
  const { key: _key, id: target, kind: _kind, content, ...common } = messageNumber(1)
  const behind = readerOf(holder, 0)
  for (let n = 1; n <= 8; n++) {
    if (n === 2) hub.add(behind)
    await ledger.write(tx => append(tx, { ...common, kind: 'edit', key: `irc:e${n}`, target, content }, 'general', n))
    await until(() => live[0]?.got.length === most + n, 'a round')
  }
  assert.notEqual(behind.got.length, 0)
})

it('an edit of what was edited hundreds of times reads nothing of these anew', async t => {
  const house = new House(t, { config: config({}) })
  const interior = interiorOf(await house.context('bridge'))
  const { ledger } = interior
  const key = await new World(house).key('alice')
  const holder = ledger.readNow(tx => holderOf(tx, web, key, Date.now())) as Holder
  const hub = new Hub(interior, new Rights(interior), silentLog())
  ledger.onCommit(() => hub.look())
  const live = readerOf(holder, 0)
  hub.add(live)
  const { key: _key, id: target, kind: _kind, content, ...common } = messageNumber(1)
  const edit = (from: number, to: number) =>
    ledger.write(tx => {
      for (let n = from; n < to; n++)
        append(tx, { ...common, kind: 'edit', key: `irc:e${n}`, target, content }, 'general', n)
    })
  await ledger.write(tx => append(tx, messageNumber(1), 'general', 1))
  await edit(0, 500)
  await until(() => live.got.length === 501, 'all of it')
  const statement: object = Object.getPrototypeOf(ledger.readNow(tx => sql(tx, 'SELECT 1')))
  const { mock } = t.mock.method(statement as { all(): unknown }, 'all')
  await edit(500, 501)
  await until(() => live.got.length === 502, 'the newest')
  assert.ok(mock.callCount() < 100, `${mock.callCount()} queries`)
})
