import { strict as assert } from 'node:assert'
import type { ChatEvent } from '../event.ts'
import { formatPlace } from '../event.ts'
import { awayNeeds, type Check, needs, type World } from './harness.ts'
import { randomText, seeded, seedOf } from './random.ts'

const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, n) => `n ${from + n}`)

async function sayAll(world: World, texts: readonly string[]): Promise<void> {
  for (const said of texts) await world.platform.say(said)
}

async function heardAll(world: World, texts: readonly string[]): Promise<void> {
  await world.book.until(() => texts.every(said => world.book.message(said)), `${texts.length} messages`)
  const heard = world.book.texts().filter(said => texts.includes(said))
  assert.deepEqual(heard, texts, 'each once, in the order in which they were said')
}

/** What people say, on its way to the ledger. */
export function inboundContract(check: Check): void {
  check('a message arrives with its sender, place, time and key', async world => {
    await world.start()
    await world.platform.say('hello there')
    const event = await world.book.hears('hello there')
    assert.equal(formatPlace(event.place), formatPlace(world.place))
    assert.ok(event.key.startsWith(`${world.place.network}:`), `the key ${event.key} begins with the network`)
    assert.ok(event.id.length > 0 && event.sender.id.length > 0 && event.sender.name.length > 0)
    assert.equal(event.sender.kind, 'person')
    assert.equal(event.origin, 'live')
    assert.ok(Math.abs(Date.now() - event.atMs) < 3_600_000, 'atMs is Unix milliseconds')
  })

  check('only a sender whom the platform vouches for is verified', async world => {
    await world.start()
    await world.platform.say('it is me')
    assert.equal((await world.book.hears('it is me')).sender.verified, true)
    if (!world.platform.strangers) return
    await world.platform.say('it is me too', 'stranger')
    assert.equal((await world.book.hears('it is me too')).sender.verified, false)
  })

  check('messages come once each and in order', async world => {
    await world.start()
    const many = numbers(0, world.platform.slow ? 60 : 200)
    await sayAll(world, many)
    await heardAll(world, many)
  })

  check('what the ledger refuses is offered again, and nothing is lost or overtaken', async world => {
    await world.start()
    await sayAll(world, numbers(0, 3))
    await heardAll(world, numbers(0, 3))
    world.book.reject(3)
    await sayAll(world, numbers(3, 20))
    await heardAll(world, numbers(0, 20))
  })

  check('texts of every script arrive whole', async world => {
    const seed = seedOf()
    const random = seeded(seed)
    await world.start()
    // What a platform does with spaces at the ends is its own affair.
    const texts = Array.from({ length: world.platform.slow ? 20 : 60 }, (_, n) =>
      `${n} ${randomText(random, 12)} ${n}`.normalize('NFC'),
    )
    await sayAll(world, texts)
    await sayAll(world, ['the end'])
    await world.book.hears('the end')
    const bare = (said: string): string => said.normalize('NFC').replace(/\s+/gu, '')
    assert.deepEqual(world.book.texts().slice(0, -1).map(bare), texts.map(bare), `CHANOP_SEED=${seed}`)
  })

  historyContract(check)

  check('edits, deletes and reactions of others arrive and name their message', async world => {
    const { platform, book } = world
    await world.start()
    await platform.say('first version')
    const { id } = await book.hears('first version')
    const about = async (kind: ChatEvent['kind']): Promise<void> => {
      const event = await book.until(() => book.facts.find(fact => fact.kind === kind), `the ${kind}`)
      assert.equal('target' in event ? event.target : undefined, id)
    }
    if (platform.react) await platform.react('👍').then(() => about('reaction'))
    if (platform.edit) await platform.edit('second version').then(() => about('edit'))
    if (platform.remove) await platform.remove().then(() => about('delete'))
    assert.equal(new Set(book.facts.map(({ key }) => key)).size, book.facts.length)
  })
}

function historyContract(check: Check): void {
  check('an event is upstream’s until the ledger has it: a crash before that brings it again', async world => {
    needs(world.platform.keepsHistory, 'kept history')
    const first = await world.start()
    await sayAll(world, ['safe'])
    await world.book.hears('safe')
    const release = world.book.hold()
    await world.platform.say('in flight')
    const flying = (): ChatEvent | undefined =>
      world.book.offered.findLast(event => event.kind === 'message' && event.id !== world.book.idOf('safe'))
    const before = await world.book.until(flying, 'the sink to be called')
    const stopped = first.stop()
    release('reject')
    await stopped
    assert.equal(world.book.message('in flight'), undefined)
    await world.start()
    const again = await world.book.hears('in flight')
    assert.equal(again.key, before.key, 'the same fact has the same key')
    assert.equal(again.id, before.kind === 'message' ? before.id : undefined)
    assert.equal(again.origin, 'backfill')
  })

  check('what is said while the connection is gone is fetched without a gap, or the gap is named', async world => {
    needs(world.platform.offline !== undefined, awayNeeds)
    await world.start()
    await sayAll(world, numbers(0, 5))
    await heardAll(world, numbers(0, 5))
    await world.platform.offline(() => sayAll(world, numbers(5, 25)))
    await world.platform.present()
    if (!world.platform.keepsHistory) {
      await world.book.until(() => world.book.facts.some(({ kind }) => kind === 'gap'), 'the gap to be named')
      await sayAll(world, ['back'])
      await world.book.hears('back')
      return
    }
    await sayAll(world, numbers(25, 30))
    await heardAll(world, numbers(0, 30))
    assert.equal(world.book.facts.filter(({ kind }) => kind === 'gap').length, 0, 'no gap is named where there is none')
    assert.equal(world.book.message('n 10')?.origin, 'backfill')
  })

  check('keys stay the same when the past is told again', async world => {
    needs(world.platform.keepsHistory && world.platform.retells !== false, 'kept history')
    const first = await world.start()
    await sayAll(world, numbers(0, 10))
    await heardAll(world, numbers(0, 10))
    await first.stop()
    const forgotten = world.book.rewind(4).filter(({ kind }) => kind === 'message')
    await world.start()
    await heardAll(world, numbers(0, 10))
    const told = world.book.messages().slice(4)
    const facts = (events: readonly ChatEvent[]): unknown[] =>
      events.map(event => [
        event.key,
        ...(world.platform.historyVouches === false ? [] : [event.sender.id, event.sender.verified, event.atMs]),
        'id' in event ? event.id : null,
      ])
    assert.deepEqual(facts(told), facts(forgotten))
    assert.deepEqual(new Set(told.map(({ origin }) => origin)), new Set(['backfill']))
  })
}
