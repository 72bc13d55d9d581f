import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import { type Place, text, type UserId } from '../../../core/event.ts'
import { recent } from '../../../core/ledger/record/events.ts'
import { sql } from '../../../core/ledger/sqlite.ts'
import { loneRoom } from '../../../core/rooms.ts'
import { say } from '../../../core/say.ts'
import { House } from '../../../test/house.ts'
import { runAdmin } from '../../admin/admin.ts'
import { runBridge } from '../run.ts'
import { settled, until } from '../testing.ts'

async function open(
  t: TestContext,
  { ephemeral = false, alone = false } = {},
): Promise<{ house: House; a: MemoryPlatform }> {
  const house = new House(t, {
    config: `
owner: a:olga
networks:
  a: { kind: memory, server: '{server}-a', channels: ['#hall', '#ops'], ephemeral: ${ephemeral} }
rooms:
  hall: { places: ['a:#hall'], open: true }
  ops: { places: ['a:#ops'] }
`,
  })
  await house.run('bridge', runBridge)
  if (!alone) await house.run('admin', runAdmin)
  const a = house.server('a')
  await a.ready()
  for (const channel of ['#hall', '#ops']) a.user('olga').join(channel)
  return { house, a }
}

/** What our bots said in a channel: `name: text`. */
const said = (a: MemoryPlatform, channel: string): string[] =>
  a.channel(channel).messages.flatMap(({ by, name, text }) => (by === 'chanop' ? [`${name}: ${text}`] : []))

const trace = 'admin: @olga: → in your DM'

/** An hour goes by for what was left. */
const earlier = "UPDATE event SET received_ms = received_ms - 3600000 WHERE key LIKE '%:say:aside.%'"

/** Asks, and waits for the answer in the direct conversation with admin. */
async function ask(house: House, a: MemoryPlatform, line: string, answer: RegExp, where = '#hall'): Promise<void> {
  const { seq } = a.user('olga').say(where, line)
  await a.user('olga').hears('@admin', answer, seq)
  await settled(house)
}

test('a private answer leaves a trace where it was asked: once an hour for each person and room', async t => {
  const { house, a } = await open(t)
  await ask(house, a, '!whoami', /account olga/)
  assert.deepEqual(said(a, '#hall'), [trace])
  await ask(house, a, '!can olga status', /^yes/)
  assert.deepEqual(said(a, '#hall'), [trace], 'not again')
  await ask(house, a, '!whoami', /account olga/, '#ops')
  assert.deepEqual(said(a, '#ops'), [trace], 'another room')
  await ask(house, a, '!whoami', /account olga/, '@admin')
  assert.equal(said(a, '#hall').length + said(a, '#ops').length, 2, 'asked in private there is none')
  await house.ledger.write(db => void sql(db, earlier).run())
  await ask(house, a, '!whoami', /account olga/)
  assert.deepEqual(said(a, '#hall'), [trace, trace], 'an hour later')
})

test('it is a notice that names the asker, and answers what they said', async t => {
  const { house, a } = await open(t)
  await ask(house, a, '!whoami', /account olga/)
  const asked = a.channel('#hall').messages.find(({ text }) => text === '!whoami')
  const left = a.channel('#hall').messages.find(({ by }) => by === 'chanop')
  assert.equal(left?.content.style, 'notice')
  assert.equal(left?.content.replyTo, asked?.id)
})

/** What answers the newest question in the hall, to olga alone. */
async function answering(house: House): Promise<(words: string) => Promise<unknown>> {
  const [asked] = await until(async () => {
    const found = await house.ledger.read(db => recent(db, 'hall', 1))
    return found.length > 0 && found
  }, 'the question')
  return words =>
    house.ledger.write(db => {
      const aside = { only: 'olga' as UserId, asideSeq: asked?.seq ?? 0 }
      say(
        db,
        { bot: 'admin', content: text(words), in: loneRoom(asked?.event.place as Place), ...aside, key: words },
        1,
      )
    })
}

test('a trace is there with the answer, not when it is looked for anyway, once a second', async t => {
  const { house, a } = await open(t, { alone: true })
  const olga = a.user('olga')
  const tookMs: number[] = []
  for (let n = 0; n < 5; n++) {
    const { seq } = olga.say('#hall', '!whoami')
    const answer = await answering(house)
    const sinceMs = performance.now()
    await answer(`answer ${n}`)
    await olga.hears('#hall', / → in your DM$/, seq)
    tookMs.push(performance.now() - sinceMs)
    await house.ledger.write(db => void sql(db, earlier).run())
  }
  assert.ok(tookMs.reduce((sum, ms) => sum + ms) < 2500, `${tookMs.join(', ')} ms`)
})

test('no trace before the answer was said, and none of one that was not', async t => {
  const { house, a } = await open(t, { alone: true })
  const olga = a.user('olga')
  olga.say('#hall', '!whoami')
  const answer = await answering(house)
  a.faults.refuseSends(1, 'send-refused')
  await answer('refused')
  await olga.hears('#hall', 'what was meant for you alone could not be said')
  await settled(house)
  assert.equal(a.transcript().includes('in your DM'), false)
  const release = a.faults.hold()
  await answer('held')
  assert.equal(said(a, '#hall').length, 1)
  release()
  await olga.hears('#hall', / → in your DM$/)
  assert.ok(olga.reads('@admin').some(({ text }) => text === 'held'))
})

test('where a private answer is shown in the place itself there is no trace', async t => {
  const { house, a } = await open(t, { ephemeral: true })
  const { seq } = a.user('olga').say('#hall', '!whoami')
  const heard = await a.user('olga').hears('#hall', /account olga/, seq)
  assert.equal(heard.only, 'olga')
  await settled(house)
  assert.ok(!a.transcript().includes('in your DM'))
})

test('one window: whoever answers speaks as admin, and in a direct conversation as the bot that was spoken to', async t => {
  const { house, a } = await open(t)
  const olga = a.user('olga')
  await ask(house, a, '!ignore list', /nobody is ignored/)
  const { seq } = olga.say('@scribe', '!whoami')
  await olga.hears('@scribe', /account olga/, seq)
  await ask(house, a, 'ignore list', /nobody is ignored/, '@admin')
  const speakers = olga.reads('@admin').filter(({ by }) => by === 'chanop')
  assert.deepEqual(
    speakers.map(({ name }) => name),
    ['admin', 'scribe', 'admin'],
  )
})
