import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { until } from '../../../bots/bridge/testing.ts'
import { readAudit } from '../../../core/ledger/audit/audit.ts'
import { httpSchema } from '../config.ts'
import { openWorld, type World } from '../testing/world.ts'

interface Operation {
  readonly operationId: string
  readonly security?: readonly unknown[]
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: object }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** What the specification of OpenAPI 3.1 asks of a document, as far as ours uses it. */
const documentSchema = {
  type: 'object',
  required: ['openapi', 'info', 'paths', 'components'],
  properties: {
    openapi: { const: '3.1.0' },
    info: { type: 'object', required: ['title', 'version'] },
    servers: { type: 'array', items: { type: 'object', required: ['url'] } },
    paths: {
      type: 'object',
      propertyNames: { pattern: '^/' },
      additionalProperties: {
        type: 'object',
        propertyNames: { enum: ['get', 'put', 'post', 'delete', 'patch'] },
        additionalProperties: {
          type: 'object',
          required: ['operationId', 'responses'],
          properties: {
            operationId: { type: 'string', pattern: '^[A-Za-z0-9]+$' },
            summary: { type: 'string' },
            description: { type: 'string' },
            tags: { type: 'array', items: { type: 'string' } },
            parameters: {
              type: 'array',
              items: {
                type: 'object',
                required: ['name', 'in', 'schema'],
                properties: { in: { enum: ['path', 'query', 'header'] }, required: { type: 'boolean' } },
                anyOf: [
                  { properties: { in: { enum: ['query', 'header'] } } },
                  { properties: { required: { const: true } }, required: ['required'] },
                ],
              },
            },
            requestBody: { type: 'object', required: ['content'] },
            responses: {
              type: 'object',
              minProperties: 1,
              propertyNames: { pattern: '^([1-5](\\d\\d|XX)|default)$' },
              additionalProperties: { type: 'object', required: ['description'] },
            },
            security: { type: 'array' },
          },
          additionalProperties: false,
        },
      },
    },
  },
}

const filled = (path: string): string => path.replaceAll(/\{(\w+)\}/g, 'general-0123456789')

