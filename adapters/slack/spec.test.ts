import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { draft, upload } from '../../core/contract/harness.ts'
import type { Draft, MessageId, UserId } from '../../core/event.ts'
import { silentLog } from '../../core/log.ts'
import { slack } from './index.ts'
import { SlackApi, wrapping } from './testing/spec.ts'
import { network, placeOf, Trial } from './testing/trial.ts'
import { app } from './testing/workspace.ts'

const folder = process.env['CHANOP_SPECS'] ?? resolve(import.meta.dirname, '..', '..', '..', 'shared', 'specs')
const path = join(folder, 'slack.json')
const skip = existsSync(path) ? false : `no ${path}: Slack's description is not here`
const alice = 'U0000ALICE'

const rich: Draft = {
  as: { name: 'bob', relayed: true, avatar: 'https://a.example/b.png' },
  content: {
    segments: [
      { kind: 'text', text: 'b <!channel> ', marks: ['bold', 'spoiler', 'underline'] },
      { kind: 'mention', id: alice as UserId, name: 'alice' },
      { kind: 'link', url: 'https://a.example/', text: 'here' },
      { kind: 'code', text: 'x = 1', block: true, language: 'js' },
      { kind: 'quote', text: 'q', author: 'carol' },
      { kind: 'emoji', name: 'parrot', text: '' },
    ],
  },
}

test('what we ask and what the fake answers is as Slack is described', { skip }, async t => {
  const api = new SlackApi(path)
  const trial = await Trial.open(t)
  const { fake, general, book } = trial
  const open = fake.workspace.channel('open', { members: [alice] })
  const first = await trial.up([open.id])
  const place = placeOf(general)
  const root = fake.workspace.say(general, alice, 'hello')
  fake.workspace.say(general, alice, `hi <@${app.user}>`)
  const file = fake.workspace.share(general, alice, 'a file', { name: 'a.bin', bytes: Buffer.from('abc') })
  const heard = await book.hears('a file')
  assert.ok(file)
  await first.adapter.open?.(heard.content.attachments?.[0] as never, new AbortController().signal)
  const { adapter } = first
  const ids = await adapter.send(place, rich, 'd1')
  await adapter.send(placeOf(general, root.ts), draft('in a thread'), 'd2')
  await adapter.edit?.(place, ids, draft('changed'), 'd3')
  await adapter.react?.(place, root.ts as MessageId, { emoji: '👍' }, 'd4')
  await adapter.react?.(place, root.ts as MessageId, { emoji: '👍' }, 'd4')
  await adapter.react?.(place, root.ts as MessageId, { emoji: '👍', removed: true }, 'd5')
  await adapter.sendEphemeral?.(place, alice as UserId, draft('only you'), 'd6')
  await adapter.send(place, { ...draft('files'), uploads: [upload('b.bin', Buffer.from('xyz'))] }, 'd7')
  const direct = await adapter.direct?.(alice as UserId)
  assert.ok(direct)
  await adapter.send(direct, { ...draft('secret'), secret: true }, 'd8')
  await adapter.remove?.(place, ids, undefined, 'd9')
  await adapter.remove?.(place, ids, undefined, 'd9')
  await adapter.find?.(place, 'd7', { do: 'send', ...draft('files') })
  await adapter.find?.(placeOf(general, root.ts), 'd2', { do: 'send', ...draft('in a thread') })
  await adapter.channels?.part(placeOf(open), 'bye')
  fake.workspace.react(general, root.ts, alice, 'tada')
  await first.stop()
  fake.workspace.say(general, alice, 'missed', { thread_ts: root.ts })
  await trial.up()
  await book.hears('missed')
  const config = slack.schema.parse({ kind: 'slack', token: 'env:BOT', appToken: 'env:APP', api: fake.api })
  const secret = async (name: string): Promise<string> => (name === 'env:BOT' ? fake.botToken : fake.appToken)
  await slack.probe?.(config, { network, log: silentLog(), dataDir: '', secret, signal: AbortSignal.timeout(5000) })
  const wrong = new Set(fake.calls.flatMap(call => api.check(call)))
  assert.deepEqual([...wrong], [])
  const methods = new Set(fake.calls.map(({ method }) => method))
  assert.ok(methods.size >= 18, `only ${[...methods].join(', ')}`)
  const isWrapped = wrapping(join(folder, 'slack-events.json'))
  for (const { type, payload } of fake.told) {
    if (type === 'events_api') assert.ok(isWrapped(payload), JSON.stringify(isWrapped.errors))
  }
})

test('a description finds what is wrong', { skip }, () => {
  const api = new SlackApi(path)
  const call = { method: 'chat.postMessage', atMs: 0, status: 200, body: { ok: true } }
  assert.match(
    api.check({ ...call, args: { text: 'x', colour: 'red' } }).join('\n'),
    /channel is missing\n.*no colour\n.*answers 200/,
  )
  assert.match(api.check({ ...call, method: 'chat.shout', args: {} }).join(), /no such method/)
  const odd = { ...call, method: 'conversations.history', args: { limit: 'many' }, body: { ok: false, error: 'x' } }
  assert.match(api.check(odd).join('\n'), /limit is no integer/)
})
