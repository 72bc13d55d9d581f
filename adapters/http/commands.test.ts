import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { until } from '../../bots/bridge/testing.ts'
import { prefixOf } from '../../core/access/api-keys.ts'
import { readAudit } from '../../core/ledger/audit/audit.ts'
import { keyByPrefix } from '../../core/ledger/settings/api-keys.ts'
import { sql } from '../../core/ledger/sqlite.ts'
import { openWorld, type World } from './testing/world.ts'

describe('commands by HTTP', () => {
  let world: World
  let olga: string
  const closing: (() => void | Promise<void>)[] = []

  before(async () => {
    world = await openWorld({ after: done => closing.push(done) })
    olga = await world.key('olga', 'owner', { account: 'olga-key' as never })
  })
  after(async () => {
    for (const done of closing) await done()
  })

  it('are answered with lines and data', async () => {
    const { status, json } = await world.command('networks', olga)
    assert.equal(status, 200)
    assert.equal(json.done, true)
    assert.ok(json.lines.some(line => line.startsWith('web up')))
    assert.deepEqual(
      json.data.map(one => one.network),
      ['chat', 'plain', 'web'],
    )
  })

  it('are answered when the answer is there, not when it is looked for anyway, once a second', async () => {
    const sinceMs = performance.now()
    for (let n = 0; n < 20; n++) assert.equal((await world.command('version', olga)).json.done, true)
    const tookMs = performance.now() - sinceMs
    assert.ok(tookMs < 10_000, `${tookMs} ms for 20 answers`)
  })

  it('have all their lines, not a page of them', async () => {
    const { json } = await world.command('config.find', olga, { word: 'per' })
    assert.ok(json.lines.length > 6, `${json.lines.length} lines`)
    assert.ok(!json.lines.join('\n').includes('more'))
  })

  it('are known by their schema: what does not fit is refused before anything is asked', async () => {
    const facts = () => world.house.ledger.newestSeq()
    const before = facts()
    for (const args of [{ nope: 1 }, { word: 7 }, [], 'x', null]) {
      const { status, json } = await world.command('config.find', olga, args)
      assert.equal(status, 400, JSON.stringify(args))
      assert.equal(json.code === 'usage' || json.code === 'bad-request', true)
    }
    assert.equal((await world.command('nothing.there', olga)).status, 404)
    assert.equal(facts(), before)
  })

  it('are told which argument does not fit, and why', async () => {
    const misfit = async (name: string, args: unknown) => (await world.command(name, olga, args)).json.detail
    const usage = ' · usage: audit show [n] [who=…] [cmd=…] [decision=…] [since=…]'
    assert.equal(await misfit('audit.show', { n: 201 }), `n must be <= 200${usage}`)
    assert.equal(await misfit('audit', { n: '5' }), `n must be integer${usage}`)
    assert.equal(await misfit('audit.show', { cmd: null }), `cmd must be string${usage}`)
    assert.equal(
      await misfit('audit.show', { decision: 'Denied' }),
      `decision is allowed, denied, ignored, failed${usage}`,
    )
    assert.equal(await misfit('audit.show', { N: 5 }), `there is no argument 'N'${usage}`)
    assert.equal(await misfit('audit.show', []), `what is given must be object${usage}`)
    assert.equal(await misfit('config.find', {}), 'word is missing · usage: config find <word>')
    const secret = 'there is an argument too many · usage: secret set <name> <value…>'
    assert.equal(await misfit('secret.set', { name: 'A', value: 'b', c: 'd' }), secret)
  })

  it('enter no channel where there is none', async () => {
    const { status, json } = await world.command('join', olga, { place: '#general' })
    assert.equal(status, 422)
    assert.equal(json.detail, 'web has no channels to enter; !networks lists the networks')
  })

  it('have an object of arguments, or none', async () => {
    assert.equal((await world.call('POST', '/v1/commands/whoami', olga)).status, 200)
    for (const body of ['null', '[]', '""', '0', 'false'])
      assert.equal((await world.call('POST', '/v1/commands/whoami', olga, body)).status, 400, body)
  })

  it('tell by status why they were not done', async () => {
    const mia = await world.key('mia', 'member')
    const denied = await world.command('config.set', mia, { key: 'commands.lines', value: '6' })
    assert.equal(denied.status, 403)
    assert.equal(denied.headers.get('content-type'), 'application/problem+json; charset=utf-8')
    assert.match(denied.json.detail, /needs owner/)
    assert.equal((await world.command('network.show', mia, { network: 'nowhere' })).status, 404)
  })

  it('are done once, however often the same request is sent', async () => {
    const said = { 'idempotency-key': 'make bob' }
    const args = { who: 'chat:bob', role: 'member' }
    await world.house.grant('chat', 'bob', 'guest')
    const [one, other] = await Promise.all([
      world.command('role.grant', olga, args, said),
      world.command('role.grant', olga, args, said),
    ])
    assert.deepEqual(one.json, other.json)
    assert.deepEqual((await world.command('role.grant', olga, args, said)).json, one.json)
    const rows = await world.house.ledger.read(tx => readAudit(tx, { command: 'role grant' }, 10))
    assert.equal(rows.length, 1)
    assert.equal((await world.command('role.grant', olga, { ...args, role: 'guest' }, said)).status, 422)
    const mia = await world.key('mia', 'member')
    const hers = await world.command('version', mia, {}, said)
    assert.deepEqual([hers.status, hers.json.lines.length], [200, 1], 'a key has its own')
  })

  it('of a key with an end give nothing that outlasts it', async () => {
    const brief = await world.key('olga', 'owner', { untilMs: Date.now() + 3_600_000 })
    for (const name of ['ida', 'mary']) await world.house.grant('chat', name, name === 'ida' ? 'operator' : 'guest')
    const { json } = await world.command('role.grant', brief, { who: 'chat:mary', role: 'member' })
    assert.match(json.lines.join(), /^chat:mary is member for 59m.*, as long as you are and this key lasts$/)
    assert.equal((await world.command('role.revoke', brief, { who: 'chat:mary' })).status, 403)
    const { detail } = (await world.command('person.passwd', brief, { account: 'ida' })).json
    assert.match(detail, /^a key with an end may not do that, it would outlast the key: say it in chat$/)
  })

  it('hand a secret over once, keep it sealed, and wipe one that was given', async () => {
    const { json } = await world.command('secret.set', olga, { name: 'CANARY', value: 'canary-4711' })
    assert.equal(json.done, true)
    const made = await world.command('person.add', olga, { account: 'carol' })
    assert.match(made.json.secrets.join('\n'), /password=/)
    const password = /password=(\S+)/.exec(made.json.secrets.join('\n'))?.[1] ?? ''
    const kept = await world.house.ledger.read(tx =>
      ['event', 'delivery', 'inbox', 'audit'].flatMap(table => sql(tx, `SELECT * FROM ${table}`).all()),
    )
    const all = JSON.stringify(kept)
    assert.ok(password.length > 8 && !all.includes(password))
    const mia = await world.key('mia', 'member')
    const again = { 'idempotency-key': 'make dora' }
    const dora = await world.command('person.add', olga, { account: 'dora' }, again)
    assert.match(dora.json.secrets.join('\n'), /password=/)
    assert.equal((await world.command('version', mia, {}, again)).json.secrets, undefined, 'to nobody else')
    const hers = await world.call<{ messages: unknown[] }>('GET', '/v1/channels/@me/messages', mia)
    assert.equal(hers.json.messages.length, 1)
    assert.ok(!all.includes('canary-4711'))
  })

  it('are confirmed by a second one', async () => {
    const asked = await world.command('role.grant', olga, { who: 'chat:bob', role: 'owner' })
    const code = /yes (\w{3})/.exec(asked.json.lines[0] ?? '')?.[1]
    assert.match((await world.command('yes', olga, { code })).json.lines[0] ?? '', /bob is owner/)
  })

  it('that take longer are had later', async () => {
    const sent = await world.command('networks', olga, {}, { 'idempotency-key': 'later', prefer: 'wait=0' })
    assert.equal(sent.status, 202)
    const location = sent.headers.get('location') ?? ''
    const { status, json } = await world.call('GET', location, olga, undefined, { prefer: 'wait=10' })
    assert.deepEqual([status, json.done], [200, true])
    const mia = await world.key('mia', 'member')
    assert.equal((await world.call('GET', location, mia)).status, 404, 'another key does not see them')
  })

  it('need a key: none, a wrong one, a revoked one and one without its scope are refused', async () => {
    const none = await world.call('POST', '/v1/commands/networks', undefined, {})
    assert.deepEqual([none.status, none.headers.get('www-authenticate')], [401, 'Bearer realm="chanop"'])
    const wrong = `${olga.slice(0, -1)}${olga.endsWith('a') ? 'b' : 'a'}`
    assert.equal((await world.command('networks', wrong)).status, 401)
    const reads = await world.key('mia', 'member', { scopes: ['read'], account: 'reader' as never })
    assert.equal((await world.command('networks', reads)).status, 403)
    const rows = await world.house.ledger.read(tx => readAudit(tx, { account: 'reader' }, 10))
    assert.match(rows[0]?.result ?? '', /no scope command/)
    assert.equal(rows[0]?.name, 'mia')
  })
})

