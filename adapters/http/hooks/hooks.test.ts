/** Webhooks, end to end: made in chat, told by HTTP, read in all places of a room. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { until } from '../../../bots/bridge/testing.ts'
import { apiKeyHash } from '../../../core/access/api-keys.ts'
import { deadLetters, hookByHash } from '../../../core/ledger/settings/hooks.ts'
import { openWorld, type World } from '../testing/world.ts'
import { post as postOut } from './post.ts'

interface Made {
  readonly name: string
  readonly path: string
  readonly secret: string
}

/** A program that is told things: `answers` are its next statuses, 200 once there are none. */
class Receiver {
  readonly got: {
    readonly body: Record<string, unknown>
    readonly headers: IncomingHttpHeaders
    readonly raw: string
  }[] = []
  readonly answers: number[] = []
  readonly url: string
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`
  }

  static async listen(): Promise<Receiver> {
    const server = createServer((request, response) => {
      let raw = ''
      request.setEncoding('utf8').on('data', (part: string) => (raw += part))
      request.on('end', () => {
        const status = receiver.answers.shift() ?? 200
        if (status === 200) receiver.got.push({ body: JSON.parse(raw), headers: request.headers, raw })
        response.writeHead(status).end()
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const receiver: Receiver = new Receiver(server)
    return receiver
  }

  get texts(): unknown[] {
    return this.got.map(({ body }) => body['text'])
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

describe('webhooks', () => {
  let world: World
  const closing: (() => void | Promise<void>)[] = []
  const general = (side: 'chat' | 'plain') => world.house.server(side === 'chat' ? 'a' : 'b').channel('#general')

  before(async () => {
    world = await openWorld({ after: done => closing.push(done) })
    world.house.server().user('olga').join('#ops')
  })
  after(async () => {
    for (const done of closing) await done()
  })

  async function say(line: string, { house } = world): Promise<string> {
    const { messages } = house.server().channel('#ops')
    const seen = messages.length
    house.server().user('olga').say('#ops', line)
    return until(() => messages.slice(seen).find(({ by }) => by === 'chanop')?.text, `an answer to ${line}`)
  }

  async function make(words: string, where = world): Promise<Made> {
    const { messages } = where.house.server().channel('@olga')
    const seen = messages.length
    const answer = await say(`!hook new ${words}`, where)
    const name = /the hook (\S+) tells/.exec(answer)?.[1]
    assert.ok(name, answer)
    const line = await until(() => messages.slice(seen).find(({ text }) => text.includes('url='))?.text, 'its address')
    const [, path = '', , secret = ''] = /url=http:\/\/[^/]+(\/hooks\/\S+)( secret=(\S+))?/.exec(line) ?? []
    return { name, path, secret }
  }

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    world.call<Record<string, unknown>>('POST', path, undefined, body, headers)
  const arrives = (side: 'chat' | 'plain', text: string) =>
    until(() => general(side).messages.find(message => message.text.includes(text)), `${text} on ${side}`)

  it('are made by no key: they would go on when it is revoked', async () => {
    const key = await world.key('olga', 'owner')
    for (const [name, args] of [
      ['hook.new', { room: 'general' }],
      ['hook.out', { room: 'general', url: 'https://example.org/in' }],
    ] as const) {
      const { status, json } = await world.command(name, key, args)
      assert.deepEqual(
        [status, json.detail],
        [403, 'a key may not do that, a webhook would outlast it: say it in chat'],
      )
    }
  })

  it('say what they get in every place of the room, under their own name, and never as a command', async () => {
    const { name, path } = await make('general name=ci')
    assert.equal(name, 'ci')
    assert.equal((await post(path, { text: 'build 7 is green' })).status, 200)
    for (const side of ['chat', 'plain'] as const) {
      const said = await arrives(side, 'build 7 is green')
      assert.equal(said.name, 'ci')
    }
    const before = world.house.server().channel('@olga').messages.length
    assert.equal((await post(path, '!key new ghost', { 'content-type': 'text/plain' })).status, 200)
    await arrives('chat', '!key new ghost')
    assert.equal(world.house.server().channel('@olga').messages.length, before)
    const row = await world.house.ledger.read(tx => hookByHash(tx, apiKeyHash(path.split('/').at(-1) ?? '')))
    assert.notEqual(row?.usedMs, null)
  })

  it('count by themselves, not by where they come from; who guesses at them is a stranger', async t => {
    const narrow = await openWorld(t, { http: 'perAddressPerMinute: 1' })
    narrow.house.server().user('olga').join('#ops')
    const { path } = await make('general', narrow)
    const told = async (where: string, most: number) => {
      const statuses = new Set<number>()
      for (let n = 0; n < most && !statuses.has(429); n++)
        statuses.add((await narrow.call('POST', where, undefined, { text: `${n}` })).status)
      return [...statuses]
    }
    assert.deepEqual(await told(path, 15), [200])
    assert.deepEqual(await told('/hooks/hook_nothing', 15), [404, 429])
    assert.deepEqual(await told(path, 15), [200])
    assert.deepEqual((await told(path, 1000)).at(-1), 429, 'thirty at once, sixty a minute')
    const long = await narrow.call('POST', path, undefined, { text: 'x'.repeat(1_100_000) })
    assert.equal(long.status, 429, 'nothing of it is read')
  })

  it('say the same thing once, however often it is sent', async () => {
    const { path } = await make('general')
    for (let n = 0; n < 3; n++) await post(path, { text: 'only once' }, { 'idempotency-key': 'a' })
    await post(path, { text: 'and this' }, { 'idempotency-key': 'b' })
    await arrives('chat', 'and this')
    assert.equal(general('chat').messages.filter(({ text }) => text.includes('only once')).length, 1)
  })

  it('say what is signed once, whatever else somebody who caught it calls it', async () => {
    const { path, secret } = await make('general --signed')
    const body = JSON.stringify({ text: 'signed once' })
    const seconds = `${Math.floor(Date.now() / 1000)}`
    const signature = createHmac('sha256', secret).update(`m1.${seconds}.${body}`).digest('base64')
    const signed = { 'webhook-id': 'm1', 'webhook-timestamp': seconds, 'webhook-signature': `v1,${signature}` }
    for (const more of [{}, { 'x-github-delivery': '2' }, { 'idempotency-key': '3' }])
      assert.equal((await post(path, body, { ...signed, ...more })).status, 200)
    const lab = await make('general')
    const event = { 'x-gitlab-event-uuid': 'one event' }
    for (const n of [1, 2])
      await post(lab.path, { text: `brought about ${n}` }, { ...event, 'idempotency-key': `${n}` })
    await arrives('chat', 'brought about 2')
    const said = general('chat').messages.map(({ text }) => text)
    assert.equal(said.filter(text => text.includes('signed once')).length, 1)
    assert.equal(said.filter(text => text.includes('brought about')).length, 2)
  })

  it('call nobody, show no keys and nothing that drives a terminal', async () => {
    const { path } = await make('general')
    await post(path, { text: 'hi @everyone \u001b[31m ghp_abcdefghijklmnopqrstuvwxyz0123 \u202e end-of-it' })
    const { text } = await arrives('chat', 'end-of-it')
    assert.ok(!text.includes('@everyone') && !text.includes('ghp_') && !/[\u001b\u202e]/.test(text), text)
  })

  it('take what is signed, each sender’s way, and nothing else', async () => {
    const { path, secret } = await make('general format=github name=gh')
    const body = JSON.stringify({ zen: 'Keep it logically awesome.', repository: { full_name: 'acme/app' } })
    const signed = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
    const event = { 'x-github-event': 'ping', 'x-github-delivery': '1' }
    assert.equal((await post(path, body, event)).status, 401)
    assert.equal((await post(path, `${body} `, { ...event, 'x-hub-signature-256': signed })).status, 401)
    assert.equal((await post(path, body, { ...event, 'x-hub-signature-256': signed })).status, 200)
    await arrives('chat', 'Keep it logically awesome')
    const lab = await make('general format=gitlab')
    const push = { object_kind: 'push', user_username: 'ann', ref: 'refs/heads/main', total_commits_count: 1 }
    assert.equal((await post(lab.path, push, { 'x-gitlab-token': 'x' })).status, 401)
    assert.equal((await post(lab.path, push, { 'x-gitlab-token': lab.secret })).status, 200)
    await arrives('chat', 'ann pushed 1 commit to')
  })

  it('refuse what is not of their format, and addresses that are none', async () => {
    const { path } = await make('general format=alertmanager')
    const bad = await post(path, 'not json')
    assert.deepEqual([bad.status, bad.json['code']], [400, 'bad-request'])
    assert.equal((await post(path, [1])).status, 400)
    assert.equal((await post('/hooks/hook_nothing', {})).status, 404)
    assert.equal((await world.call('GET', path)).status, 401, 'it is an address to tell something at')
  })

  it('tell another program what happens in a room, signed, in order, until each has arrived', async t => {
    const receiver = await Receiver.listen()
    t.after(() => receiver.close())
    const dm = world.house.server().channel('@olga').messages
    const seen = dm.length
    assert.match(
      await say(`!hook out general ${receiver.url} name=tell --internal`),
      /the hook tell sends what happens in general/,
    )
    const line = await until(() => dm.slice(seen).find(({ text }) => text.includes('secret='))?.text, 'its secret')
    const secret = /secret=(\S+)/.exec(line)?.[1] ?? ''
    receiver.answers.push(503, 500)
    const olga = world.house.server().user('olga')
    olga.join('#general')
    for (const text of ['one', 'two', 'three']) olga.say('#general', text)
    olga.say('#ops', 'not for it')
    olga.say('#general', 'four')
    await until(() => receiver.texts.includes('four') || undefined, 'four')
    assert.deepEqual(
      receiver.texts.filter(text => /^(one|two|three|four|not.*)$/.test(String(text))),
      ['one', 'two', 'three', 'four'],
    )
    const [first] = receiver.got
    const { headers, raw, body } = first as (typeof receiver.got)[number]
    const signed = createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64'))
      .update(`${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${raw}`)
      .digest('base64')
    assert.equal(headers['webhook-signature'], `v1,${signed}`)
    assert.deepEqual([body['kind'], body['channel'], body['nick']], ['message', 'general', 'olga'])
    assert.equal(new Set(receiver.got.map(each => each.headers['webhook-id'])).size, receiver.got.length)
  })

  it('give up what is refused for good, show it, and send it again when told to', async t => {
    const receiver = await Receiver.listen()
    t.after(() => receiver.close())
    await say(`!hook out general ${receiver.url} name=strict --internal`)
    receiver.answers.push(400, 400, 400)
    const olga = world.house.server().user('olga')
    olga.say('#general', 'refused')
    olga.say('#general', 'taken')
    await until(() => receiver.texts.includes('taken') || undefined, 'the next one')
    assert.ok(!receiver.texts.includes('refused'))
    assert.equal((await world.house.ledger.read(tx => deadLetters(tx, 'strict', 10)))[0]?.fault, 'it says 400')
    assert.match(await say('!hook retry strict'), /1 are sent once more/)
    await until(() => receiver.texts.includes('refused') || undefined, 'the one that was given up')
    await say('!hook del strict')
  })

  it('reach nothing inside unless an owner says so', async () => {
    const inside = [
      'http://127.0.0.1:9/',
      'http://[::1]:9/',
      'http://localhost:9/',
      'http://169.254.169.254/',
      'http://[::ffff:10.0.0.1]/',
      'http://0x7f.1/',
    ]
    for (const url of inside) {
      const outcome = await postOut(
        { url, internal: false },
        { id: '1', body: '{}', secret: 'whsec_AAAA' },
        AbortSignal.timeout(5000),
      )
      assert.deepEqual(outcome, { fault: 'its address is not public', final: true }, url)
    }
  })

  it('end when they are deleted', async () => {
    const { name, path } = await make('general')
    assert.match(await say(`!hook del ${name}`), /is gone/)
    assert.equal((await post(path, { text: 'late' })).status, 404)
  })
})
