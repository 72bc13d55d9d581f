import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { randomText, seeded, seedOf } from '../../core/contract/random.ts'
import type { ChannelId, NetworkId } from '../../core/event.ts'
import { factsOf, type Heard } from './inbound.ts'
import { copyMark, profileKey, type RoomEvent, roomEvents } from './native.ts'
import { Room } from './rooms/room.ts'

const heard: Heard = {
  network: 'mx' as NetworkId,
  me: '@us:test.local',
  myNames: ['us', '(a+)+$', '@us:test.local'],
  place: { network: 'mx' as NetworkId, channel: '!r' as ChannelId },
  origin: 'live',
  name: () => null,
  given: () => undefined,
}

const event = (type: string, content: object, more: object = {}): RoomEvent => ({
  type,
  event_id: '$e',
  sender: '@alice:test.local',
  origin_server_ts: 1,
  content: content as RoomEvent['content'],
  ...more,
})

test('the homeservers of a room are told by its people, those of most first', () => {
  const room = new Room('!r')
  const joins = ['@a:one.org', '@b:two.org:8448', '@c:two.org:8448', 'nobody', '@d:three.org']
  for (const user of joins) room.follow(event('m.room.member', { membership: 'join' }, { state_key: user }))
  room.follow(event('m.room.member', { membership: 'leave' }, { state_key: '@d:three.org' }))
  assert.deepEqual(room.hosts, ['two.org:8448', 'one.org'])
})

const types = [
  'm.room.message',
  'm.reaction',
  'm.room.redaction',
  'm.room.member',
  'm.room.topic',
  'm.sticker',
  'm.poll.start',
].concat([
  'm.poll.end',
  'm.location',
  'm.call.invite',
  'toString',
  '',
  'm.room.encrypted',
  'org.matrix.msc3381.poll.start',
])
const keys = [
  'body',
  'msgtype',
  'format',
  'formatted_body',
  'url',
  'info',
  'm.relates_to',
  'm.new_content',
  'm.mentions',
  'rel_type',
]
  .concat([
    'event_id',
    'key',
    'user_ids',
    'filename',
    'geo_uri',
    'm.poll',
    'question',
    'answers',
    'm.text',
    'membership',
    'displayname',
  ])
  .concat([
    'redacts',
    'reason',
    'topic',
    'mimetype',
    'size',
    'w',
    'h',
    'hops',
    'displayname',
    'has_fallback',
    copyMark,
    profileKey,
  ])
const values = [
  'm.text',
  'm.image',
  'm.replace',
  'm.thread',
  'm.annotation',
  '$x',
  'mxc://a/b',
  'org.matrix.custom.html',
  'join',
  '@us:test.local',
]

/** Something that JSON can be, mostly of the shape that is read. */
function junk(random: () => number, depth: number): unknown {
  const pick = Math.floor(random() * (depth > 3 ? 6 : 9))
  if (pick === 0) return null
  if (pick === 1) return random() < 0.5
  if (pick === 2) return [-1, 0, 1e308, 2 ** 53, 0.5][Math.floor(random() * 5)]
  if (pick < 5) return values[Math.floor(random() * values.length)]
  if (pick === 5) return randomText(random, 6, true)
  if (pick === 6) return Array.from({ length: Math.floor(random() * 4) }, () => junk(random, depth + 1))
  const entries = Array.from({ length: Math.floor(random() * 6) }, () => [
    keys[Math.floor(random() * keys.length)],
    junk(random, depth + 1),
  ])
  return Object.fromEntries(entries) as object
}

test('whatever an event is, reading it ends and says who, where and when', () => {
  const seed = seedOf()
  const random = seeded(seed)
  let facts = 0
  for (let n = 0; n < 20_000; n++) {
    const content = junk(random, 0)
    const type = types[Math.floor(random() * types.length)] as string
    const one = {
      ...event(type, {}),
      content,
      unsigned: junk(random, 2),
      ...(random() < 0.2 ? { state_key: '@x:y' } : {}),
    }
    for (const read of roomEvents([one])) {
      for (const fact of factsOf(read, heard)) {
        facts++
        assert.ok(
          fact.key.startsWith('mx:$e') && fact.sender.id !== '' && fact.sender.name !== '',
          `CHANOP_SEED=${seed}`,
        )
        if (fact.kind === 'message') assert.ok(Array.isArray(fact.content.segments))
      }
    }
  }
  assert.ok(facts > 200, `only ${facts} facts: the junk is not like events`)
})

test('what is no event is none', () => {
  const broken = [null, 7, 'x', [], {}, { type: 'm.room.message' }, { ...event('m.room.message', {}), content: [] }]
  assert.deepEqual(roomEvents(broken), [])
  assert.deepEqual(roomEvents(undefined), [])
  assert.deepEqual(roomEvents('many' as never), [])
})

test('our own words, and what was deleted before it came, are no news', () => {
  const said = { msgtype: 'm.text', body: 'hi' }
  assert.deepEqual(factsOf(event('m.room.message', said, { sender: heard.me }), heard), [])
  assert.deepEqual(factsOf(event('m.room.message', {}, { unsigned: { redacted_because: {} } }), heard), [])
  assert.equal(factsOf(event('m.room.message', said), heard).length, 1)
})

test('names of ours that are patterns match themselves alone, in no time', () => {
  const body = `${'a'.repeat(30_000)}! hello (a+)+$ there`
  const [fact] = factsOf(
    event('m.room.message', { msgtype: 'm.text', body, 'm.mentions': { user_ids: [heard.me] } }),
    heard,
  )
  assert.ok(fact?.kind === 'message')
  assert.deepEqual(
    fact.content.segments.map(({ kind }) => kind),
    ['text', 'mention', 'text'],
  )
})

test('a time that is none is the nearest that is one', () => {
  const said = { msgtype: 'm.text', body: 'x' }
  for (const at of [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 0.5]) {
    const [fact] = factsOf(event('m.room.message', said, { origin_server_ts: at }), heard)
    assert.ok(
      Number.isSafeInteger(fact?.atMs) && !Number.isNaN(new Date(fact?.atMs ?? Number.NaN).getTime()),
      String(at),
    )
  }
})

test('a name is cut, whoever gave it', () => {
  const long = 'a'.repeat(60_000)
  const said = event('m.room.message', { msgtype: 'm.text', body: 'hi' })
  const faced = event('m.room.message', { msgtype: 'm.text', body: 'hi', [profileKey]: { displayname: long } })
  const came = event('m.room.member', { membership: 'join', displayname: long }, { state_key: '@bob:test.local' })
  const names = [said, faced, came].flatMap(each => factsOf(each, { ...heard, name: () => long }))
  assert.deepEqual(
    names.map(fact => fact.sender.name.length),
    [255, 255, 255],
  )
})
