import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { NativeCommand, NativeField } from '../../../core/adapter.ts'
import { upload } from '../../../core/contract/harness.ts'
import { ChanopError } from '../../../core/error.ts'
import { type MessageEvent, type MessageId, type Place, text, type UserId } from '../../../core/event.ts'
import { sleep } from '../../../core/retry.ts'
import { plain } from '../../../core/text/text.ts'
import { DiscordFake } from '../testing/fake.ts'
import type { Channel, User } from '../testing/objects.ts'
import { placeAt, Trial } from '../testing/trial.ts'
import { catalogueOf } from './catalogue.ts'

let fake: DiscordFake
let room: Channel
let alice: User
let trial: Trial

before(async () => {
  fake = await DiscordFake.start()
  alice = fake.world.user('alice', { global_name: 'Alice' })
  fake.world.enter(alice)
})
afterEach(() => trial.stop())
after(async () => {
  await fake.stop()
  assert.deepEqual(fake.faults, [])
})

const command = (name: string, hidden: boolean, fields: readonly NativeField[] = []): NativeCommand => ({
  name,
  bot: 'admin',
  summary: `does ${name}`,
  private: hidden,
  role: 'guest',
  fields,
})
const words = Array.from({ length: 40 }, (_, n) => `way-${n}`)
const commands = [
  command('status', false),
  command('whoami', true),
  command('role grant', true, [
    { name: 'who', type: 'person', required: true },
    { name: 'maxCount', type: 'integer', required: false, min: 1, max: 100 },
    { name: 'how', type: 'choice', required: false, choices: words },
    { name: 'dry', type: 'flag', required: false },
  ]),
  command('role list', false),
]

async function start(): Promise<void> {
  room = fake.world.channel('room')
  trial = await Trial.start(fake, { channels: [room.id] })
  await trial.adapter.announce?.(commands, AbortSignal.timeout(5_000))
}

async function asked(data: Record<string, unknown>, channel = room.id): Promise<{ event: MessageEvent; id: string }> {
  const { id } = fake.command(alice, channel, data)
  const event = await trial.book.until(() => trial.book.messages().find(message => message.id === id), 'the command')
  return { event, id }
}
const here = (): Place => placeAt(room.id)
const seen = () =>
  (fake.world.messages.get(room.id) ?? []).map(({ content, only }) => [content, only === undefined ? 'all' : 'alone'])
const answering = (said: string, id: string) => ({ content: { ...text(said), replyTo: id as MessageId } })

test('commands stand in the menu with typed options, and nothing is changed that is so already', async () => {
  await start()
  const shown = fake.world.commands as {
    name: string
    options?: { name: string; type: number; options?: object[] }[]
  }[]
  assert.deepEqual(shown.map(({ name }) => name).toSorted(), ['role', 'status', 'whoami'])
  const role = shown.find(({ name }) => name === 'role')
  assert.deepEqual(
    role?.options?.map(({ name, type }) => [name, type]),
    [
      ['grant', 1],
      ['list', 1],
    ],
  )
  const options = role?.options?.[0]?.options as {
    name: string
    type: number
    autocomplete?: boolean
    min_value?: number
  }[]
  assert.deepEqual(
    options.map(({ name, type, autocomplete, min_value: min }) => [name, type, autocomplete, min]),
    [
      ['who', 3, undefined, undefined],
      ['maxcount', 4, undefined, 1],
      ['how', 3, true, undefined],
      ['dry', 5, undefined, undefined],
    ],
  )
  const puts = (): number => fake.requests.filter(each => each.startsWith('PUT /applications')).length
  const before = puts()
  await trial.adapter.announce?.(commands, AbortSignal.timeout(5_000))
  assert.equal(puts(), before)
  await trial.adapter.announce?.(commands.slice(1), AbortSignal.timeout(5_000))
  assert.equal(puts(), before + 1)
})

test('what has no room in the menu is left out and told', () => {
  const many = Array.from({ length: 130 }, (_, n) => command(`c${n}`, false))
  const subs = Array.from({ length: 30 }, (_, n) => command(`big s${n}`, false))
  const { shown, left } = catalogueOf([...subs, ...many, command('Bad Name!', false), command('a b c', false)])
  assert.equal(shown.length, 100)
  assert.equal(left.length, 130 - 99 + 5 + 2)
  assert.equal(shown[0]?.options?.length, 25)
})

test('a public command is answered in its place, with everybody looking; a second answer too', async () => {
  await start()
  const { event, id } = await asked({ name: 'status' })
  assert.deepEqual(event.asked, { name: 'status', args: {} })
  assert.equal(plain(event.content), '/status')
  assert.deepEqual([event.sender.id, event.sender.verified, event.origin], [alice.id, true, 'live'])
  const ids = await trial.adapter.send(here(), answering('all is well', id), 'a-1')
  await trial.adapter.send(here(), answering('and more', id), 'a-2')
  assert.deepEqual(seen(), [
    ['all is well', 'all'],
    ['and more', 'all'],
  ])
  assert.equal(ids.length, 1)
  assert.deepEqual(await trial.adapter.find?.(here(), 'a-1', { do: 'send', ...answering('all is well', id) }), ids)
})

test('an answer brings its picture', async () => {
  await start()
  const { id } = await asked({ name: 'status' })
  const uploads = [{ ...upload('status.png', new Uint8Array(9)), type: 'image/png' }]
  await trial.adapter.send(here(), { ...answering('all is well', id), uploads }, 'picture-1')
  const [shown, ...more] = fake.world.messages.get(room.id) ?? []
  assert.deepEqual(
    [shown?.content, shown?.files.map(({ filename }) => filename), more],
    ['all is well', ['status.png'], []],
  )
})

