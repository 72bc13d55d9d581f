import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { until } from '../../bots/bridge/testing.ts'
import { readAudit } from '../../core/ledger/audit/audit.ts'
import { sql } from '../../core/ledger/sqlite.ts'
import { openWorld, type World } from './testing/world.ts'

interface Messages {
  readonly messages: readonly {
    readonly id: number
    readonly nick: string
    readonly text: string
    readonly place: string
  }[]
  readonly next: number
}

describe('rooms by HTTP', () => {
  let world: World
  let alice: string
  const closing: (() => void | Promise<void>)[] = []
  const read = async (path: string, key: string) =>
    (await world.call<Messages>('GET', `/v1/channels/${path}`, key)).json
  const texts = ({ messages }: Messages) => messages.map(({ nick, text }) => `${nick}: ${text}`)

  before(async () => {
    world = await openWorld({ after: done => closing.push(done) })
    alice = await world.key('alice', 'member', { account: 'alice-key' as never })
    world.house.server('a').user('alice').join('#ops')
    world.house.server('a').user('bob').join('#den')
  })
  after(async () => {
    for (const done of closing) await done()
  })

  it('take what is said, once, and hand it to all places of the room', async () => {
    const headers = { 'idempotency-key': 'hello-1' }
    const said = { text: 'hello from a program' }
    const first = await world.call<{ id: number }>('POST', '/v1/channels/general/messages', alice, said, headers)
    assert.equal(first.status, 201)
    const again = await world.call<{ id: number }>('POST', '/v1/channels/general/messages', alice, said, headers)
    assert.deepEqual(again.json, first.json)
    for (const letter of ['a', 'b']) {
      const { messages } = world.house.server(letter).channel('#general')
      await until(() => messages.some(({ text }) => text === said.text), `the copy at ${letter}`)
      assert.equal(messages.filter(({ text }) => text === said.text).length, 1)
      assert.equal(messages.find(({ text }) => text === said.text)?.name, 'alice')
    }
    assert.deepEqual(texts(await read('general/messages', alice)), ['alice: hello from a program'])
  })

  it('are read on with a cursor, and nothing is passed over', async () => {
    const bob = world.house.server('a').user('bob')
    bob.join('#general')
    let { next } = await read('general/messages', alice)
    for (let n = 0; n < 7; n++) bob.say('#general', `n ${n}`)
    await until(async () => texts(await read(`general/messages?after=${next}`, alice)).length === 7, 'seven messages')
    const seen: string[] = []
    for (;;) {
      const page: Messages = await read(`general/messages?after=${next}&limit=3`, alice)
      if (page.messages.length === 0) break
      seen.push(...page.messages.map(({ text }) => text))
      next = page.next
    }
    assert.deepEqual(seen, ['n 0', 'n 1', 'n 2', 'n 3', 'n 4', 'n 5', 'n 6'])
  })

  it('show a key what its owner may see, and not that there is more', async () => {
    const { json } = await world.call<{ channels: string[] }>('GET', '/v1/channels', alice)
    assert.deepEqual(json.channels, ['general', 'ops'])
    for (const path of ['chat:%23den/messages', 'nowhere/messages', 'chat:%23den/users']) {
      assert.equal((await world.call('GET', `/v1/channels/${path}`, alice)).status, 404, path)
    }
    assert.equal((await world.call('POST', '/v1/channels/chat:%23den/messages', alice, { text: 'x' })).status, 404)
    const narrow = await world.key('alice', 'member', { rooms: ['ops'] })
    assert.deepEqual((await world.call<{ channels: string[] }>('GET', '/v1/channels', narrow)).json.channels, ['ops'])
    assert.equal((await world.call('GET', '/v1/channels/general/messages', narrow)).status, 404)
  })

  it('end for a key when they end for its owner', async () => {
    const carl = world.house.server('a').user('carl')
    const olga = await world.key('olga', 'owner')
    const key = await world.key('carl', 'guest')
    const role = (name: string) => world.command('role.grant', olga, { who: 'chat:carl', role: name })
    await role('member')
    // A closed room is closed by its server: until it knows of it, it puts him out.
    const enters = async (): Promise<boolean> => {
      carl.join('#ops')
      return (await world.call('GET', '/v1/channels/ops/messages', key)).status === 200
    }
    await until(enters, 'carl in ops')
    assert.equal((await world.call('POST', '/v1/channels/ops/messages', key, { text: 'here' })).status, 201)
    await role('guest')
    assert.ok(
      [403, 404].includes((await world.call('POST', '/v1/channels/ops/messages', key, { text: 'still?' })).status),
    )
    await until(
      async () => (await world.call('GET', '/v1/channels/ops/messages', key)).status === 404,
      'carl out of ops',
    )
    const open = await world.call('GET', '/v1/channels/general/messages', key)
    assert.equal(open.status, 200, 'what everybody may read stays')
  })

  it('carry no command of a key that may carry out none', async () => {
    const olga = await world.key('olga', 'owner', { scopes: ['say'], account: 'says' as never })
    for (const text of ['!config set commands.lines 9', 'admin: config set commands.lines 9', ' !status']) {
      const { status } = await world.call('POST', '/v1/channels/general/messages', olga, { text })
      assert.equal(status, 403, text)
    }
    const rows = await world.house.ledger.read(tx => readAudit(tx, { account: 'says' }, 10))
    assert.equal(rows.length, 3)
    assert.equal((await world.call('POST', '/v1/channels/general/messages', olga, { text: 'hi there' })).status, 201)
  })

  it('keep no secret that is said in them, and take it once', async () => {
    for (const [n, text] of ['!secret set E zebra77quartz', 'secerts set E zebra77quartz'].entries()) {
      const headers = { 'idempotency-key': `secret-${n}` }
      const say = () => world.call<{ id: number }>('POST', '/v1/channels/general/messages', alice, { text }, headers)
      const first = await say()
      assert.equal(first.status, 201, text)
      assert.deepEqual((await say()).json, first.json)
    }
    const kept = await world.house.ledger.read(tx =>
      sql(tx, "SELECT body FROM event WHERE body LIKE '%zebra77quartz%'").all(),
    )
    assert.deepEqual(kept, [])
  })

  it('do not hear who is muted', async () => {
    const olga = await world.key('olga', 'owner')
    const dave = await world.key('dave', 'member')
    assert.equal((await world.command('ignore', olga, { who: 'chat:dave' })).status, 200)
    const said = await until(async () => {
      const { status } = await world.call('POST', '/v1/channels/general/messages', dave, { text: 'hm' })
      return status === 403 ? status : null
    }, 'dave to be muted')
    assert.equal(said, 403)
  })

  it('register, rotate and revoke agents in the shapes of ScuttleBot, and agents stay in their channels', async () => {
    const olga = await world.key('olga', 'owner')
    interface Made {
      readonly credentials: { readonly nick: string; readonly passphrase: string }
    }
    const made = await world.call<Made>('POST', '/v1/agents/register', olga, { nick: 'w-1', channels: ['#general'] })
    assert.equal(made.status, 201)
    const { accounts } = world.house.server('a')
    assert.ok(accounts.opens('w-1', made.json.credentials.passphrase))
    const key = await world.key('w-1', 'agent')
    assert.equal((await world.call('POST', '/v1/channels/general/messages', key, { text: 'at work' })).status, 201)
    assert.equal((await world.call('POST', '/v1/channels/ops/messages', key, { text: 'x' })).status, 404)
    assert.equal((await world.call('POST', '/v1/channels/general/presence', key, {})).status, 204)
    const brief = await world.key('w-1', 'agent', { untilMs: Date.now() + 3_600_000 })
    const kept = await world.call<{ detail: string }>('POST', '/v1/agents/w-1/rotate', brief)
    assert.match(kept.json.detail, /^a key with an end may not do that, it would outlast the key/)
    const turned = await world.call<Made>('POST', '/v1/agents/w-1/rotate', olga)
    assert.equal(turned.status, 200)
    assert.ok(accounts.opens('w-1', turned.json.credentials.passphrase))
    assert.ok(!accounts.opens('w-1', made.json.credentials.passphrase))
    const list = await world.call<{ agents: { name: string }[] }>('GET', '/v1/agents', olga)
    assert.deepEqual(
      list.json.agents.map(({ name }) => name),
      ['w-1'],
    )
    assert.equal((await world.call('POST', '/v1/agents/w-1/revoke', olga)).status, 200)
    assert.equal((await world.call('GET', '/v1/status', key)).status, 401, 'its keys end with its engagement')
  })

  it('are talked to in private as well', async () => {
    const sent = await world.call<{ request: string }>('POST', '/v1/channels/@me/messages', alice, { text: '!whoami' })
    assert.equal(sent.status, 201)
    const found = await until(async () => {
      const { messages } = await read('@me/messages', alice)
      return messages.find(({ text }) => text.includes('alice'))
    }, 'an answer')
    assert.match(found.text, /alice/)
  })

  it('tell what was said to a key from a time on, after a number and before one', async () => {
    const mia = await world.key('mia')
    for (let n = 0; n < 3; n++) await world.command('version', mia)
    type Page = { messages: readonly { id: number; at: string }[]; next: number }
    const page = async (query: string) =>
      (await world.call<Page>('GET', `/v1/channels/@me/messages?${query}`, mia)).json
    const ids = async (query: string) => (await page(query)).messages.map(({ id }) => id)
    const [one, two, three] = (await ids('')) as [number, number, number]
    assert.ok(three > two && two > one)
    assert.deepEqual(await ids(`after=${one}`), [two, three])
    assert.deepEqual(await ids(`before=${three}`), [one, two])
    assert.deepEqual(await ids(`before=${three}&limit=1`), [two])
    assert.deepEqual(await ids('since=2001-01-01T00:00:00Z'), [one, two, three])
    const since = new Date(Date.now() + 60_000).toISOString()
    assert.deepEqual(await page(`since=${since}`), { messages: [], next: three })
    assert.deepEqual(await page(`before=${one}`), { messages: [], next: three })
    assert.equal((await page(`after=${three}`)).next, three)
    assert.equal((await world.call('GET', '/v1/channels/@me/messages?since=today', mia)).status, 400)
  })

  it('are said to be nowhere where nothing was ever said, to operators too', async () => {
    const olga = await world.key('olga', 'owner')
    for (const name of [
      'nowhere:%23x',
      'chat:%23nowhere',
      'chat:alice',
      '%0d%0aX:y',
      'web:@alice-key',
      'chat:%40alice',
    ]) {
      const path = `/v1/channels/${name}/messages`
      assert.equal((await world.call('POST', path, olga, { text: 'hello?' })).status, 404, name)
      assert.equal((await world.call('GET', path, olga)).status, 404, name)
    }
    world.house.server('a').user('bob').say('#den', 'here it is')
    await until(
      async () => (await world.call('GET', '/v1/channels/chat:%23den/messages', olga)).status === 200,
      'the den',
    )
  })

  it('are read on from a number that is none yet', async () => {
    type Page = { messages: readonly { text: string }[]; next: number }
    const path = (after: number) => `/v1/channels/general/messages?after=${after}`
    const { next } = (await world.call<Page>('GET', path(999_999_999), alice)).json
    await world.call('POST', '/v1/channels/general/messages', alice, { text: 'after all' })
    const found = (await world.call<Page>('GET', path(next), alice)).json.messages
    assert.deepEqual(
      found.map(({ text }) => text),
      ['after all'],
    )
  })

  it('refuse the same words for another room under an Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'build 7' }
    const say = (room: string) =>
      world.call('POST', `/v1/channels/${room}/messages`, alice, { text: 'build 7 is done' }, headers)
    assert.equal((await say('general')).status, 201)
    for (const room of ['ops', '@me']) assert.equal((await say(room)).status, 422, room)
    assert.equal((await say('general')).status, 201)
  })

  it('refuse another request under an Idempotency-Key, at the same moment too', async () => {
    for (const path of ['general', '@me']) {
      const say = (text: string) =>
        world.call<{ id: number }>(
          'POST',
          `/v1/channels/${path}/messages`,
          alice,
          { text },
          { 'idempotency-key': path },
        )
      const all = await Promise.all(['this', 'that', 'this'].map(say))
      assert.deepEqual(
        all.map(({ status }) => status).sort((a, b) => a - b),
        [201, 201, 422],
      )
    }
  })
})
