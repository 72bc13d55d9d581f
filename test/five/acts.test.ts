/** What is done to messages later, by several people, over restarts, and to what is not whole any more. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Message } from '../../adapters/discord/testing/objects.ts'
import { availableServers } from '../../adapters/irc/server/testing.ts'
import { synapseMissing } from '../../adapters/matrix/testing/synapse.ts'
import { settled } from '../../bots/bridge/testing.ts'
import { sleep } from '../../core/retry.ts'
import { copyIn, type FiveRoom, openFive } from './room.ts'
import type { Copy, discordSide, Side, slackSide } from './sides.ts'

const missing =
  (await synapseMissing()) ?? (await availableServers()).find(({ kind }) => kind === 'inspircd')?.reason ?? null

describe('what is done to messages', { skip: missing ?? false }, () => {
  let room: FiveRoom
  before(async () => {
    room = await openFive()
  })
  after(() => room?.close())
  const side = (name: string): Side => room.sides.find(({ network }) => network === name) as Side
  const discord = () => side('dc') as Awaited<ReturnType<typeof discordSide>>
  const slack = () => side('sl') as Awaited<ReturnType<typeof slackSide>>
  const has =
    (words: string) =>
    ({ text }: Copy): boolean =>
      text.includes(words)
  const wait = (name: string, words: string): Promise<Copy> => copyIn(side(name), has(words), `${name}: ${words}`)
  const until = async (look: () => Promise<boolean> | boolean, what: string): Promise<void> => {
    const end = Date.now() + 45_000
    while (!(await look())) {
      assert.ok(Date.now() < end, what)
      await sleep(20)
    }
  }

  it('an answer to the second part of a long text answers the text', async () => {
    const long = `part-one ${'lorem ipsum '.repeat(300)} part-two`
    const id = await side('mx').say(long)
    const second = await wait('dc', 'part-two')
    assert.ok(!second.text.includes('part-one'))
    // A person reads before they answer: until then it is on record what the copies are called.
    await settled(room.house)
    await side('dc').say('to the second part', second.id)
    assert.equal((await wait('sl', 'to the second part')).answers, (await wait('sl', 'part-one')).id)
    assert.equal((await wait('mx', 'to the second part')).answers, id)
  })

  it('answers to what is older than the bridge, or gone, are said', async () => {
    const { fake, channel } = discord()
    const { world } = fake
    const where = world.channels.get(channel) as never
    const dora = world.user('dora')
    for (const [words, message_id] of [
      ['to something old', '100000000000000001'],
      ['to nothing', '1'],
    ] as const)
      world.post(where, dora, { content: words, type: 19, reference: { message_id, channel_id: channel } } as never)
    for (const to of ['sl', 'tg', 'mx']) {
      await wait(to, 'to something old')
      assert.equal((await wait(to, 'to nothing')).answers, undefined)
    }
    const gone = await side('dc').say('soon gone')
    await wait('mx', 'soon gone')
    await side('dc').remove?.(gone)
    await side('dc').say('to what is gone', gone)
    await wait('mx', 'to what is gone')
  })

  it('two react and one takes it back: ours stays until the last has', async () => {
    const { fake } = discord()
    const { world } = fake
    const [dora, dirk] = [world.user('dora'), world.user('dirk')]
    world.enter(dirk)
    const id = await side('dc').say('react to me')
    await wait('mx', 'react to me')
    const native = (): Message => [...world.messages.values()].flat().find(message => message.id === id) as Message
    const shown = async (): Promise<number> => (await wait('mx', 'react to me')).reactions.length
    for (const user of [dora, dirk]) world.react(native(), user, { id: null, name: '👍' })
    await until(async () => (await shown()) === 1, 'ours')
    world.react(native(), dora, { id: null, name: '👍' }, true)
    await side('dc').say('one has taken it back')
    await wait('mx', 'one has taken it back')
    assert.equal(await shown(), 1)
    await room.restart()
    await until(async () => {
      await side('dc').say('back again')
      return (await side('mx').copies()).some(has('back again'))
    }, 'the bridge to be back')
    world.react(native(), dirk, { id: null, name: '👍' }, true)
    await until(async () => (await shown()) === 0, 'none of ours')
    world.react(native(), dora, { id: '100000000000000077', name: 'blob' })
    await side('dc').say('after a custom one')
    await wait('mx', 'after a custom one')
  })

  it('a copy that is deleted in one place is gone in all, comes back by no edit, and keeps up nothing', async () => {
    const id = await side('mx').say('to be deleted there')
    const places = ['dc', 'sl', 'tg'] as const
    const [inDiscord, inSlack] = await Promise.all(places.map(to => wait(to, 'to be deleted there')))
    const { world } = discord().fake
    world.remove([...world.messages.values()].flat().find(message => message.id === inDiscord?.id) as Message)
    const { workspace } = slack().fake
    workspace.remove(workspace.channels.get(slack().channel) as never, inSlack?.id ?? '')
    await until(async () => !(await side('tg').copies()).some(has('to be deleted there')), 'the third')
    await side('mx').edit?.(id, 'edited after that')
    await side('mx').say('and on it goes')
    for (const to of places) {
      await wait(to, 'and on it goes')
      assert.ok(!(await side(to).copies()).some(has('edited after that')), to)
    }
  })

  it('an edit that grows and shrinks a text is so everywhere, and over a restart', async () => {
    const id = await side('mx').say('short to begin with')
    for (const to of ['dc', 'sl', 'tg']) await wait(to, 'short to begin with')
    await side('mx').edit?.(id, `grown ${'x y '.repeat(3000)} end-of-it`)
    for (const to of ['dc', 'sl', 'tg']) await wait(to, 'end-of-it')
    await room.restart()
    await side('mx').edit?.(id, 'short in the end')
    for (const to of ['dc', 'sl', 'tg']) {
      await wait(to, 'short in the end')
      await until(
        async () => !(await side(to).copies()).some(({ text }) => /end-of-it|x y x y|grown/.test(text)),
        `${to}: all parts`,
      )
    }
  })

  it('a thread is one on each side that has threads, whichever side opened it', async () => {
    const { world } = discord().fake
    const root = await side('dc').say('a root for a thread')
    await wait('sl', 'a root for a thread')
    const thread = world.thread(world.channels.get(discord().channel) as never, { id: root, name: 'talk' })
    world.post(thread, world.user('dora'), { content: 'inside of it' } as never)
    const [inSlack, inMatrix] = [await wait('sl', 'inside of it'), await wait('mx', 'inside of it')]
    assert.equal(inSlack.answers, (await wait('sl', 'a root for a thread')).id)
    assert.equal(inMatrix.answers, (await wait('mx', 'a root for a thread')).id)
    const { workspace } = slack().fake
    const channel = workspace.channels.get(slack().channel) as never
    workspace.say(channel, 'U00000000SAM', 'from within Slack', { thread_ts: inSlack.answers as string })
    assert.equal((await wait('dc', 'from within Slack')).answers, root)
  })
})