test('a private command is answered to the asker alone; what is for them alone never shows to others', async () => {
  await start()
  const { event } = await asked({
    name: 'role',
    options: [
      {
        name: 'grant',
        type: 1,
        options: [
          { name: 'who', type: 3, value: `<@${alice.id}>` },
          { name: 'maxcount', type: 4, value: 3 },
          { name: 'dry', type: 5, value: true },
        ],
      },
    ],
  })
  assert.deepEqual(event.asked, { name: 'role grant', args: { who: `discord:${alice.id}`, maxCount: 3, dry: true } })
  await trial.adapter.sendEphemeral?.(here(), alice.id as UserId, { content: text('just you') }, 'e-1')
  await trial.adapter.sendEphemeral?.(here(), alice.id as UserId, { content: text('you again') }, 'e-2')
  assert.deepEqual(seen(), [
    ['just you', 'alone'],
    ['you again', 'alone'],
  ])
  await asked({ name: 'status' })
  await trial.adapter.sendEphemeral?.(here(), alice.id as UserId, { content: text('a private refusal') }, 'e-3')
  assert.deepEqual(seen().at(-1), ['a private refusal', 'alone'])
  assert.equal(
    seen().some(([said, who]) => said === '' && who === 'all'),
    false,
    'nothing goes on thinking',
  )
  await assert.rejects(
    async () => trial.adapter.sendEphemeral?.(here(), '100000000000000001' as UserId, { content: text('x') }, 'e-4'),
    { code: 'unsupported' },
  )
})

test('a private answer in parts goes on where it was when Discord asks to wait', async () => {
  await start()
  await asked({ name: 'status' })
  const long = Array.from({ length: 1500 }, (_, n) => `w${n}`).join(' ')
  const say = () => trial.adapter.sendEphemeral?.(here(), alice.id as UserId, { content: text(long) }, 'e-9')
  let posts = 0
  fake.fails = (method, path) => {
    if (method === 'POST' && path.startsWith('/webhooks/') && ++posts === 2)
      fake.storms.set('/webhooks/', { retryAfter: 4, scope: 'user' })
    return null
  }
  const refused = await Promise.resolve(say()).catch((error: unknown) => error)
  fake.fails = null
  fake.storms.clear()
  assert.ok(refused instanceof ChanopError && refused.code === 'send-later')
  await sleep(refused.afterMs ?? 0)
  await say()
  assert.equal(
    seen()
      .map(([said]) => said)
      .join(' ')
      .replace(/\s+/g, ' '),
    long,
  )
  assert.ok(seen().every(([, who]) => who === 'alone'))
})

test('a public answer to a private command is said as a message', async () => {
  await start()
  const { id } = await asked({ name: 'whoami' })
  await trial.adapter.send(here(), answering('for all', id), 'p-1')
  assert.deepEqual(seen().at(-1), ['for all', 'all'])
})

test('while somebody types, what begins alike is offered', async () => {
  await start()
  fake.command(
    alice,
    room.id,
    {
      name: 'role',
      options: [{ name: 'grant', type: 1, options: [{ name: 'how', type: 3, value: 'Way-3', focused: true }] }],
    },
    4,
  )
  fake.gateway.onConnection = () => undefined
  await trial.book.until(
    () => (fake.routes.suggested.length > 0 ? true : void setImmediate(() => trial.book.changed())),
    'choices',
  )
  assert.deepEqual(
    fake.routes.suggested.at(-1),
    ['way-3', ...words.slice(30, 40)].map(name => ({ name, value: name })),
  )
})

test('an answer that was lost on its way is not known, and labelled as a repeat', async () => {
  await start()
  const { id } = await asked({ name: 'status' })
  fake.loses = (method, path) => method === 'POST' && path.startsWith(`/webhooks/${fake.world.self.id}`)
  await assert.rejects(trial.adapter.send(here(), answering('perhaps', id), 'l-1'), { code: 'network-down' })
  assert.equal(await trial.adapter.find?.(here(), 'l-1', { do: 'send', ...answering('perhaps', id) }), 'cannot-tell')
})

test('after a crash an answer that may be out is not known, one that is not there was never said', async () => {
  await start()
  const { book } = trial
  const [first, second] = [await asked({ name: 'status' }), await asked({ name: 'status' })]
  await trial.adapter.send(here(), answering('all is well', first.id), 'c-1')
  await trial.stop()
  trial = await Trial.start(fake, { channels: [room.id] }, { book })
  const find = (id: string, more: object) =>
    trial.adapter.find?.(here(), id, { do: 'send', ...answering('all is well', first.id), ...more })
  assert.equal(await find('c-1', {}), 'cannot-tell')
  assert.equal(await find('c-2', answering('and this', second.id)), 'not-sent', 'that shows that we are at work')
  assert.equal(await find('c-3', { only: alice.id as UserId }), 'cannot-tell')
  await trial.adapter.send(here(), { content: text('as a message') }, 'c-4')
  assert.equal(await find('c-1', {}), 'cannot-tell', 'something was said behind it')
  assert.equal(await find('c-5', { as: { name: 'Bob', relayed: true } }), 'not-sent')
})

test('a command in a direct conversation, and one whose token is not good any more', async () => {
  await start()
  const direct = fake.world.direct(alice)
  const { event } = await asked({ name: 'status' }, direct.id)
  assert.equal(event.place.private, true)
  const { id } = await asked({ name: 'status' })
  fake.interactions.clear()
  await trial.adapter.send(here(), answering('late', id), 'x-1')
  assert.equal((fake.world.messages.get(room.id) ?? []).at(-1)?.content, 'late')
})
