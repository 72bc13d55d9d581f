import { strict as assert } from 'node:assert'
import type { Adapter } from '../adapter.ts'
import { ChanopError } from '../error.ts'
import type { MessageId, Place } from '../event.ts'
import { deadline, sleep } from '../retry.ts'
import { graphemesOf } from '../text/graphemes.ts'
import { awayNeeds, type Check, draft, needs, type World, within } from './harness.ts'
import { randomText, seeded, seedOf } from './random.ts'

const bare = (said: string): string => said.replace(/\s+/gu, '')
const letters = (said: string): string => said.toWellFormed().replace(/\P{L}/gu, '')
const seenTexts = async (world: World): Promise<string[]> => (await world.platform.seen()).map(({ text }) => text)

const send = (world: World, adapter: Adapter, said: string, id: string): Promise<readonly MessageId[]> =>
  within(adapter.send(world.place, draft(said), id), 'send to be answered')

/** What our bots say, on its way to the platform. */
export function outboundContract(check: Check): void {
  check('what is sent is seen, has native ids, and does not come back as an event', async world => {
    const { adapter } = await world.start()
    const ids = [...(await send(world, adapter, 'hello', 'd-1')), ...(await send(world, adapter, 'hello', 'd-2'))]
    assert.equal(ids.length, 2)
    assert.equal(new Set(ids).size, 2, 'the same text sent twice is two messages')
    assert.deepEqual(await seenTexts(world), ['hello', 'hello'])
    await world.platform.say('and you?')
    await world.book.hears('and you?')
    assert.deepEqual(world.book.texts(), ['and you?'])
  })

  check('as many sends as it allows at once keep the order of the calls', async world => {
    const { adapter } = await world.start()
    const said = Array.from({ length: world.platform.slow ? 25 : 100 }, (_, n) => `p ${n}`)
    const width = adapter.pipelined ?? 1
    for (let at = 0; at < said.length; at += width) {
      const some = said.slice(at, at + width)
      await Promise.all(some.map((each, n) => send(world, adapter, each, `pipe-${at + n}`)))
    }
    assert.deepEqual(await seenTexts(world), said)
  })

  check('a send that has to wait takes back those behind it', async world => {
    needs(world.platform.refuseOnce !== undefined, 'refusal on demand')
    const { adapter } = await world.start()
    needs((adapter.pipelined ?? 1) >= 3, 'pipelining')
    await world.platform.refuseOnce()
    const results = await Promise.allSettled(['a', 'b', 'c'].map(said => send(world, adapter, said, `wait-${said}`)))
    const sent = await seenTexts(world)
    for (const [at, result] of results.entries()) {
      if (result.status === 'rejected') assert.equal((result.reason as ChanopError).code, 'send-later')
      else assert.equal(sent[at], ['a', 'b', 'c'][at], 'nothing overtakes what has to wait')
    }
    assert.equal(results[0]?.status, 'rejected')
  })

  splittingContract(check)
  reconcilingContract(check)
  actsContract(check)
}

function splittingContract(check: Check): void {
  check('a long text becomes several messages, none too long, and nothing of it is lost', async world => {
    const { adapter } = await world.start()
    needs(Number.isFinite(adapter.limits.textBytes), 'longest message')
    const said = Array.from({ length: adapter.limits.textBytes }, (_, n) => `w${n}`).join(' ')
    const ids = await send(world, adapter, said.slice(0, adapter.limits.textBytes * 3), 'long-1')
    const parts = await seenTexts(world)
    assert.ok(ids.length > 1, 'it took more than one message')
    assert.equal(parts.length, ids.length, 'every native id is given')
    for (const part of parts) assert.ok(Buffer.byteLength(part) <= adapter.limits.textBytes, `${part} is too long`)
    assert.equal(bare(parts.join('')), bare(said.slice(0, adapter.limits.textBytes * 3)))
  })

  check('no cut goes through a grapheme', async world => {
    const { adapter } = await world.start()
    needs(Number.isFinite(adapter.limits.textBytes), 'longest message')
    const clusters = ['👨‍👩‍👧‍👦', '🇩🇪', '👍🏽', 'e\u0301', 'ß', 'क्षि', '日', 'x']
    let said = ''
    for (let n = 0; Buffer.byteLength(said) < adapter.limits.textBytes * 2.5; n++) said += clusters[n % clusters.length]
    await send(world, adapter, said, 'cluster-1')
    const parts = await seenTexts(world)
    const cut = (whole: string): string[] => [...graphemesOf(whole)].map(({ segment }) => segment)
    assert.ok(parts.length > 1)
    assert.deepEqual(parts.flatMap(cut), cut(said))
  })

  check('control characters do nothing: no line is broken, no command forged, no letter lost', async world => {
    const seed = seedOf()
    const random = seeded(seed)
    const { adapter } = await world.start()
    const said = [
      'a\r\nQUIT :gone\r\nb',
      'nul\u0000nul',
      '\u0001ACTION waves\u0001',
      '\u0001VERSION\u0001',
      'esc\u001b[2J',
      '\ud800lone',
    ]
    said.push(...Array.from({ length: world.platform.slow ? 20 : 60 }, () => `q${randomText(random, 10, true)}q`))
    for (const [n, each] of said.entries()) await send(world, adapter, each, `control-${n}`)
    const seen = await seenTexts(world)
    for (const each of seen) assert.doesNotMatch(each, /[\u0000\u0001\r]/, `CHANOP_SEED=${seed}`)
    assert.equal(letters(seen.join('')), letters(said.join('')), `CHANOP_SEED=${seed}`)
    assert.equal(adapter.status().state, 'up')
  })

  check('a draft with nothing to show is refused for good or sent, and hurts nobody', async world => {
    const { adapter } = await world.start()
    for (const [n, said] of ['', ' ', '\r\n', '\u0000'].entries()) {
      await send(world, adapter, said, `empty-${n}`).catch((error: unknown) => {
        assert.ok(error instanceof ChanopError)
        assert.equal(error.retry, 'never')
      })
    }
    await send(world, adapter, 'still here', 'empty-after')
    assert.equal((await seenTexts(world)).at(-1), 'still here')
  })
}

