import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Role } from '../../core/access/role.ts'
import { maySee, visibleTo } from '../../core/access/visibility.ts'
import type { Sender } from '../../core/event.ts'
import { type Person, personFor } from '../../core/ledger/people/people.ts'
import { grant } from '../../core/ledger/people/roles.ts'
import { after } from '../../core/ledger/record/events.ts'
import { Rooms } from '../../core/rooms.ts'
import { SearchIndex } from './index/index.ts'
import { search } from './index/search.ts'
import { parseTerms } from './index/words.ts'
import { ear, folder, joined, ledgerIn, person, placeAt, record, said, startMs } from './testing.ts'

const rooms = {
  general: { places: ['irc:#general', 'memory:hall'], open: true, joins: true },
  ops: { places: ['irc:#ops', 'memory:ops'], open: false, joins: true },
  team: { places: ['irc:#team'], open: false, joins: true },
}
const spoken = {
  general: 'irc:#general',
  hall: 'memory:hall',
  ops: 'irc:#ops',
  opsElsewhere: 'memory:ops',
  team: 'irc:#team',
  lone: 'irc:#lone',
  aliceDm: 'irc:@alice',
  aliceOtherDm: 'irc:@alice/oracle',
  bobDm: 'irc:@bob',
} as const
type Where = keyof typeof spoken

async function setUp(t: TestContext) {
  const data = folder(t)
  const ledger = ledgerIn(t, data)
  const index = SearchIndex.open(join(data, 'search.db'), ear())
  t.after(() => index.close())
  const names = Object.keys(spoken) as Where[]
  const stored = await record(
    ledger,
    names.map(name => said(spoken[name], 'zoe', `needle of ${name}`)),
    rooms,
  )
  await ledger.read(db => index.take(db, after(db, 0, 100)))
  const asPerson = (sender: Sender, role?: Role, room = ''): Promise<Person> =>
    ledger.write(db => {
      const made = personFor(db, 'irc' as never, sender.id, sender.name, startMs)
      if (role) grant(db, { person: made, room, role, untilMs: null }, 'test', startMs)
      return made
    })
  /** What somebody can see, by both ways there are: fact by fact and through the index. */
  const sees = async (sender: Sender, from: Where, who: Person | null = null, audience?: 'place' | 'asker') => {
    const place = placeAt(spoken[from])
    const by = audience ?? (place.private ? 'asker' : 'place')
    return ledger.read(async db => {
      const visible = visibleTo(db, { sender, person: who, place, audience: by }, new Rooms(rooms), startMs)
      const direct = names.filter((_, n) => maySee(visible, stored[n] as never))
      for (const written of ['needle', '']) {
        const { seqs } = await search(index.db, db, { terms: parseTerms(written) }, visible, 100)
        assert.deepEqual(
          seqs.toReversed().map(seq => names[seq - 1]),
          direct,
        )
      }
      return direct
    })
  }
  return {
    ledger,
    sees,
    asPerson,
    join: (where: Where, who: Sender) => ledger.write(db => joined(db, spoken[where], who)),
  }
}

const alice = person('alice')

test('a stranger sees open rooms and the room they speak in, nothing else', async t => {
  const { sees } = await setUp(t)
  assert.deepEqual(await sees(person('eve'), 'general'), ['general', 'hall'])
  assert.deepEqual(await sees(person('eve'), 'ops'), ['general', 'hall', 'ops', 'opsElsewhere'])
  assert.deepEqual(await sees(person('eve'), 'bobDm'), ['general', 'hall', 'bobDm'])
})

test('a member sees their rooms when the answer is for them alone, and no private place but the one they ask in', async t => {
  const { sees, join } = await setUp(t)
  await join('opsElsewhere', alice)
  await join('team', alice)
  await join('lone', alice)
  await join('aliceDm', alice)
  await join('bobDm', alice)
  // Membership is by network: this alice is another one on the network of ops' other place.
  assert.deepEqual(await sees(alice, 'aliceDm'), ['general', 'hall', 'team', 'lone', 'aliceDm'])
  await join('ops', alice)
  assert.deepEqual(await sees(alice, 'aliceDm'), ['general', 'hall', 'ops', 'opsElsewhere', 'team', 'lone', 'aliceDm'])
  assert.deepEqual(await sees(alice, 'general', null, 'asker'), [
    'general',
    'hall',
    'ops',
    'opsElsewhere',
    'team',
    'lone',
  ])
})