describe('the API, seen by strangers', () => {
  let world: World
  let described: Document
  const closing: (() => void | Promise<void>)[] = []
  const operations = () =>
    Object.entries(described.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    )

  before(async () => {
    world = await openWorld({ after: done => closing.push(done) }, { http: 'perAddressPerMinute: 100000' })
    described = (await world.call<Document>('GET', '/openapi.json')).json
  })
  after(async () => {
    for (const done of closing) await done()
  })

  it('describes itself by the rules of OpenAPI 3.1, every command among it', () => {
    const ajv = new Ajv2020({ strict: false })
    addFormats.default(ajv)
    assert.ok(ajv.validate(documentSchema, described), JSON.stringify(ajv.errors))
    const all = operations()
    assert.ok(all.length > 100, `${all.length} operations`)
    assert.ok(all.some(({ path }) => path === '/v1/commands/role.grant'))
    assert.equal(new Set(all.map(({ operation }) => operation.operationId)).size, all.length, 'ids are unique')
    const strict = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false })
    addFormats.default(strict)
    for (const { path, operation } of all) {
      const bodies = Object.values(operation.requestBody?.content ?? {})
      const answers = Object.values(operation.responses).flatMap(({ content = {} }) => Object.values(content))
      for (const { schema } of [...bodies, ...answers, ...(operation.parameters ?? [])]) strict.compile(schema)
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const given = (operation.parameters ?? []).flatMap(one => (one.in === 'path' ? [one.name] : []))
      assert.deepEqual(given, named, path)
    }
  })

  it('opens nothing without a key, and says how one is sent', async () => {
    for (const { path, method, operation } of operations()) {
      const { status, headers } = await world.call(method, filled(path), undefined, method === 'POST' ? {} : undefined)
      if (operation.security?.length === 0) assert.ok(status < 400, path)
      else {
        assert.equal(status, 401, `${method} ${path}`)
        assert.match(headers.get('www-authenticate') ?? '', /^Bearer /)
      }
    }
  })

  it('refuses a key without rights everywhere, and each refusal is in the audit', async () => {
    const nothing = await world.key('mia', 'member', { scopes: [], account: 'nothing' as never })
    let refused = 0
    for (const { path, method, operation } of operations()) {
      if (operation.security?.length === 0) continue
      const { status } = await world.call(method, filled(path), nothing, method === 'POST' ? {} : undefined)
      if (['/v1/status', '/v1/models', '/v1/models/{model}', '/v1/requests/{id}'].includes(path)) continue
      assert.equal(status, 403, `${method} ${path}`)
      refused++
    }
    assert.ok(refused > 100)
    const rows = await until(async () => {
      const found = await world.house.ledger.read(tx => readAudit(tx, { account: 'nothing' }, 1000))
      return found.length === refused ? found : null
    }, 'all refusals in the audit')
    assert.ok(rows.every(({ decision, name }) => decision === 'denied' && name === 'mia'))
  })

  it('lets nobody do by a key what its owner may not: every command that a guest may not use', async () => {
    const guest = await world.key('gast', 'guest')
    for (const { path } of operations().filter(({ path }) => path.startsWith('/v1/commands/'))) {
      const name = path.slice('/v1/commands/'.length)
      const { status, json } = await world.command(name, guest, {})
      assert.ok(status < 500, `${name}: ${status} ${JSON.stringify(json)}`)
    }
    const rows = await world.house.ledger.read(tx => readAudit(tx, { account: 'gast', decision: 'allowed' }, 1000))
    assert.ok(rows.every(({ role }) => role === 'guest'))
  })

  it('says which methods an address has, and that others are nothing', async () => {
    const key = await world.key('olga', 'owner')
    for (const [method, path, allow] of [
      ['GET', '/v1/commands/channel.add', 'POST'],
      ['DELETE', '/v1/agents/worker/revoke?x=1', 'POST'],
      ['QUERY', '/v1/channels/general/messages', 'GET, POST'],
    ] as const) {
      const { status, headers, json } = await world.call(method, path, key)
      assert.deepEqual([status, headers.get('allow'), json.code], [405, allow, 'method'], path)
    }
    assert.equal((await world.call('GET', '/v1/nothing', key)).json.code, 'not-found')
  })

  it('tells who watches over it by HEAD as well how it is', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const { status, json } = await world.call('HEAD', path)
      assert.deepEqual([status, json], [200, null], path)
    }
    assert.equal((await world.call('HEAD', '/v1/status')).status, 401)
  })

  it('answers no strange request with more than a line', async () => {
    const key = await world.key('olga', 'owner')
    const odd: [method: string, path: string, body?: string | undefined, headers?: Record<string, string>][] = [
      ['POST', '/v1/commands/networks', '{"a":'],
      ['POST', '/v1/commands/networks', '[]'],
      ['POST', '/v1/commands/networks', '{"__proto__": {"x": 1}}'],
      ['POST', '/v1/commands/networks', '{"constructor": {"prototype": {"x": 1}}}'],
      ['POST', '/v1/commands/networks', 'x'.repeat(2_000_000)],
      ['POST', '/v1/commands/networks', '<a/>', { 'content-type': 'text/xml' }],
      ['POST', '/v1/commands/%00', '{}'],
      ['POST', '/v1/commands/..%2f..%2fetc', '{}'],
      ['POST', `/v1/commands/${'a'.repeat(5000)}`, '{}'],
      ['POST', '/v1/channels/general/messages', '{"text": ""}'],
      ['POST', '/v1/channels/general/messages', '{"text": "   "}'],
      ['POST', '/v1/channels/general/messages', '{"text": "\\u200b"}'],
      ['POST', '/v1/channels/general/messages', '{"text": "x", "more": 1}'],
      ['POST', '/v1/channels/general/messages', '{"text": "x"}', { 'content-type': 'text/plain' }],
      ['POST', '/v1/channels/general/messages', '{"text": "x"}', { 'content-encoding': 'gzip' }],
      ['GET', '/v1/channels/general/messages?after=-1'],
      ['GET', '/v1/channels/general/messages?after=1&after=2'],
      ['GET', '/v1/channels/general/messages?limit=501'],
      ['GET', '/v1/channels/general/messages?since=yesterday'],
      ['GET', '/v1/channels/general/messages?key=x'],
      ['GET', '/v1/requests/..'],
      ['GET', '/v1/stream', undefined, { 'last-event-id': 'x' }],
      ['DELETE', '/v1/channels/general'],
      ['POST', '/v1/chat/completions', '{"model": "oracle", "messages": [{"role": "nobody"}]}'],
      ['POST', '/v1/chat/completions', '{"model": "oracle", "messages": [{"role": "user", "content": 7}]}'],
    ]
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    const brackets = JSON.stringify('"]\\'.repeat(300))
    for (const path of ['/v1/channels/general/messages', '/v1/chat/completions', '/v1/responses', '/mcp'])
      odd.push([
        'POST',
        path,
        `{"jsonrpc":"2.0","id":1,"method":"ping","text":${brackets},"model":"oracle","input":"x","messages":[],"meta":${deep}}`,
      ])
    for (const [method, path, body, headers] of odd) {
      const { status, json } = await world.call(method, path, key, body, headers)
      assert.ok(status >= 400 && status < 500, `${method} ${path}: ${status}`)
      assert.ok(JSON.stringify(json).length < 1000, JSON.stringify(json).slice(0, 300))
      assert.ok(!JSON.stringify(json).includes('node_modules'))
    }
  })

  it('takes no key from an address, and writes none down', async () => {
    const key = await world.key('olga', 'owner')
    assert.equal((await world.call('GET', `/v1/status?key=${key}&token=${key}`)).status, 401)
    assert.equal(
      (await world.call('GET', '/v1/status', undefined, undefined, { authorization: `Basic ${key}` })).status,
      401,
    )
  })

  it('slows who asks too often, by key and by address', async () => {
    const slow = await world.key('mia', 'member', { perMinute: 1 })
    const seen: number[] = []
    for (let n = 0; n < 15; n++) seen.push((await world.call('GET', '/v1/status', slow)).status)
    assert.ok(seen.includes(200) && seen.includes(429), seen.join(' '))
    const other = await world.key('mia', 'member')
    assert.equal((await world.call('GET', '/v1/status', other)).status, 200)
  })

  it('takes all addresses of an IPv6 host for one', async t => {
    const narrow = await openWorld(t, { http: 'proxy: [127.0.0.1], perAddressPerMinute: 1' })
    const statuses: number[] = []
    const from = (address: string) =>
      narrow.call('GET', '/v1/status', undefined, undefined, { 'x-forwarded-for': address })
    for (let n = 1; n < 15; n++) statuses.push((await from(`2001:db8:1:2::${n}`)).status)
    assert.ok(statuses.includes(401) && statuses.includes(429), statuses.join(' '))
    assert.equal((await from('2001:db8:1:3::1')).status, 401)
  })

  it('closes connections that send heads without end, or too large ones', async () => {
    const { port } = new URL(world.url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(`GET /v1/status HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(20_000)}\r\n\r\n`)
    let answer = ''
    socket.on('data', chunk => (answer += chunk.toString()))
    await new Promise(resolve => socket.once('close', resolve))
    assert.match(answer, /^HTTP\/1\.1 431 /)
  })

  it('answers pages of other origins without leave', async () => {
    const key = await world.key('mia', 'member')
    const { headers } = await world.call('GET', '/v1/status', key, undefined, { origin: 'https://evil.example' })
    assert.equal(headers.get('access-control-allow-origin'), null)
    assert.equal(
      (await world.call('OPTIONS', '/v1/status', undefined, undefined, { origin: 'https://evil.example' })).status,
      403,
    )
  })

  it('has numbers for Prometheus', async () => {
    const key = await world.key('mia', 'member')
    const response = await fetch(`${world.url}/metrics`, { headers: { authorization: `Bearer ${key}` } })
    const text = await response.text()
    for (const name of [
      'chanop_facts_total',
      'chanop_deliveries{state="queued"}',
      'chanop_delivery_oldest_seconds{state="unknown"}',
      'chanop_turns{state="running"}',
      'chanop_consumer_lag{consumer="admin.commands"}',
      'chanop_network_up{network="web"} 1',
      'chanop_commit_seconds_bucket',
      'chanop_http_requests_total',
    ])
      assert.ok(text.includes(name), name)
    assert.equal((await world.call('GET', '/readyz')).json.done, undefined)
  })
})

describe('the configuration of HTTP', () => {
  const fault = (more: object): string => {
    const parsed = httpSchema.safeParse({ kind: 'http', ...more })
    return parsed.success ? '' : (parsed.error.issues[0]?.message ?? 'unknown')
  }
  it('listens beyond this machine only with TLS or behind a proxy that is named', () => {
    assert.equal(fault({}), '')
    assert.match(fault({ listen: '0.0.0.0:8642' }), /keys would cross the network readable/)
    assert.equal(fault({ listen: '0.0.0.0:8642', tls: { certificate: 'a', key: 'b' } }), '')
    assert.equal(fault({ listen: '0.0.0.0:8642', proxy: ['172.17.0.1', '10.0.0.0/8'] }), '')
    assert.equal(fault({ listen: '127.0.0.1:65536' }), 'a port is 0 to 65535')
    assert.notEqual(fault({ proxy: ['all'] }), '')
    assert.notEqual(fault({ proxy: ['10.0.0.0/33'] }), '')
    assert.notEqual(fault({ origins: ['*'] }), '')
  })
})
