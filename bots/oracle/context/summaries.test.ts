import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configSchema } from '../../../config/schema.ts'
import { type MessageEvent, text } from '../../../core/event.ts'
import { moveStart, promptStart } from '../../../core/ledger/oracle/prompts.ts'
import { append, type Stored } from '../../../core/ledger/record/events.ts'
import { messageNumber, placeNamed, temporaryFolder, temporaryLedger } from '../../../core/ledger/testing.ts'
import { MediaStore } from '../../../core/media/store.ts'
import { ScriptedModels } from '../models/testing.ts'
import { promptOf } from '../testing.ts'
import { Mind } from './mind.ts'
import { summarise } from './summaries.ts'

test('what is summed up is no more than a prompt may have, and nothing of who is ignored', async t => {
  const ledger = temporaryLedger(t)
  const config = configSchema.parse({
    networks: { irc: { kind: 'memory', channels: ['#a'] } },
    rooms: { a: { places: ['irc:#a'], open: true } },
    oracle: { promptTokens: 2000 },
    ignore: { 'irc:mallory': null },
  })
  const models = new ScriptedModels(() => ['in short'])
  const store = new MediaStore(temporaryFolder(t), ledger, () => ({ fileBytes: 1, totalBytes: 1, keepMs: 1 }))
  const tools = { ledger, models, mind: new Mind(temporaryFolder(t)), store, config: () => config }
  const asked = (await ledger.write(tx => {
    const said = Array.from({ length: 100 }, (_, n) => {
      const sender = { id: n % 2 === 0 ? 'mallory' : 'bob', name: 'X', kind: 'person', verified: true }
      const over = { place: placeNamed('#a'), content: text(`${n}: ${'words '.repeat(100)}`), sender }
      return append(tx, messageNumber(n, over as Partial<MessageEvent>), 'a', Date.now())
    })
    moveStart(tx, 'a', said.at(-1)?.seq ?? 0)
    return said.at(-1)
  })) as Stored<MessageEvent>
  await summarise(tools, asked, new AbortController().signal)
  const [request] = models.requests
  assert.ok(request)
  const prompt = promptOf(request)
  assert.ok((await models.countTokens(prompt)) <= 2100, 'bounded')
  assert.match(prompt, /97: words/)
  assert.doesNotMatch(prompt, /98: words|\n.* 1: words/)
  assert.equal((await ledger.read(tx => promptStart(tx, 'a')))?.summary, 'in short')
})
