import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { availableServers } from '../../adapters/irc/server/testing.ts'
import { synapseMissing } from '../../adapters/matrix/testing/synapse.ts'
import { burst } from './burst.ts'
import { downtimes } from './downtime.ts'
import { copyIn, type FiveRoom, openFive } from './room.ts'
import type { Copy, Side } from './sides.ts'

const missing =
  (await synapseMissing()) ?? (await availableServers()).find(({ kind }) => kind === 'inspircd')?.reason ?? null
const names = ['irc', 'dc', 'sl', 'tg', 'mx'] as const

describe('one room over five platforms', { skip: missing ?? false }, () => {
  let room: FiveRoom
  before(async () => {
    room = await openFive()
  })
  after(() => room?.close())
  const side = (name: string): Side => room.sides.find(({ network }) => network === name) as Side

  for (const from of names) {
    for (const to of names.filter(name => name !== from)) {
      it(`${from} → ${to}`, async () => {
        const [source, target] = [side(from), side(to)]
        const mark = `${from}-${to}`
        const wait = (fits: (copy: Copy) => boolean, what: string): Promise<Copy> =>
          copyIn(target, fits, `${mark}: ${what}`)
        const id = await source.say(`${mark} first`)
        const first = await wait(({ text }) => text.includes(`${mark} first`), 'a message')
        assert.match(first.text, new RegExp(`\\b${source.person}\\b`), 'with its name')
        await source.say(`${mark} reply`, id)
        const reply = await wait(({ text }) => text.includes(`${mark} reply`), 'a reply')
        // A webhook of Discord's can't reply: what it answers stands before it.
        if (to === 'dc' && from !== 'sl' && reply.answers === undefined)
          assert.match(reply.text, new RegExp(`> ${source.person}: ${mark} first`))
        else assert.equal(reply.answers, first.id)
        if (source.react) {
          await source.react(id, '👍')
          if (to !== 'irc')
            await wait(({ id: copy, reactions }) => copy === first.id && reactions.length > 0, 'a reaction')
        }
        if (source.edit) {
          await source.edit(id, `${mark} second`)
          const edited = await wait(({ text }) => text.includes(`${mark} second`), 'an edit')
          if (to === 'irc') assert.match(edited.text, /\(edited\) /)
          else assert.equal(edited.id, first.id)
        }
        if (source.share) {
          const bytes = new TextEncoder().encode(`${mark} bytes`)
          await source.share(`${mark} file`, bytes)
          if (to === 'irc') await wait(({ text }) => text.includes('five.bin'), 'the name of a file')
          else await wait(({ files }) => files.some(file => Buffer.compare(file, bytes) === 0), 'a file')
        }
        if (source.remove && to !== 'irc') {
          await source.remove(id)
          await source.say(`${mark} last`)
          await wait(({ text }) => text.includes(`${mark} last`), 'the last')
          await goneFrom(target, first.id)
        }
      })
    }
  }

  /** How long it takes until ten lines from IRC stand in these places, ms. */
  const spread = async (words: string, to: readonly Side[]): Promise<number> => {
    const startMs = performance.now()
    for (let n = 0; n < 10; n++) await side('irc').say(`${words} ${n}.`)
    await Promise.all(to.map(each => copyIn(each, ({ text }) => text.includes(`${words} 9.`), `${words}, the last`)))
    return performance.now() - startMs
  }

  for (const name of ['dc', 'sl', 'tg', 'mx'] as const) {
    it(`a storm of 429 on ${name} delays no other, and what it held back comes in order`, async t => {
      const stormed = side(name)
      const others = room.sides.filter(each => each !== stormed && each.network !== 'irc')
      const calmMs = await spread(`calm ${name}`, others)
      await copyIn(stormed, ({ text }) => text.includes(`calm ${name} 9.`), 'the last before the storm')
      const over = stormed.storm?.() as () => void
      const stormMs = await spread(`storm ${name}`, others)
      const before = await numbers(stormed, `storm ${name}`)
      over()
      t.diagnostic(`ten lines to the others: ${Math.round(calmMs)} ms, in the storm ${Math.round(stormMs)} ms`)
      await copyIn(stormed, ({ text }) => text.includes(`storm ${name} 9.`), 'the last after the storm')
      assert.deepEqual(before, [], 'it held')
      assert.deepEqual(
        await numbers(stormed, `storm ${name}`),
        Array.from({ length: 10 }, (_, n) => n),
      )
      assert.ok(stormMs < 3 * calmMs + 500, `${stormMs} ms in the storm, ${calmMs} ms before`)
    })
  }

  it('answers that are lost, and restarts, lose and double nothing', async t => {
    const senders = room.sides
    const all: string[] = []
    const say = async (words: string, sender: Side): Promise<void> => {
      all.push(words)
      await sender.say(words)
    }
    for (let n = 0; n < 5; n++) {
      for (const sender of senders) await say(`lost${n} ${sender.network}.`, sender)
      for (const each of senders) each.loseAnswer()
      await room.restart(async () => {
        for (const sender of senders) await say(`away${n} ${sender.network}.`, sender)
      })
    }
    for (const to of senders) {
      const wanted = all.filter(words => !words.endsWith(` ${to.network}.`))
      for (const words of wanted) await copyIn(to, ({ text }) => text.includes(words), words, 30_000)
      const copies = await to.copies()
      for (const words of wanted) {
        const came = copies.filter(({ text }) => text.includes(words))
        // Telegram can't be asked: what may be a repeat says so.
        const plain = came.filter(({ text }) => !/may|perhaps|again|repeat/i.test(text))
        assert.ok(
          plain.length <= 1 && came.length >= 1,
          `${to.network}: ${JSON.stringify(came.map(({ text }) => text))}`,
        )
      }
    }
    t.diagnostic(`resident: ${Math.round(process.memoryUsage().rss / 1e6)} MB, this suite and its fakes included`)
  })

  burst(() => room)
  downtimes(() => room)
})

const numbers = async (to: Side, word: string): Promise<number[]> =>
  (await to.copies()).flatMap(({ text }) => {
    const found = new RegExp(`${word} (\\d+)\\.`).exec(text)?.[1]
    return found === undefined ? [] : [Number(found)]
  })

async function goneFrom(target: Side, id: string): Promise<void> {
  const end = Date.now() + 45_000
  while ((await target.copies()).some(copy => copy.id === id)) {
    assert.ok(Date.now() < end, `${id} is still in ${target.network}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
