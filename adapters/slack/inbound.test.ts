import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import { draft } from '../../core/contract/harness.ts'
import { seeded, seedOf } from '../../core/contract/random.ts'
import type { MessageId, UserId } from '../../core/event.ts'
import { plain } from '../../core/text/text.ts'
import { placeOf, Trial } from './testing/trial.ts'
import { app, shown } from './testing/workspace.ts'

const alice = 'U0000ALICE'

describe('what comes in', { concurrency: 4 }, () => {
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

  test('what an app changes in its attachments is an edit, a preview that Slack adds is none', async t => {
    const trial = await Trial.open(t)
    await trial.up()
    const { workspace } = trial.fake
    const change = (ts: string, attachments: object[]): void => {
      const message = workspace.find(trial.general, ts)
      if (!message) return
      const before = structuredClone(message)
      message['attachments'] = attachments
      workspace.changed(trial.general, message, before)
    }
    const build = { id: 1, text: 'build 7: running', fallback: 'build 7' }
    const ci = { bot_id: 'B0000CI', subtype: 'bot_message', username: 'ci', attachments: [build] }
    const { ts } = workspace.post(trial.general, ci)
    change(ts, [build, { id: 2, from_url: 'https://a.example', title: 'a page' }])
    change(ts, [{ ...build, text: 'build 7: passed' }])
    workspace.say(trial.general, alice, 'end')
    await trial.book.hears('end')
    const edits = trial.book.facts.filter(fact => fact.kind === 'edit')
    assert.deepEqual(
      edits.map(({ content }) => plain(content)),
      ['build 7: passed'],
    )
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

  test('whatever stands in an event, it is acknowledged', async t => {
    const trial = await Trial.open(t, { ackMs: 60_000 })
    await trial.up()
    const { fake, general } = trial
    const seed = seedOf()
    const random = seeded(seed)
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
    const odd = [
      null,
      0,
      -1,
      '',
      'x',
      [],
      {},
      [null],
      true,
      { type: 'text' },
      '<@',
      '\ud800',
      ['a', { type: 'user' }],
      { ts: 'x' },
    ]
    const whole = (ts: string): object => ({
      type: 'message',
      channel: general.id,
      user: alice,
      ts,
      text: '*a* <@U1|x> <#C1> ```b``` :tada:',
      thread_ts: general.messages[0]?.ts,
      edited: { user: alice, ts },
      files: [{ id: 'F1', name: 'a', mode: 'hosted', size: 1 }],
      attachments: [
        {
          text: 'b',
          fields: [{ title: 't', value: 'v' }],
          blocks: [{ type: 'section', text: { type: 'mrkdwn', text: 'c' } }],
        },
      ],
      reactions: [{ name: 'tada', users: [alice] }],
      blocks: [
        {
          type: 'rich_text',
          elements: [
            { type: 'rich_text_list', elements: [{ elements: [{ type: 'emoji', name: 'a', unicode: '110000-0' }] }] },
          ],
        },
        { type: 'table', rows: [[{ type: 'raw_text', text: 'a' }]] },
        { type: 'context', elements: [{ type: 'image', alt_text: 'b' }] },
      ],
    })
    const spoilt = (value: unknown): unknown => {
      if (random() < 0.12) return pick(odd)
      if (Array.isArray(value)) return value.map(spoilt)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, spoilt(inner)]))
    }
    const wrap = [
      (message: object) => message,
      (message: object) => ({
        type: 'message',
        subtype: 'message_changed',
        channel: general.id,
        message,
        previous_message: spoilt(message),
      }),
      (message: object) => ({
        type: 'message',
        subtype: 'message_deleted',
        channel: general.id,
        deleted_ts: '1.1',
        previous_message: message,
      }),
      (message: object) => ({ type: 'reaction_added', user: alice, reaction: 'tada', item: message }),
      (message: object) => ({ type: 'user_change', user: message }),
    ]
    for (let n = 0; n < 400; n++) {
      fake.envelope('events_api', { event: pick(wrap)(spoilt(whole(fake.workspace.stamp())) as object) })
    }
    fake.workspace.say(general, alice, 'still here')
    await trial.book.hears('still here')
    await fake.until(() => fake.unacknowledged === 0, `acknowledgements, CHANOP_SEED=${seed}`)
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