test('an answer that a room reads holds nothing that not everybody there may see, whoever asks', async t => {
  const { sees, join, asPerson } = await setUp(t)
  await join('ops', alice)
  const owner = await asPerson(alice, 'owner')
  assert.deepEqual(await sees(alice, 'general', owner), ['general', 'hall'])
  assert.deepEqual(await sees(alice, 'team', owner), ['general', 'hall', 'team'])
})

test('an operator sees every room when asking for themselves, and still nobody’s private place', async t => {
  const { sees, asPerson } = await setUp(t)
  const operator = await asPerson(alice, 'operator')
  assert.deepEqual(await sees(alice, 'aliceDm', operator), [
    'general',
    'hall',
    'ops',
    'opsElsewhere',
    'team',
    'lone',
    'aliceDm',
  ])
  assert.deepEqual(await sees(alice, 'general', operator, 'asker'), [
    'general',
    'hall',
    'ops',
    'opsElsewhere',
    'team',
    'lone',
  ])
})

test('an operator of one room sees that room', async t => {
  const { sees, asPerson } = await setUp(t)
  const operator = await asPerson(alice, 'operator', 'team')
  assert.deepEqual(await sees(alice, 'aliceDm', operator), ['general', 'hall', 'team', 'aliceDm'])
})

test('a person’s other identities count; a look-alike’s do not', async t => {
  const { ledger, sees, join, asPerson } = await setUp(t)
  const onMemory: Sender = { ...person('u77'), name: 'alice' }
  await join('opsElsewhere', onMemory)
  assert.deepEqual(await sees(alice, 'aliceDm'), ['general', 'hall', 'aliceDm'])
  const linked = await asPerson(alice)
  await ledger.write(db => db.prepare('INSERT INTO identity VALUES (?, ?, ?)').run('memory', 'u77', linked.id))
  assert.deepEqual(await sees(alice, 'aliceDm', linked), ['general', 'hall', 'ops', 'opsElsewhere', 'aliceDm'])
})

test('a name nobody vouches for opens nothing', async t => {
  const { sees, join } = await setUp(t)
  const nick = person('alice', false)
  await join('ops', nick)
  await join('team', alice)
  assert.deepEqual(await sees(nick, 'aliceDm'), ['general', 'hall'])
  assert.deepEqual(await sees({ ...alice, verified: false }, 'aliceDm'), ['general', 'hall'])
})

test('history from before a place was joined to an open room stays closed to those who are not in it', async t => {
  const { ledger, sees } = await setUp(t)
  const joinedRooms = { ...rooms, general: { ...rooms.general, places: [...rooms.general.places, 'irc:#lone'] } }
  assert.ok(!(await sees(person('eve'), 'general')).includes('lone'))
  const visible = await ledger.read(db =>
    visibleTo(
      db,
      { sender: person('eve'), person: null, place: placeAt('irc:#general'), audience: 'place' },
      new Rooms(joinedRooms),
      startMs,
    ),
  )
  const [, , , , , lone] = await ledger.read(db => after(db, 0, 9))
  assert.equal(maySee(visible, lone as never), false)
})

test('what was said in a place before it was joined with others is not shown where the others read', async t => {
  const { ledger } = await setUp(t)
  const joinedRooms = { ...rooms, both: { places: ['irc:#lone', 'memory:else'], open: false, joins: true } }
  const lone = (await ledger.read(db => after(db, 0, 9)))[5]
  const seen = (audience: 'place' | 'asker') =>
    ledger.read(db => {
      const place = placeAt('irc:#lone')
      return maySee(
        visibleTo(db, { sender: alice, person: null, place, audience }, new Rooms(joinedRooms), startMs),
        lone as never,
      )
    })
  await ledger.write(db => joined(db, 'irc:#lone', alice))
  assert.deepEqual([await seen('place'), await seen('asker')], [false, true])
})

test('a private place that somebody put into an open room shows nothing', async t => {
  const { ledger } = await setUp(t)
  const odd = { ...rooms, general: { places: ['irc:@zoe'], open: true, joins: true } }
  const [stored] = await record(ledger, [said('irc:@zoe', 'zoe', 'needle')], odd)
  const visible = await ledger.read(db =>
    visibleTo(
      db,
      { sender: person('eve'), person: null, place: placeAt('irc:#general'), audience: 'place' },
      new Rooms(odd),
      startMs,
    ),
  )
  assert.equal(maySee(visible, stored as never), false)
})
