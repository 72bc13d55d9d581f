import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import { draft, upload } from '../../core/contract/harness.ts'
import { ChanopError } from '../../core/error.ts'
import type { ChatEvent, Draft, MessageId, UserId } from '../../core/event.ts'
import { plain } from '../../core/text.ts'
import { placeOf, Trial } from './testing/trial.ts'
import { app, shown } from './testing/workspace.ts'

const alice = 'U0000ALICE'
const relayed = (said: string, name = 'bob', avatar?: string): Draft => ({
  ...draft(said),
  as: { name, relayed: true, ...(avatar ? { avatar } : {}) },
})
const isCode = (code: string) => (error: unknown) => error instanceof ChanopError && error.code === code

describe('what comes in', () => {
  test('a mention is one message, and of us', async t => {
    const trial = await Trial.open(t)
    await trial.up()
    const { workspace } = trial.fake
    const elements = [
      { type: 'user', user_id: app.user },
      { type: 'text', text: ' hello' },
    ]
    workspace.say(trial.general, alice, '', {
      text: `<@${app.user}> hello`,
      blocks: [{ type: 'rich_text', elements: [{ type: 'rich_text_section', elements }] }],
    })
    workspace.say(trial.general, alice, 'end')
    await trial.book.hears('end')
    const [first, second] = trial.book.messages()
    assert.ok(first && second && trial.book.messages().length === 2)
    assert.deepEqual(first.content.segments[0], { kind: 'mention', id: app.user, name: 'chanop', self: true })
    await trial.fake.until(() => trial.fake.unacknowledged === 0, 'acknowledgements')
    assert.equal(trial.fake.told.filter(({ type }) => type === 'events_api').length, 3, 'message, app_mention, end')
  })

  test('a redelivered event is the same fact, and an envelope waits for the ledger', async t => {
    const trial = await Trial.open(t, { ackMs: 100 })
    await trial.up()
    const release = trial.book.hold()
    trial.fake.workspace.say(trial.general, alice, 'once')
    await trial.fake.until(() => trial.fake.told.some(each => each['retry_attempt'] === 1), 'a second delivery')
    assert.ok(trial.fake.unacknowledged > 0, 'nothing is acknowledged before the ledger has it')
    release('take')
    await trial.fake.until(() => trial.fake.unacknowledged === 0, 'acknowledgements')
    assert.deepEqual(trial.book.texts(), ['once'])
  })

  test('one gesture under two times is one message', async t => {
    const trial = await Trial.open(t)
    await trial.up()
    const { workspace } = trial.fake
    const id = { client_msg_id: 'aaaaaaaa-0000-4000-8000-000000000000' }
    workspace.say(trial.general, alice, 'twice', id)
    workspace.say(trial.general, alice, 'twice', id)
    workspace.say(trial.general, alice, 'end')
    await trial.book.hears('end')
    assert.deepEqual(trial.book.texts(), ['twice', 'end'])
  })

  test('threads, what is also sent to the channel, actions', async t => {
    const trial = await Trial.open(t)
    await trial.up()
    const { workspace } = trial.fake
    const root = workspace.say(trial.general, alice, 'root')
    workspace.say(trial.general, alice, 'in it', { thread_ts: root.ts })
    workspace.say(trial.general, alice, 'for all', { thread_ts: root.ts, subtype: 'thread_broadcast' })
    workspace.post(trial.general, { user: alice, subtype: 'me_message', text: 'waves' })
    const waves = await trial.book.hears('waves')
    assert.equal(waves.content.style, 'action')
    assert.deepEqual(
      trial.book.messages().map(({ place }) => place.thread),
      [undefined, root.ts, root.ts, undefined],
    )
  })

  test('what looks empty is not', async t => {
    const trial = await Trial.open(t)
    await trial.up()
    const { workspace } = trial.fake
    const post = (of: object): void => void workspace.post(trial.general, { user: alice, ...of })
    post({ files: [{ id: 'F1', mode: 'quip', filetype: 'quip', title: 'Plan' }] })
    post({ files: [{ id: 'F2', mode: 'tombstone' }] })
    post({ subtype: 'huddle_thread', room: { topic: 'standup' } })
    post({ subtype: 'something_new', text: 'new words' })
    post({ subtype: 'channel_join', text: 'has joined' })
    post({
      user: undefined,
      subtype: 'bot_message',
      bot_id: 'BOTHER',
      username: 'ci',
      text: '',
      attachments: [
        { fallback: 'f', title: 'Build 7', title_link: 'https://ci.example/7', text: '*failed*', color: 'danger' },
      ],
    })
    post({
      text: 'see',
      attachments: [
        { is_msg_unfurl: true, author_name: 'carol', text: 'her words' },
        { from_url: 'https://a.example', title: 'preview' },
      ],
    })
    workspace.say(trial.general, alice, 'end')
    await trial.book.hears('end')
    assert.deepEqual(
      trial.book.messages().map(({ content }) => plain(content)),
      [
        '[canvas: Plan]',
        '[deleted file]',
        '[huddle: standup]',
        'new words',
        'Build 7 (https://ci.example/7)\nfailed',
        'see\n> carol: her words',
        'end',
      ],
    )
    const bot = trial.book.messages()[4]
    assert.deepEqual([bot?.sender.kind, bot?.sender.name], ['bot', 'ci'])
  })

  test('edits, previews, deletions, ours among them', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { workspace } = trial.fake
    const place = placeOf(trial.general)
    const [ours] = await adapter.send(place, draft('ours'), 'd1')
    const message = workspace.say(trial.general, alice, 'fist')
    await trial.book.hears('fist')
    const before = structuredClone(message)
    message['attachments'] = [{ from_url: 'https://a.example', title: 'preview' }]
    workspace.changed(trial.general, message, before)
    await adapter.edit?.(place, [ours as MessageId], draft('ours!'), 'd2')
    await adapter.remove?.(place, [ours as MessageId], undefined, 'd3')
    workspace.editText(trial.general, message.ts, 'first', alice)
    workspace.remove(trial.general, message.ts)
    await trial.book.until(() => trial.book.facts.some(({ kind }) => kind === 'delete'), 'the deletion')
    assert.deepEqual(
      trial.book.facts.map(({ kind }) => kind),
      ['message', 'edit', 'delete'],
    )
    const edit = trial.book.facts[1]
    assert.ok(edit?.kind === 'edit' && plain(edit.content) === 'first' && edit.target === message.ts)
  })

  test('joins, leaves, names, topics', async t => {
    const trial = await Trial.open(t)
    await trial.up()
    const { workspace } = trial.fake
    workspace.person('U0000CAROL', 'carol')
    workspace.join(trial.general, 'U0000CAROL')
    workspace.say(trial.general, 'U0000CAROL', 'hi')
    await trial.book.hears('hi')
    workspace.rename('U0000CAROL', 'caroline')
    workspace.post(trial.general, { user: alice, subtype: 'channel_topic', topic: 'news', text: 'set the topic' })
    workspace.leave(trial.general, 'U0000CAROL')
    await trial.book.until(() => trial.book.facts.filter(({ kind }) => kind === 'member').length === 3, 'three changes')
    const told = trial.book.facts.map(fact =>
      fact.kind === 'member'
        ? `${fact.change} ${fact.sender.name} ${fact.detail ?? ''}`
        : fact.kind === 'topic'
          ? fact.topic
          : fact.kind,
    )
    assert.deepEqual(
      told.toSorted(),
      ['join carol ', 'leave caroline ', 'message', 'news', 'rename carol caroline'].toSorted(),
    )
  })

  test('a copy that another Chanop made says so', async t => {
    const trial = await Trial.open(t)
    await trial.up()
    const copy = (hops: number) => ({
      event_type: 'chanop_delivery',
      event_payload: { instance: 'zzzzzzzzzzzz', delivery: '1', part: 0, parts: 1, hops },
    })
    trial.fake.workspace.post(trial.general, {
      subtype: 'bot_message',
      bot_id: 'BOTHER',
      username: 'x',
      text: 'copied',
      metadata: copy(1),
    })
    trial.fake.workspace.post(trial.general, {
      subtype: 'bot_message',
      bot_id: 'BOTHER',
      username: 'x',
      text: 'its own',
      metadata: copy(0),
    })
    const copied = await trial.book.hears('copied')
    assert.equal(copied.hops, 1)
    assert.equal(copied.sender.kind, 'bot')
    assert.equal((await trial.book.hears('its own')).hops, undefined)
  })

  test('envelopes of no known shape are acknowledged and hurt nobody', async t => {
    const trial = await Trial.open(t)
    await trial.up()
    const { fake } = trial
    for (const payload of [
      undefined,
      null,
      7,
      [],
      {},
      { event: null },
      { event: { type: 'error' } },
      { event: { type: 'close' } },
      { event: { type: 'message', channel: 7, ts: {} } },
      { event: { type: 'message', subtype: 'message_changed', channel: trial.general.id, message: 5 } },
      { event: { type: 'reaction_added', item: 'x' } },
    ])
      fake.envelope('events_api', payload)
    fake.envelope('interactive', { type: 'block_actions' })
    fake.envelope('something_new', {})
    fake.envelope('slash_commands', {})
    fake.raw('no json')
    fake.raw('[1]')
    fake.workspace.say(trial.general, alice, 'still here')
    await trial.book.hears('still here')
    await fake.until(() => fake.unacknowledged === 0, 'acknowledgements')
    assert.equal(fake.sockets, 1)
  })

  test('a slash command is what it says, where it was said', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const command = (more: object): string =>
      trial.fake.envelope('slash_commands', {
        command: '/chanop',
        text: 'status all',
        user_id: alice,
        user_name: 'alice',
        channel_id: trial.general.id,
        team_id: 'T0000FAKE',
        trigger_id: `t${Math.random()}`,
        ...more,
      })
    command({})
    const event = await trial.book.hears('/status all')
    assert.deepEqual(event.place, placeOf(trial.general))
    assert.ok(event.sender.verified && event.sender.id === alice && event.origin === 'live')
    command({ command: '/ask', text: 'why?' })
    await trial.book.hears('/ask why?')
    command({ text: '' })
    await trial.book.hears('/help')
    await trial.fake.until(() => trial.fake.unacknowledged === 0, 'acknowledgements')
    await adapter.sendEphemeral?.(event.place, alice as UserId, draft('only you'), 'd1')
    assert.deepEqual(
      trial.fake.workspace.ephemeral.map(({ message }) => shown(message)),
      ['only you'],
    )
    const elsewhere = trial.fake.workspace.channel('secret', { members: [alice] })
    command({ channel_id: elsewhere.id, text: 'last' })
    assert.equal((await trial.book.hears('/last')).place.private, true, 'where the bot is not, it is a direct message')
  })
})