function reconcilingContract(check: Check): void {
  check('without a connection a send is to be tried later', async world => {
    needs(world.platform.offline !== undefined, awayNeeds)
    const { adapter } = await world.start()
    await world.platform.offline(async () => {
      await world.book.until(() => adapter.status().state !== 'up', 'the status to leave up')
      await assert.rejects(send(world, adapter, 'nobody hears', 'off-1'), (error: unknown) => {
        assert.ok(error instanceof ChanopError)
        assert.equal(error.retry, 'later')
        return true
      })
    })
    await world.up(adapter)
    await world.platform.present()
    await send(world, adapter, 'heard', 'off-2')
    assert.deepEqual(await seenTexts(world), ['heard'])
  })

  check('after a lost answer the platform is asked, and never says that nothing was sent', async world => {
    const { adapter } = await world.start()
    needs(world.platform.loseAnswer !== undefined && adapter.find !== undefined, 'answer to lose or to find')
    await send(world, adapter, 'known', 'lost-1')
    await world.platform.loseAnswer()
    await assert.rejects(send(world, adapter, 'perhaps', 'lost-2'), { name: 'ChanopError', code: 'network-down' })
    await world.up(adapter)
    await world.platform.present()
    const ask = (id: string, said: string) => adapter.find?.(world.place, id, { do: 'send', ...draft(said) })
    const found = await ask('lost-2', 'perhaps')
    assert.notEqual(found, 'not-sent')
    if (typeof found !== 'string') assert.equal(found?.length, 1)
    assert.equal(typeof (await ask('lost-3', 'never said')), 'string')
    const known = await ask('lost-1', 'known')
    assert.notEqual(known, 'not-sent')
    assert.deepEqual(await seenTexts(world), ['known', 'perhaps'])
  })

  check('a restarted process can ask for what the former one sent', async world => {
    const first = await world.start()
    needs(first.adapter.find !== undefined, 'find')
    const ids = await send(world, first.adapter, 'from before', 'restart-1')
    await first.stop()
    const { adapter } = await world.start()
    const found = await adapter.find?.(world.place, 'restart-1', { do: 'send', ...draft('from before') })
    if (typeof found === 'string') assert.equal(found, 'cannot-tell')
    else assert.deepEqual(found, ids)
  })
}