describe('keys', () => {
  it('are made, shown once, used, rotated and revoked in chat', async t => {
    const world = await openWorld(t)
    const owner = world.house.server().user('olga')
    const dm = world.house.server().channel('@olga')
    owner.join('#ops')
    const asked = async (line: string): Promise<string> => {
      const seen = world.house.server().channel('#ops').messages.length
      owner.say('#ops', line)
      const { messages } = world.house.server().channel('#ops')
      return until(() => messages.slice(seen).find(({ by }) => by === 'chanop')?.text, `an answer to ${line}`)
    }
    assert.match(
      await asked('!key new ci scope=read,command rate=100 until=30d'),
      /the key ci is made for olga: read,command/,
    )
    const line = await until(() => dm.messages.find(({ text }) => text.includes('key=chanop_'))?.text, 'the key')
    const key = /key=(\S+) url=\S+/.exec(line)?.[1] ?? ''
    assert.equal((await world.command('networks', key)).status, 200)
    const row = await world.house.ledger.read(tx => keyByPrefix(tx, prefixOf(key) as string))
    assert.notEqual(row?.usedMs, null)
    assert.ok(!JSON.stringify(row).includes(key.slice(16)))
    assert.equal((await world.command('key.list', key)).status, 403, 'a key shows no keys')
    assert.equal((await world.command('key.new', key, { name: 'ghost' })).status, 403, 'and makes none')
    await world.house.grant('chat', 'mia', 'member', 'general')
    const mia = world.house.server().user('mia')
    mia.join('#general')
    for (const room of ['ops', 'nowhere']) {
      const { seq } = mia.say('#general', `!key new probe rooms=${room}`)
      await mia.hears('#general', `no room ${room}; !rooms lists them`, seq)
    }
    await asked('!key rotate ci')
    assert.equal((await world.command('networks', key)).status, 401)
    await asked('!key revoke ci')
    assert.match(await asked('!key new ci'), /revoked: choose another name/)
  })
})