describe('while nobody listens', () => {
  test('a refresh loses nothing although its socket is closed at once', async t => {
    const trial = await Trial.open(t)
    await trial.up()
    const { fake, general } = trial
    const said: string[] = []
    const say = (text: string): void => {
      said.push(text)
      fake.workspace.say(general, alice, text)
    }
    say('before')
    await trial.book.hears('before')
    for (const close of [false, true]) {
      const opened = fake.callsOf('apps.connections.open').length
      fake.refresh('refresh_requested', { close })
      for (let n = 0; n < 5; n++) say(`gap ${close} ${n}`)
      await fake.until(
        () => fake.callsOf('apps.connections.open').length > opened && fake.sockets === 1,
        'a new socket',
      )
      say(`after ${close}`)
      await trial.book.hears(`after ${close}`)
    }
    assert.deepEqual(trial.book.texts(), said)
  })

  test('from the cursor: messages over many pages, threads old and new, edits, reactions; in order', async t => {
    const trial = await Trial.open(t, { pageMost: 7 })
    const { fake, general, book } = trial
    const { workspace } = fake
    const first = await trial.up()
    const old = workspace.say(general, alice, 'old root')
    workspace.say(general, alice, 'old reply', { thread_ts: old.ts })
    const asleep = workspace.say(general, alice, 'sleeping root')
    workspace.say(general, alice, 'known')
    await book.hears('known')
    await book.hears('old reply')
    await first.stop()
    const said: string[] = []
    const say = (text: string, more = {}): string => {
      said.push(text)
      return workspace.say(general, alice, text, more).ts
    }
    for (let n = 0; n < 20; n++) say(`missed ${n}`)
    say('reply to old', { thread_ts: old.ts })
    const fresh = say('new root')
    for (let n = 0; n < 9; n++) say(`in new ${n}`, { thread_ts: fresh })
    say('woken', { thread_ts: asleep.ts })
    workspace.react(general, fresh, alice, 'tada')
    workspace.editText(general, asleep.ts, 'sleeping root, edited', alice)
    await trial.up()
    await book.hears('woken')
    const texts = book.texts()
    assert.deepEqual(texts.slice(texts.indexOf('known') + 1), said)
    assert.ok(
      book
        .messages()
        .slice(4)
        .every(({ origin }) => origin === 'backfill'),
    )
    const edit = book.facts.find((fact): fact is ChatEvent & { kind: 'edit' } => fact.kind === 'edit')
    assert.deepEqual([edit?.target, edit && plain(edit.content)], [asleep.ts, 'sleeping root, edited'])
    const reaction = book.facts.find(fact => fact.kind === 'reaction')
    assert.ok(reaction?.kind === 'reaction' && reaction.emoji === '🎉' && reaction.target === fresh)
    assert.equal(book.facts.filter(({ kind }) => kind === 'gap').length, 0)
  })

  test('history that may not be read is a gap that is named, with the scope; the rest works', async t => {
    const trial = await Trial.open(t)
    const { fake, general, book } = trial
    const first = await trial.up()
    fake.workspace.say(general, alice, 'known')
    await book.hears('known')
    await first.stop()
    fake.scopes.delete('channels:history')
    fake.workspace.say(general, alice, 'missed')
    const { adapter } = await trial.up()
    const gap = await book.until(() => book.facts.find(({ kind }) => kind === 'gap'), 'the gap')
    assert.ok(gap.kind === 'gap' && /channels:history/.test(gap.reason))
    assert.match(adapter.status().reason ?? '', /lacks the scope channels:history: add it at .*Bot Token Scopes/)
    await adapter.send(placeOf(general), draft('works'), 'd1')
    assert.deepEqual(fake.said(general), ['works'])
  })

  test('history that has to wait keeps up its own channel alone', async t => {
    const trial = await Trial.open(t)
    const { fake, book } = trial
    const slow = fake.workspace.channel('slow', { members: [app.user, alice] })
    const first = await trial.up()
    for (const channel of [slow, trial.general]) fake.workspace.say(channel, alice, `known ${channel.name}`)
    await book.hears('known general')
    await book.hears('known slow')
    await first.stop()
    fake.workspace.say(slow, alice, 'missed in slow')
    fake.limit('conversations.history', { channel: slow.id, seconds: 2 })
    await trial.up()
    fake.workspace.say(trial.general, alice, 'quick')
    fake.workspace.say(slow, alice, 'after')
    await book.hears('after')
    const texts = book.texts()
    assert.ok(texts.indexOf('missed in slow') < texts.indexOf('after'))
  })
})

