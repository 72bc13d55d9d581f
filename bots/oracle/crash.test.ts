import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { seeded, seedOf } from '../../core/contract/random.ts'
import { openTries } from '../../core/ledger/oracle/tries.ts'
import { type Child, runChild } from '../../core/ledger/testing.ts'
import { sleep } from '../../core/retry.ts'
import { House } from '../../test/house.ts'
import { runBridge } from '../bridge/run.ts'
import { settled, until } from '../bridge/testing.ts'
import { begin, delta, finished, ModelServer, send, usage } from './models/testing-server.ts'
import { answers, turnsIn } from './testing.ts'

/** `CHANOP_KILLS=12` says how many; `node test/turns.ts` is the same over a whole instance. */
const kills = Number(process.env['CHANOP_KILLS'] ?? '6')
const questions = kills * 5
const rooms = ['#one', '#two', '#three', '#four']

const config = (url: string): string => `
owner: chat:olga
networks:
  chat: { kind: memory, server: '{server}-a', channels: [${rooms.map(room => `'${room}'`).join(', ')}] }
  plain: { kind: memory, server: '{server}-b', channels: ['#one'], edits: false }
rooms:
  one: { places: ['chat:#one', 'plain:#one'] }
models: { only: { provider: openai, model: m, baseUrl: '${url}' } }
budget: { dailyUsd: 1000, perPersonDailyUsd: 1000 }
oracle: { queue: 100 }
`

test(`the oracle is killed ${kills} times during ${questions} questions: each has one answer, and every request is booked`, async t => {
  const server = await ModelServer.listen(t, async (response, { body }) => {
    const { messages } = body as { messages: { content: string }[] }
    const [, asked] = /question-(\d+)$/.exec(messages.at(-1)?.content ?? '') ?? []
    begin(response)
    for (const word of [`answer-${asked}`, ' one', ' two', ' three.']) {
      send(response, delta(word))
      await sleep(60)
    }
    for (const last of [finished(), usage(10, 4), '[DONE]']) send(response, last)
    response.end()
  })
  const house = new House(t, { config: config(server.url) })
  await house.run('bridge', runBridge)
  const [a, b] = [house.server('a'), house.server('b')]
  await Promise.all([a.ready(), b.ready()])
  const start = async (): Promise<Child> => {
    const child = runChild(t, [
      process.execPath,
      join(import.meta.dirname, 'killed.child.ts'),
      house.dataDir,
      house.configFile,
    ])
    await child.line(/ready/)
    return child
  }
  const seed = seedOf()
  t.diagnostic(`CHANOP_SEED=${seed}`)
  const random = seeded(seed)
  const open = async (): Promise<number> => (await turnsIn(house)).filter(({ settledMs }) => settledMs === null).length
  const ended = async (): Promise<number> => (await turnsIn(house)).length - (await open())
  let oracle = await start()
  let killed = 0
  for (let n = 0; n < questions; n++) {
    a.user(`bob${n % 5}`).say(rooms[n % rooms.length] as string, `oracle: question-${n}`)
    if (n % 5 === 0) {
      await sleep(100 + random() * 500)
      killed++
      oracle.process.kill('SIGKILL')
      await oracle.ended
      oracle = await start()
      // A turn that is interrupted over and over is given up in the end: each process gets one done.
      const before = await ended()
      await until(async () => (await ended()) > before || (await open()) === 0, 'an answer between two kills', 20_000)
    }
  }
  await until(async () => (await turnsIn(house)).length === questions && (await open()) === 0, 'all answers', 60_000)
  await settled(house)
  const said = rooms.flatMap(room => answers(a, room).filter(text => !/before you/.test(text)))
  const wanted = Array.from({ length: questions }, (_, n) => `answer-${n} one two three.`)
  assert.deepEqual(said.toSorted(), wanted.toSorted())
  assert.deepEqual(
    answers(b, '#one')
      .filter(text => !/before you/.test(text))
      .toSorted(),
    wanted.filter((_, n) => n % rooms.length === 0).toSorted(),
  )
  for (const room of rooms) {
    const order = answers(a, room).map(text => Number(/answer-(\d+)/.exec(text)?.[1]))
    assert.deepEqual(
      order,
      order.toSorted((x, y) => x - y),
      `in order in ${room}`,
    )
  }
  const extra = server.requests.length - questions
  t.diagnostic(`${killed} kills, ${extra} requests more than questions`)
  assert.ok(extra <= killed * rooms.length)
  await until(async () => (await house.ledger.read(openTries)).length === 0, 'every request is booked', 10_000)
})