function actsContract(check: Check): void {
  check('an edit changes all parts, and doing it again changes nothing more', async world => {
    const { adapter } = await world.start()
    needs(adapter.edit !== undefined, 'edit')
    const ids = await send(world, adapter, 'one two three', 'edit-1')
    const edited = await adapter.edit(world.place, ids, draft('four'), 'edit-2')
    await adapter.edit(world.place, edited, draft('four'), 'edit-2')
    assert.deepEqual(
      (await world.platform.seen()).filter(({ deleted }) => !deleted).map(({ text }) => text),
      ['four'],
    )
  })

  check('what one edit makes longer and shorter again and again is there as a whole', async world => {
    const { adapter } = await world.start()
    needs(adapter.edit !== undefined, 'edit')
    const bytes = Math.min(adapter.limits.textBytes, 60_000)
    let ids = await send(world, adapter, 'it begins', 'grow-1')
    for (const times of [1.3, 2.3, 0.2, 1.7]) {
      const said = Array.from({ length: Math.ceil((bytes * times) / 8) }, (_, n) => `w${n + 1_000_000}`).join(' ')
      ids = await within(adapter.edit(world.place, ids, draft(said), 'grow-2'), 'edit to be done')
      const seen = (await world.platform.seen()).filter(({ deleted }) => !deleted).map(({ text }) => text)
      assert.equal(new Set(ids).size, ids.length)
      // `ok` and not `equal`: what differs is too long to be shown.
      assert.ok(bare(seen.join('')) === bare(said), `${times}: ${seen.length} messages`)
    }
  })

  check('a deletion takes away all parts, and what is gone may be deleted again', async world => {
    const { adapter } = await world.start()
    needs(adapter.remove !== undefined, 'remove')
    const ids = await send(world, adapter, 'a mistake', 'remove-1')
    await adapter.remove(world.place, ids, 'a mistake', 'remove-2')
    await adapter.remove(world.place, ids, undefined, 'remove-2')
    assert.deepEqual(
      (await world.platform.seen()).filter(({ deleted }) => !deleted),
      [],
    )
  })

  check('a reaction shows and can be taken back', async world => {
    const { adapter } = await world.start()
    needs(adapter.react !== undefined, 'react')
    const [id] = await send(world, adapter, 'do you like it?', 'react-1')
    assert.ok(id)
    const shown = async (): Promise<readonly string[] | undefined> => (await world.platform.seen())[0]?.reactions
    await adapter.react(world.place, id, { emoji: '👍' }, 'react-2')
    await adapter.react(world.place, id, { emoji: '👍' }, 'react-2')
    assert.deepEqual(await shown(), ['👍'])
    await adapter.react(world.place, id, { emoji: '👍', removed: true }, 'react-3')
    assert.deepEqual(await shown(), [])
  })

  check('a reply names its message and is seen', async world => {
    const { adapter } = await world.start()
    await world.platform.say('a question')
    const { id: replyTo } = await world.book.hears('a question')
    const content = { ...draft('an answer').content, replyTo }
    await adapter.send(world.place, { content }, 'reply-1')
    assert.match((await seenTexts(world)).at(-1) ?? '', /an answer/)
  })

  check('a person can be reached in private', async world => {
    const { adapter } = await world.start()
    needs(adapter.direct !== undefined && !world.place.private, 'direct conversation beside the place')
    await world.platform.say('call me')
    const { sender } = await world.book.hears('call me')
    const place = await adapter.direct(sender.id)
    assert.equal(place.private, true)
    assert.equal(place.network, world.place.network)
    assert.notEqual(place.channel, world.place.channel)
    await adapter.send(place, draft('between us'), 'direct-1')
    assert.deepEqual(await seenTexts(world), [], 'what is said in private is not seen in the room')
  })

  check(
    'what grows is shown in a direct conversation until it is said, once; elsewhere that hurts nobody',
    async world => {
      const { adapter } = await world.start()
      const { platform } = world
      needs(
        adapter.stream !== undefined && platform.direct !== undefined,
        'messages that are shown before they are said',
      )
      const direct = () => platform.direct?.()
      await world.platform.say('tell me')
      const { sender } = await world.book.hears('tell me')
      const place = (await adapter.direct?.(sender.id)) as Place
      const shown = async (wanted: string): Promise<void> => {
        const end = deadline(10_000)
        while ((await direct())?.shown !== wanted && !end.aborted) await sleep(5, end)
        assert.deepEqual(await direct(), { said: [], shown: wanted })
      }
      for (const words of ['once …', 'once upon …', 'once upon a time …']) {
        assert.equal(adapter.stream(place, { ...draft(words), growing: true }, 'grows'), true)
      }
      await shown('once upon a time …')
      const long = `${'word '.repeat(adapter.limits.textBytes)}end …`
      assert.equal(adapter.stream(place, { ...draft(long), growing: true }, 'grows'), true, 'more than one message')
      assert.equal((await within(adapter.send(place, draft('once upon a time.'), 'grows'), 'send')).length, 1)
      await send(world, adapter, 'elsewhere', 'other')
      assert.deepEqual(await direct(), { said: ['once upon a time.'], shown: null })
      if (!adapter.stream(world.place, { ...draft('in a room …'), growing: true }, 'room'))
        await send(world, adapter, 'in a room', 'room')
      assert.ok((await seenTexts(world)).every(text => !text.endsWith('…')))
      assert.deepEqual(world.book.texts(), ['tell me'])
    },
  )

  check('typing and away never fail', async world => {
    const { adapter } = await world.start()
    adapter.typing?.(world.place, 'oracle', true)
    adapter.typing?.(world.place, 'oracle', false)
    adapter.away?.('oracle', 'its process is not running')
    adapter.away?.('oracle', null)
    await send(world, adapter, 'fine', 'typing-1')
  })
}