describe('what goes out', () => {
  test('faces, threads, replies, labels; nothing pings by accident', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general } = trial
    const place = placeOf(general)
    await adapter.send(place, relayed('hi <!channel> @here', 'bob', 'https://a.example/b.png'), 'd1')
    const [call] = fake.callsOf('chat.postMessage')
    assert.equal(call?.args['username'], 'bob')
    assert.equal(call?.args['icon_url'], 'https://a.example/b.png')
    assert.equal(call?.args['text'], 'hi &lt;!channel&gt; @here')
    assert.deepEqual(JSON.parse(String(call?.args['metadata'])), {
      event_type: 'chanop_delivery',
      event_payload: { instance: 'abcdefghijkl', delivery: 'd1', part: 0, parts: 1, hops: 1 },
    })
    const root = fake.workspace.say(general, alice, 'root')
    await adapter.send(
      place,
      { ...relayed('an answer'), content: { ...draft('an answer').content, replyTo: root.ts as MessageId } },
      'd2',
    )
    await adapter.send(placeOf(general, root.ts), draft('in the thread'), 'd3')
    assert.deepEqual(
      fake
        .callsOf('chat.postMessage')
        .slice(1)
        .map(({ args }) => args['thread_ts']),
      [root.ts, root.ts],
    )
  })

  test('without the scope for faces the name stands before the words', async t => {
    const trial = await Trial.open(t)
    trial.fake.scopes.delete('chat:write.customize')
    const { adapter } = await trial.up()
    await adapter.send(placeOf(trial.general), relayed('hello'), 'd1')
    assert.deepEqual(trial.fake.said(trial.general), ['bob: hello'])
    assert.match(adapter.status().lacks.join('\n'), /chat:write\.customize: no faces/)
  })

  test('a storm of 429 on one channel delays no other, and its wait is obeyed', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general } = trial
    const calm = fake.workspace.channel('calm', { members: [app.user] })
    fake.limit('chat.postMessage', { channel: general.id, seconds: 3 })
    const refused = await adapter.send(placeOf(general), draft('later'), 'd1').catch((error: unknown) => error)
    assert.ok(refused instanceof ChanopError && refused.code === 'send-later')
    assert.ok((refused.afterMs ?? 0) > 1500 && (refused.afterMs ?? 0) <= 3000, String(refused.afterMs))
    for (let n = 0; n < 20; n++)
      await assert.rejects(adapter.send(placeOf(general), draft('later'), 'd1'), isCode('send-later'))
    assert.equal(fake.callsOf('chat.postMessage').length, 1, 'while it lasts Slack is not asked again')
    const began = performance.now()
    for (let n = 0; n < 10; n++) await adapter.send(placeOf(calm), draft(`c ${n}`), `c${n}`)
    assert.ok(performance.now() - began < 1500)
    assert.equal(fake.said(calm).length, 10)
  })

  test('a limit in the middle of a long text is waited for: no part is lost or said twice', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general } = trial
    fake.rate = { perSecond: 1, burst: 2 }
    const long = Array.from({ length: 2000 }, (_, n) => `w${n}`).join(' ')
    const ids = await adapter.send(placeOf(general), draft(long), 'd1')
    assert.equal(ids.length, fake.said(general).length)
    assert.equal(fake.said(general).join(' ').replace(/\s+/g, ' '), long)
    assert.ok(ids.length >= 3)
  })

  test('an answer that was lost in the middle is found, and the rest is said behind it', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general, book } = trial
    const place = placeOf(general)
    const long = Array.from({ length: 2000 }, (_, n) => `w${n}`).join(' ')
    const act = { do: 'send' as const, ...draft(long) }
    for (const round of [1, 2, 3]) {
      fake.loseAnswer('chat.postMessage')
      await assert.rejects(adapter.send(place, draft(long), 'd1'), isCode('network-down'))
      await book.until(() => adapter.status().state === 'up', 'up')
      const found = await adapter.find?.(place, 'd1', act)
      assert.equal(typeof found === 'string' ? found : found?.length, round < 3 ? 'not-sent' : 3)
    }
    assert.equal(fake.said(general).join(' ').replace(/\s+/g, ' '), long)
    const { adapter: restarted } = await trial.up()
    assert.equal((await restarted.find?.(place, 'd1', act))?.length, 3)
    assert.equal(await restarted.find?.(place, 'd2', act), 'not-sent')
  })

  test('files: the lost answer of the last step is found after a restart; text and file keep apart at an edit', async t => {
    const trial = await Trial.open(t)
    const first = await trial.up()
    const { fake, general } = trial
    const place = placeOf(general)
    const file: Draft = { ...relayed('look'), uploads: [upload('a.bin', new Uint8Array(1000))] }
    fake.loseAnswer('files.completeUploadExternal')
    await assert.rejects(first.adapter.send(place, file, 'd1'), isCode('network-down'))
    await first.stop()
    const { adapter } = await trial.up()
    const found = await adapter.find?.(place, 'd1', {
      do: 'send',
      ...relayed('look'),
      content: { ...draft('look').content, attachments: [{ ref: 'r', name: 'a.bin' }] },
    })
    assert.ok(found && typeof found !== 'string' && found.length === 2, JSON.stringify(found))
    assert.equal(general.messages.filter(({ files }) => files).length, 1)
    assert.match(general.messages.find(({ files }) => files)?.text ?? '', /^\*bob\*$/)
    const edited = await adapter.edit?.(place, found, relayed('look here'), 'd2')
    assert.deepEqual(edited, found)
    assert.equal(general.messages.filter(({ files }) => files).length, 1, 'the file stays')
    assert.equal(
      await adapter.find?.(place, 'd9', {
        do: 'send',
        content: { segments: [], attachments: [{ ref: 'r', name: 'a.bin' }] },
      }),
      'not-sent',
    )
  })

  test('an edit that grows adds parts once, one that shrinks takes them away', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general } = trial
    const place = placeOf(general)
    const long = Array.from({ length: 2000 }, (_, n) => `w${n}`).join(' ')
    const ids = await adapter.send(place, draft('short'), 'd1')
    fake.loseAnswer('chat.postMessage')
    await assert.rejects(Promise.resolve(adapter.edit?.(place, ids, draft(long), 'd2')), { retry: 'later' })
    await trial.book.until(() => adapter.status().state === 'up', 'up')
    const grown = await adapter.edit?.(place, ids, draft(long), 'd2')
    assert.equal(fake.said(general).join(' ').replace(/\s+/g, ' '), long)
    const shrunk = await adapter.edit?.(place, grown as MessageId[], draft('short again'), 'd3')
    assert.deepEqual([shrunk, fake.said(general)], [ids, ['short again']])
  })

  test('what Slack refuses says why, and in which channel', async t => {
    const trial = await Trial.open(t)
    const { adapter } = await trial.up()
    const { fake, general } = trial
    const place = placeOf(general)
    general.archived = true
    await assert.rejects(adapter.send(place, draft('x'), 'd1'), { code: 'send-refused', message: /archived/ })
    assert.match(adapter.status().troubles?.[0]?.reason ?? '', /archived/)
    general.archived = false
    general.members.delete(app.user)
    await assert.rejects(adapter.send(place, draft('x'), 'd2'), { code: 'send-refused', message: /\/invite/ })
    general.members.add(app.user)
    await adapter.send(place, draft('x'), 'd3')
    assert.equal(adapter.status().troubles, undefined)
    fake.scopes.delete('reactions:write')
    const { ts } = fake.workspace.say(general, alice, 'y')
    await assert.rejects(Promise.resolve(adapter.react?.(place, ts as MessageId, { emoji: '👍' }, 'd4')), {
      message: /scope reactions:write/,
    })
    await assert.rejects(Promise.resolve(adapter.react?.(place, ts as MessageId, { emoji: 'no emoji' }, 'd5')), {
      code: 'unsupported',
    })
    await assert.rejects(Promise.resolve(adapter.direct?.('UNOBODY' as UserId)), { code: 'not-found' })
    assert.equal(adapter.status().state, 'up')
  })
})

