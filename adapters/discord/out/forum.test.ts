import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Draft, type MessageId, text } from '../../../core/event.ts'
import type { DiscordFake } from '../testing/fake.ts'
import type { Channel } from '../testing/objects.ts'
import { Suite } from '../testing/suite.ts'
import { placeAt } from '../testing/trial.ts'

let fake: DiscordFake
const { start } = Suite.open(suite => {
  ;({ fake } = suite)
})

const bob = (said: string): Draft => ({ content: text(said), as: { name: 'Bob', relayed: true } })

for (const webhooks of [true, false])
  test(`a long text in a forum is one post, and is changed and taken away there (${webhooks ? 'faces' : 'none'})`, async () => {
    const forum = fake.world.channel('forum', 15)
    const { adapter } = await start({ webhooks, channels: [forum.id] })
    const place = placeAt(forum.id)
    const posts = (): Channel[] => [...fake.world.channels.values()].filter(each => each.parent_id === forum.id)
    const ids = await adapter.send(place, bob('long '.repeat(700)), 'f-1')
    const [post, ...others] = posts()
    assert.deepEqual([ids.length, post?.id, others], [2, ids[0], []])
    const there = () => fake.world.messages.get(post?.id ?? '') ?? []
    const thereIds = (): string[] => there().map(({ id }) => id)
    assert.deepEqual(thereIds(), ids)
    const grown = await adapter.edit?.(place, ids, bob('more '.repeat(1_000)), 'f-2')
    assert.deepEqual([grown?.length, thereIds()], [3, grown])
    assert.deepEqual(await adapter.edit?.(place, grown ?? [], bob('short'), 'f-3'), ids.slice(0, 1))
    await adapter.react?.(place, ids[0] as MessageId, { emoji: '👍' }, 'f-4')
    assert.deepEqual([there().length, there()[0]?.reactions.length], [1, 1])
    await adapter.remove?.(place, ids.slice(0, 1), undefined, 'f-5')
    assert.deepEqual(thereIds(), [])
  })

test('the first line of a post is its name', async () => {
  const forum = fake.world.channel('forum', 15)
  const { adapter } = await start()
  await adapter.channels?.join(placeAt(forum.id)).catch(() => undefined)
  const [posted] = await adapter.send(placeAt(forum.id), { content: text('A question\nwith details') }, 'f-6')
  const post = fake.world.channels.get(posted ?? '') as Channel
  assert.deepEqual([post.name, post.parent_id], ['A question', forum.id])
})
