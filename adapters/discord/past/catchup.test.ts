import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plain } from '../../../core/text/text.ts'
import type { DiscordFake } from '../testing/fake.ts'
import { type Channel, snowflake, type User } from '../testing/objects.ts'
import { hears, Suite, told } from '../testing/suite.ts'

let fake: DiscordFake
let general: Channel
let alice: User
const { trials, start, say } = Suite.open(suite => {
  ;({ fake, general, alice } = suite)
})

test('direct conversations: the first message of an unknown one is heard, and what was missed there is fetched', async () => {
  const first = await start()
  const { world } = fake
  const dora = world.user('dora', { global_name: 'Dora' })
  const direct = world.direct(dora)
  say('psst', {}, dora, direct)
  const event = await hears(first, /psst/)
  assert.equal(event.place.private, true)
  assert.equal(event.to, undefined)
  await trials.pop()?.stop()
  say('are you there?', {}, dora, direct)
  const second = await start({}, first.book)
  const missed = await hears(second, /are you there/)
  assert.deepEqual([missed.origin, missed.place.private], ['backfill', true])
})

test('after downtime all is fetched in order: the channel, active and archived threads, forum posts, edits and deletions', async () => {
  const { world } = fake
  const forum = world.channel('forum', 15)
  const first = await start({ channels: [general.id, forum.id] })
  const root = say('the root')
  const doomed = say('doomed')
  await hears(first, /doomed/)
  const thread = world.thread(general, { id: root.id, owner: alice.id })
  say('in it', {}, alice, thread)
  await hears(first, /in it/)
  await trials.pop()?.stop()
  say('while away 1')
  say('in it, too', {}, alice, thread)
  world.edit(root, 'the root, edited')
  const fresh = world.thread(general, { name: 'fresh', owner: alice.id })
  say('new thread', {}, alice, fresh)
  const put = world.thread(general, { name: 'put away', owner: alice.id })
  say('archived', {}, alice, put)
  put.archived = true
  const post = world.thread(forum, { name: 'question', owner: alice.id })
  say('a post', {}, alice, post)
  for (let n = 0; n < 230; n++) say(`many ${n}`)
  world.remove(doomed)
  say('while away 2')
  const second = await start({ channels: [general.id, forum.id] }, first.book)
  const texts = second.book.texts()
  const wanted = [
    'while away 1',
    'in it, too',
    'new thread',
    'archived',
    ...Array.from({ length: 230 }, (_, n) => `many ${n}`),
    'while away 2',
  ]
  assert.deepEqual(
    texts.filter(text => wanted.includes(text)),
    wanted,
    'each once, in order',
  )
  assert.equal((await hears(second, /^a post$/)).place.thread, post.id)
  assert.equal((await hears(second, /^new thread$/)).place.thread, fresh.id)
  assert.equal(told(second, 'edit').at(-1)?.target, root.id)
  assert.ok(
    second.book
      .messages()
      .filter(({ content }) => wanted.includes(plain(content)))
      .every(({ origin }) => origin === 'backfill'),
  )
  assert.equal(told(second, 'gap').length, 0)
})

test('posts of a forum that were put away while we were not there are fetched, however many, and old ones are not', async () => {
  const { world } = fake
  const forum = world.channel('support', 15)
  const ask = (words: string, atMs = Date.now()): Channel => {
    const post = world.thread(forum, { id: snowflake(atMs), name: words, owner: alice.id })
    say(words, {}, alice, post)
    return post
  }
  ask('long ago').archived = true
  const config = { channels: [general.id, forum.id] }
  const first = await start(config)
  const known = ask('known')
  await hears(first, /^known$/)
  await trials.pop()?.stop()
  known.archived = true
  const missed = Array.from({ length: 102 }, (_, n) => `post ${n}`)
  for (const [n, words] of missed.entries()) ask(words, Date.now() + 10 * n).archived = true
  const { book } = await start(config, first.book)
  assert.deepEqual(
    book.texts().filter(words => /^(post|known|long)/.test(words)),
    ['known', ...missed],
  )
})

test('a deletion during a short absence is found out, without history it is a gap', async () => {
  const trial = await start()
  const { world } = fake
  const [kept, doomed] = [say('kept'), say('doomed too')]
  await hears(trial, /doomed too/)
  fake.gateway.forgets = true
  await fake.offline(async () => {
    await trial.book.until(() => trial.adapter.status().state !== 'up', 'down')
    world.remove(doomed)
  })
  await trial.up()
  fake.gateway.forgets = false
  assert.deepEqual(
    told(trial, 'delete').map(({ target }) => target),
    [doomed.id],
  )
  assert.ok(kept)
  await trials.pop()?.stop()
  world.deny(general, 1n << 16n)
  say('nobody can fetch this')
  const blind = await start({}, trial.book)
  assert.match(told(blind, 'gap')[0]?.reason ?? '', /Read Message History/)
  assert.match(blind.adapter.status().troubles?.[0]?.reason ?? '', /lacks Read Message History/)
  world.deny(general, 0n)
})

test('a page that can not be had at once is asked for again, and none before it', async () => {
  const first = await start()
  say('known')
  await hears(first, /^known$/)
  await trials.pop()?.stop()
  for (let n = 0; n < 230; n++) say(`page ${n}`)
  let asked = 0
  fake.fails = (method, path) => {
    if (method !== 'GET' || !path.endsWith(`/channels/${general.id}/messages`)) return null
    return ++asked === 4 ? 500 : null
  }
  const second = await start({}, first.book)
  fake.fails = null
  assert.equal(second.book.texts().filter(text => text.startsWith('page ')).length, 230)
  assert.equal(asked, 5, 'the messages known already, three pages, and the last of them again')
})

test('without history nothing that was seen counts as deleted', async () => {
  const trial = await start()
  const { world } = fake
  say('stays')
  await hears(trial, /^stays$/)
  world.deny(general, 1n << 16n)
  fake.gateway.forgets = true
  await fake.offline(async () => {
    await trial.book.until(() => trial.adapter.status().state !== 'up', 'down')
    say('nobody can fetch this, too')
  })
  await trial.up()
  fake.gateway.forgets = false
  assert.deepEqual([told(trial, 'delete').length, told(trial, 'gap').length], [0, 1])
  world.deny(general, 0n)
})
