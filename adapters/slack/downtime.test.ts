import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import { draft } from '../../core/contract/harness.ts'
import { stopwatch } from '../../core/contract/stopwatch.ts'
import type { ChatEvent } from '../../core/event.ts'
import { plain } from '../../core/text/text.ts'
import { placeOf, Trial } from './testing/trial.ts'
import { app } from './testing/workspace.ts'

const alice = 'U0000ALICE'

describe('while nobody listens', { concurrency: 4 }, () => {
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

  test('a connection that shall be left is kept until there is another', async t => {
    const trial = await Trial.open(t)
    await trial.up()
    const { fake, general } = trial
    fake.refusals.set('apps.connections.open', 'internal_error')
    fake.refresh('warning')
    const opened = () => fake.callsOf('apps.connections.open').length
    await fake.until(() => opened() > 2, 'a second try')
    assert.equal(fake.sockets, 1)
    const { ts } = fake.workspace.say(general, alice, 'meanwhile')
    fake.workspace.react(general, ts, alice, 'tada')
    fake.refusals.clear()
    await trial.book.until(() => trial.book.facts.some(({ kind }) => kind === 'reaction'), 'the reaction')
  })

  test('what is said in a thread while the ledger takes nothing is not lost', async t => {
    const trial = await Trial.open(t, { ackMs: 60_000 })
    await trial.up()
    const { fake, general, book } = trial
    const root = fake.workspace.say(general, alice, 'root')
    await book.hears('root')
    Object.assign(book.cursors, { set: () => Promise.reject(new Error('the disk is full')) })
    fake.workspace.say(general, alice, 'in the thread', { thread_ts: root.ts })
    await book.hears('in the thread')
  })

  test('what we said ourselves is looked through once', async t => {
    const trial = await Trial.open(t, { pageMost: 50 })
    const { fake, general, book } = trial
    const first = await trial.up()
    const beganS = Math.floor(Date.now() / 1000) - 600
    const known = fake.workspace.say(general, alice, 'known', { ts: `${beganS}.000000` })
    await book.hears('known')
    await first.stop()
    await book.cursors.set(`met/${general.id}`, `${beganS}.000000`)
    for (let n = 0; n < 400; n++) {
      const said = { bot_id: app.bot, user: app.user, text: `alert ${n}` }
      fake.workspace.post(general, { ...said, ts: `${beganS + 1 + n}.000000` })
    }
    const asked: number[] = []
    for (let run = 0; run < 2; run++) {
      const before = fake.callsOf('conversations.history').length
      const { stop } = await trial.up()
      // Its turn comes behind what was missed.
      fake.workspace.say(general, alice, `aside ${run}`, { thread_ts: known.ts })
      await book.hears(`aside ${run}`)
      asked.push(fake.callsOf('conversations.history').length - before)
      await stop()
    }
    assert.deepEqual(asked, [9, 2])
    fake.workspace.say(general, alice, 'missed')
    await trial.up()
    await book.hears('missed')
    assert.deepEqual(book.texts(), ['known', 'aside 0', 'aside 1', 'missed'])
  })

  test('who begins a direct conversation while we are away is heard', async t => {
    const trial = await Trial.open(t)
    const { fake, book } = trial
    const old = fake.workspace.im(alice)
    fake.workspace.say(old, alice, 'long ago', { ts: '1600000000.000001' })
    const first = await trial.up()
    await fake.until(() => fake.callsOf('users.conversations').length > 0 && fake.underWay === 1, 'what we are in')
    await first.stop()
    await fake.until(() => fake.sockets === 0, 'nobody to be there')
    fake.workspace.person('U0000CAROL', 'carol')
    fake.workspace.say(fake.workspace.im('U0000CAROL'), 'U0000CAROL', 'anybody there?')
    await trial.up()
    await book.hears('anybody there?')
    assert.deepEqual(book.texts(), ['anybody there?'])
  })

  test('a slash command is acknowledged in three seconds while the history is being fetched, and moves no backfill on', async t => {
    const trial = await Trial.open(t)
    const { fake, general, book } = trial
    const first = await trial.up()
    fake.workspace.say(general, alice, 'known')
    await book.hears('known')
    await first.stop()
    fake.workspace.say(general, alice, 'missed')
    fake.limit('conversations.history', { seconds: 4 })
    await trial.up()
    const tookMs = stopwatch()
    fake.envelope('slash_commands', {
      command: '/chanop',
      text: 'status',
      user_id: alice,
      user_name: 'alice',
      channel_id: general.id,
      team_id: 'T0000FAKE',
      trigger_id: 't1',
    })
    await book.hears('/status')
    // What was said meanwhile is not acknowledged before it is fetched.
    await fake.until(() => fake.unacknowledged <= 1, 'the acknowledgement')
    assert.ok(tookMs() < 3_000, `${tookMs()} ms`)
    assert.ok(!book.texts().includes('missed'))
    await book.hears('missed')
    await fake.until(() => fake.unacknowledged === 0, 'all acknowledgements')
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

describe('faults of the login', { concurrency: 4 }, () => {
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

  test('a connection that ends right after its hello is not made again at once, for ever', async t => {
    const trial = await Trial.open(t)
    await trial.up()
    trial.fake.hangUpAfterHello = true
    trial.fake.cut()
    const opened = () => trial.fake.callsOf('apps.connections.open')
    await trial.fake.until(() => opened().length >= 5, 'some tries')
    trial.fake.hangUpAfterHello = false
    const [, , third, fourth, fifth] = opened().map(({ atMs }) => atMs) as [number, number, number, number, number]
    assert.ok(
      fourth - third >= 450 && fifth - fourth >= 900,
      `${fourth - third} and ${fifth - fourth} ms between tries`,
    )
    trial.fake.workspace.say(trial.general, alice, 'after')
    await trial.book.hears('after')
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