describe('faults of the login', () => {
  test('wrong tokens end it with what to do', async t => {
    const trial = await Trial.open(t)
    const cases: [object, RegExp][] = [
      [{ 'env:BOT': 'xoxb-wrong' }, /does not know the token/],
      [{ 'env:APP': 'xapp-wrong' }, /does not know the token/],
      [{ 'env:BOT': 'xapp-fake-1', 'env:APP': 'xoxb-fake-1' }, /swapped/],
      [{ 'env:BOT': 'hello' }, /xoxb-/],
    ]
    for (const [tokens, message] of cases) {
      const { ended, adapter } = await trial.start([], tokens)
      await assert.rejects(ended, { code: 'network-refused', message })
      assert.equal(adapter.status().state, 'down')
      assert.match(adapter.status().reason ?? '', message)
      assert.doesNotMatch(JSON.stringify(adapter.status()), /xoxb-wrong|xapp-wrong|fake-1/)
    }
  })

  test('a token that is revoked ends it, by event or by an answer', async t => {
    const trial = await Trial.open(t)
    const first = await trial.up()
    trial.fake.workspace.emit({ type: 'tokens_revoked', tokens: { bot: [app.user] } }, null)
    await trial.fake.until(() => trial.fake.callsOf('auth.test').length === 2, 'the question')
    assert.equal(first.adapter.status().state, 'up', 'an old event ends nothing')
    trial.fake.refusals.set('auth.test', 'token_revoked')
    trial.fake.workspace.emit({ type: 'tokens_revoked', tokens: { oauth: [], bot: [app.user] } }, null)
    await assert.rejects(first.ended, { code: 'network-refused', message: /revoked/ })
    trial.fake.refusals.clear()
    const second = await trial.up()
    trial.fake.refusals.set('chat.postMessage', 'account_inactive')
    await assert.rejects(second.adapter.send(placeOf(trial.general), draft('x'), 'd1'), { retry: 'later' })
    await assert.rejects(second.ended, { code: 'network-refused', message: /removed from the workspace/ })
  })

  test('an outage of Slack is none of these', async t => {
    const trial = await Trial.open(t)
    trial.fake.refusals.set('apps.connections.open', 'internal_error')
    const { adapter } = await trial.start()
    await trial.fake.until(() => trial.fake.callsOf('apps.connections.open').length >= 2, 'a second try')
    assert.notEqual(adapter.status().state, 'up')
    trial.fake.refusals.clear()
    await trial.book.until(() => adapter.status().state === 'up', 'up')
  })

  test('a channel that can not be entered is named, and the others work', async t => {
    const trial = await Trial.open(t)
    const secret = trial.fake.workspace.channel('secret', { kind: 'private', members: [alice] })
    const open = trial.fake.workspace.channel('open', { members: [alice] })
    const { adapter } = await trial.up([secret.id, open.id, 'C000NOTHING'])
    await trial.book.until(() => adapter.status().troubles?.length === 2, 'two troubles')
    assert.ok(adapter.status().troubles?.every(({ reason }) => reason.includes('/invite')))
    await trial.fake.until(() => open.members.has(app.user), 'us in the open one')
    secret.members.add(app.user)
    trial.fake.workspace.emit({ type: 'member_joined_channel', user: app.user, channel: secret.id }, secret)
    await trial.book.until(() => adapter.status().troubles?.length === 1, 'one trouble')
  })
})
