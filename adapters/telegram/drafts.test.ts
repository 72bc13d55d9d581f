import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Adapter } from '../../core/adapter.ts'
import { within } from '../../core/contract/harness.ts'
import type { ChannelId, Draft, MessageId } from '../../core/event.ts'
import type { ServerOptions } from './testing/server.ts'
import { Refused } from './testing/text.ts'
import { placeOf, said, Trial, words } from './testing/trial.ts'

interface Talk {
  readonly trial: Trial
  readonly adapter: Adapter
  readonly show: (draft: Draft) => boolean
  /** Says the whole, and how long that took. */
  readonly say: (text: string) => Promise<number>
  readonly texts: () => unknown[]
  readonly shown: () => string | null
  readonly drafts: () => readonly string[]
}

/** A direct conversation. */
async function open(t: TestContext, options: ServerOptions = {}, config: object = {}): Promise<Talk> {
  const trial = await Trial.open(t, options)
  const { world } = trial.server
  const alice = world.user('alice')
  const own = world.rooms.get(alice.id)
  assert.ok(own)
  own.bot.status = 'member'
  const { adapter } = await trial.start(t, config)
  const place = placeOf(own)
  return {
    trial,
    adapter,
    show: draft => adapter.stream?.(place, { ...draft, growing: true }, 'one') ?? false,
    say: async text => {
      const startMs = performance.now()
      await within(adapter.send(place, words(text), 'one') as Promise<readonly MessageId[]>, 'send')
      return performance.now() - startMs
    },
    texts: () => own.messages.map(({ message }) => message['text']),
    shown: () => world.shownIn(alice.id),
    drafts: () => world.drafts.map(({ text }) => text),
  }
}

test('what grows is one draft, and in the end one message', async t => {
  const talk = await open(t)
  const { server } = talk.trial
  for (let n = 1; n <= 30; n++) {
    assert.equal(talk.show(said({ kind: 'text', text: `${'word '.repeat(n)}…`, marks: ['italic'] })), true)
    if (n % 10 === 0) await server.until(() => talk.shown() === `${'word '.repeat(n)}…`)
  }
  assert.ok(talk.drafts().length < 30, 'those that are out of date already are left out')
  assert.equal(new Set(server.world.drafts.map(({ id }) => id)).size, 1)
  assert.deepEqual(talk.texts(), [])
  await talk.say('the whole')
  assert.deepEqual([talk.texts(), talk.shown()], [['the whole'], null])
  const after = talk.drafts().length
  await server.listening()
  assert.equal(talk.drafts().length, after, 'nothing is shown after it')
})

test('what is too long for one message is shown from where the newest begins', async t => {
  const talk = await open(t)
  talk.show(words(`${'word '.repeat(1500)}newest …`))
  await talk.trial.server.until(() => talk.drafts().length === 1)
  assert.match(talk.drafts()[0] ?? '', /^word .*newest …$/)
})

test('a place that is no chat on Telegram shows nothing, and what is sent there is refused', async t => {
  const { adapter } = await open(t)
  const place = { network: adapter.network, channel: '@mygroup' as ChannelId }
  assert.equal(adapter.stream?.(place, { ...words('once …'), growing: true }, 'none'), false)
  await assert.rejects(async () => adapter.send(place, words('once'), 'none'), { code: 'send-refused' })
})

test('a 429 for drafts delays no message, and no draft is asked for meanwhile', async t => {
  const talk = await open(t)
  const { server } = talk.trial
  server.fault(new Refused(429, 'Too Many Requests: retry after 60', { retry_after: 60 }), /sendMessageDraft/)
  talk.show(words('once …'))
  await server.until(() => server.asked('sendMessageDraft').length === 1)
  assert.equal(talk.show(words('once upon …')), true, 'it is said as a whole all the same')
  await talk.say('once upon a time')
  assert.deepEqual(talk.texts(), ['once upon a time'])
  assert.equal(server.asked('sendMessageDraft').length, 1)
})

for (const [name, options, refusal] of [
  ['does not know of drafts', { drafts: 'none' }, null],
  ['gives them to bots with topics alone', { drafts: 'topics' }, null],
  ['gives none in this chat', {}, new Refused(403, 'Forbidden: no drafts here')],
] as const) {
  test(`a server that ${name}: the message is said as it begins, and edited`, async t => {
    const talk = await open(t, options)
    const { server } = talk.trial
    if (refusal) server.fault(refusal, /sendMessageDraft/)
    assert.equal(talk.show(words('once …')), true, 'nobody knows yet')
    await server.until(() => server.asked('sendMessageDraft').length === 1)
    while (talk.show(words('once upon …'))) await new Promise(resolve => setImmediate(resolve))
    await talk.say('once upon a time')
    assert.equal(server.asked('sendMessageDraft').length, 1)
    assert.deepEqual(talk.texts(), ['once upon a time'])
  })
}

test('drafts draw on what a chat takes, and leave room for what is said: Telegram never has to refuse', async t => {
  const chat = { most: 5, windowMs: 500 }
  const talk = await open(
    t,
    { speeds: { chat, group: chat, all: { most: 1000, windowMs: 1000 } } },
    { rate: { chatPerSecond: 9, groupPerMinute: 20, perSecond: 1000 } },
  )
  for (let round = 1; round <= 3; round++) {
    const until = talk.drafts().length + 3
    for (let n = 0; talk.drafts().length < until; n++) {
      talk.show(words(`${round} ${n} …`))
      await new Promise(resolve => setImmediate(resolve))
    }
    await talk.say(`${round}`)
  }
  assert.deepEqual(talk.texts(), ['1', '2', '3'])
  const refused = talk.trial.server.journal.filter(({ answer }) => answer['error_code'] === 429)
  assert.deepEqual(refused, [])
})

test('lost answers and broken connections cost a draft, never the message', async t => {
  const talk = await open(t)
  const { server } = talk.trial
  for (const does of ['lose-answer', 'lose-request', new Refused(502, 'Bad Gateway')] as const) {
    server.fault(does, /sendMessageDraft/)
    assert.equal(talk.show(words(`${String(does)} …`)), true)
    await server.until(() => server.faults.every(({ times }) => times === 0))
  }
  talk.show(words('and on …'))
  await server.until(() => talk.shown() === 'and on …')
  await talk.say('the end')
  assert.deepEqual(talk.texts(), ['the end'])
})

test('in a group nothing is shown so', async t => {
  const talk = await open(t)
  assert.equal(talk.adapter.stream?.(talk.trial.place, { ...words('once …'), growing: true }, 'two'), false)
})
