import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { configSchema } from '../../../config/schema.ts'
import { type MessageEvent, type MessageId, text } from '../../../core/event.ts'
import { keepSummary, moveStart, promptStart } from '../../../core/ledger/oracle/prompts.ts'
import { append, revise, type Stored } from '../../../core/ledger/record/events.ts'
import { messageNumber, placeNamed, temporaryFolder, temporaryLedger } from '../../../core/ledger/testing.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { wipe } from '../../../core/ledger/wipe.ts'
import { MediaStore } from '../../../core/media/store.ts'
import type { ModelRequest } from '../models/contract.ts'
import { ScriptedModels } from '../models/testing.ts'
import { promptOf } from '../testing.ts'
import { Mind } from './mind.ts'
import { summarise } from './summaries.ts'

type Script = ConstructorParameters<typeof ScriptedModels>[0]

/** A room in which a hundred things were said, odd ones by bob, and a summary is to be made of all but the last. */
async function full(t: TestContext, script: Script = () => ['in short']) {
  const ledger = temporaryLedger(t)
  const config = configSchema.parse({
    networks: { irc: { kind: 'memory', channels: ['#a'] } },
    rooms: { a: { places: ['irc:#a'], open: true } },
    oracle: { promptTokens: 2000 },
    ignore: { 'irc:mallory': null },
  })
  const models = new ScriptedModels(script)
  const store = new MediaStore(temporaryFolder(t), ledger, () => ({ fileBytes: 1, totalBytes: 1, keepMs: 1 }))
  const tools = { ledger, models, mind: new Mind(temporaryFolder(t)), store, config: () => config }
  const said = await ledger.write(tx => {
    const all = Array.from({ length: 100 }, (_, n) => {
      const sender = { id: n % 2 === 0 ? 'mallory' : 'bob', name: 'X', kind: 'person', verified: true }
      const over = { place: placeNamed('#a'), content: text(`${n}: ${'words '.repeat(100)}`), sender }
      return append(tx, messageNumber(n, over as Partial<MessageEvent>), 'a', Date.now()) as Stored<MessageEvent>
    })
    moveStart(tx, 'a', all[99]?.seq ?? 0)
    return all
  })
  return {
    ledger,
    models,
    seqOf: (n: number): number => said[n]?.seq ?? 0,
    sumUp: () => summarise(tools, said[99] as Stored<MessageEvent>, new AbortController().signal),
    summary: () => ledger.read(tx => promptStart(tx, 'a')?.summary),
  }
}

test('what is summed up is no more than a prompt may have, and nothing of who is ignored', async t => {
  const { models, sumUp, summary } = await full(t)
  await sumUp()
  const [request] = models.requests
  assert.ok(request)
  const prompt = promptOf(request)
  assert.ok((await models.countTokens(prompt)) <= 2100, 'bounded')
  assert.match(prompt, /97: words/)
  assert.doesNotMatch(prompt, /98: words|\n.* 1: words/)
  assert.equal(await summary(), 'in short')
})

const changes: Readonly<Record<string, (tx: Tx, seq: number) => void>> = {
  deleted: (tx, seq) => revise(tx, seq, null, Date.now()),
  edited: (tx, seq) => revise(tx, seq, text('something else'), Date.now()),
  wiped: (tx, seq) => wipe(tx, seq, '[secret]'),
}

for (const [name, change] of Object.entries(changes)) {
  test(`a summary goes with what it was made of, and is made again without it: ${name}`, async t => {
    const { ledger, models, seqOf, sumUp, summary } = await full(t)
    await sumUp()
    await ledger.write(tx => change(tx, seqOf(99)))
    assert.equal(await summary(), 'in short', 'it holds nothing of what was said later')
    await ledger.write(tx => revise(tx, seqOf(97), text('97: changed'), Date.now()))
    assert.equal(await summary(), '')
    await sumUp()
    await ledger.write(tx => change(tx, seqOf(97)))
    assert.equal(await summary(), '')
    await sumUp()
    const prompt = promptOf(models.requests[2] as ModelRequest)
    assert.doesNotMatch(prompt, /97: |in short/)
    assert.match(prompt, /95: words/)
    assert.equal(await summary(), 'in short')
  })

  test(`what was ${name} while its summary was being made is in none`, async t => {
    const changed: Promise<unknown>[] = []
    const { ledger, seqOf, sumUp, summary } = await full(t, () => {
      changed.push(ledger.write(tx => change(tx, seqOf(97))))
      return ['in short']
    })
    await sumUp()
    await Promise.all(changed)
    assert.deepEqual([changed.length, await summary()], [1, ''])
  })
}

test('a summary of a thread goes with what was deleted there, and another stays', async t => {
  const ledger = temporaryLedger(t)
  const thread = { ...placeNamed('#a'), thread: 'm0' as MessageId }
  const [first, inside] = await ledger.write(tx =>
    [placeNamed('#a'), thread].map((place, n) => append(tx, messageNumber(n, { place }), 'a', Date.now())?.seq ?? 0),
  )
  const keys = ['a', 'a\nm0', 'b']
  await ledger.write(tx => keys.forEach(key => (moveStart(tx, key, 9), keepSummary(tx, key, 'in short', 8))))
  const left = () => ledger.read(tx => keys.filter(key => promptStart(tx, key)?.summary !== ''))
  await ledger.write(tx => revise(tx, inside ?? 0, null, Date.now()))
  assert.deepEqual(await left(), ['a', 'b'])
  await ledger.write(tx => revise(tx, first ?? 0, null, Date.now()))
  assert.deepEqual(await left(), ['b'])
})
