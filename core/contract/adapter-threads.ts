import { strict as assert } from 'node:assert'
import { ChanopError } from '../error.ts'
import { type Check, draft, needs, within } from './harness.ts'

/** Threads beside replies, whose reaction it is, and what one person alone sees. */
export function threadContract(check: Check): void {
  check('what stands in a thread names the message that opened it, and that alone is no reply', async world => {
    await world.start()
    needs(world.platform.sayInThread !== undefined, 'thread')
    await world.platform.say('the root')
    const root = await world.book.hears('the root')
    await world.platform.sayInThread('in the thread', 'the root')
    const { place, content } = await world.book.hears('in the thread')
    assert.equal(place.thread, root.id)
    assert.equal(place.channel, world.place.channel, 'the channel stays that of the root')
    assert.equal(content.replyTo, undefined)
  })

  check('a send to a thread lands there, and opens it where there is none yet', async world => {
    const { adapter } = await world.start()
    needs(adapter.limits.threads, 'thread')
    await world.platform.say('a root of alice')
    const { id: thread } = await world.book.hears('a root of alice')
    const place = { ...world.place, thread }
    await within(adapter.send(place, draft('ours in it'), 'thread-1'), 'send')
    await within(adapter.send(place, draft('and again'), 'thread-2'), 'send')
    await within(adapter.send(world.place, draft('outside'), 'thread-3'), 'send')
    assert.deepEqual(
      (await world.platform.seen()).map(({ text, thread }) => [text, thread]),
      [
        ['ours in it', 'a root of alice'],
        ['and again', 'a root of alice'],
        ['outside', undefined],
      ],
    )
  })

  check('a reaction is somebody’s: the one who takes theirs back is named', async world => {
    const { platform, book } = world
    await world.start()
    needs(
      platform.react !== undefined && platform.unreact !== undefined && platform.strangers,
      'reactions of several people',
    )
    await platform.say('who likes it?')
    const { id } = await book.hears('who likes it?')
    await platform.react('👍', 'alice')
    await platform.react('👍', 'stranger')
    await platform.unreact('👍', 'alice')
    const told = () => book.facts.filter(fact => fact.kind === 'reaction')
    await book.until(() => told().length === 3, 'three reactions')
    const [alice, stranger, back] = told()
    assert.ok(told().every(({ target }) => target === id))
    assert.notEqual(alice?.sender.id, stranger?.sender.id)
    assert.equal(back?.sender.id, alice?.sender.id)
    assert.deepEqual(
      told().map(({ removed }) => removed === true),
      [false, false, true],
    )
  })

  check(
    'what is for one person alone is seen by them alone, or refused as something that can’t be done',
    async world => {
      const { adapter } = await world.start()
      needs(adapter.sendEphemeral !== undefined, 'answer for one person')
      await world.platform.say('just me?')
      const { sender } = await world.book.hears('just me?')
      const said = adapter.sendEphemeral(world.place, sender.id, draft('just you'), 'only-1')
      const ids = await within(
        said.catch((error: unknown) => {
          assert.equal(error instanceof ChanopError ? error.code : error, 'unsupported')
          return null
        }),
        'sendEphemeral',
      )
      needs(ids !== null, 'way to answer one person alone without more')
      assert.ok(Array.isArray(ids))
      const seen = (await world.platform.seen()).filter(({ ephemeral }) => ephemeral)
      assert.deepEqual(
        seen.map(({ text }) => text),
        ['just you'],
      )
    },
  )
}
