/** Each tool, tried by keys that may not use it. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { until } from '../../../bots/bridge/testing.ts'
import { readPublished } from '../../../core/command/help/published.ts'
import { type AuditRow, readAudit } from '../../../core/ledger/audit/audit.ts'
import { callMcp, type McpReply } from '../testing/mcp.ts'
import { openWorld, type World } from '../testing/world.ts'
import { toolName } from './server.ts'

interface Schema {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly minLength?: number
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
}
interface Tool {
  readonly name: string
  readonly inputSchema: Schema
}

/** Something that fits a schema. */
function fitting(schema: Schema): unknown {
  if (schema.enum) return schema.enum[0]
  switch (schema.type) {
    case 'object':
      return Object.fromEntries((schema.required ?? []).map(key => [key, fitting(schema.properties?.[key] ?? {})]))
    case 'integer':
    case 'number':
      return schema.minimum ?? 1
    case 'boolean':
      return false
    case 'array':
      return [fitting(schema.items ?? {})]
    default:
      return 'x'.repeat(schema.minLength ?? 1)
  }
}

describe('tools that a key may not use', () => {
  let world: World
  let tools: readonly Tool[]
  const closing: (() => void | Promise<void>)[] = []

  const call = <T>(key: string, method: string, params: object): Promise<McpReply<T>> =>
    callMcp(world, key, method, params)

  /** All that the audit has of an account, once nothing more of `count` calls is missing. */
  const audited = (account: string, count: number): Promise<readonly AuditRow[]> =>
    until(async () => {
      const rows = await world.house.ledger.read(tx => readAudit(tx, { account }, 1000))
      return rows.length >= count ? rows : null
    }, `${count} lines of ${account}`)

  before(async () => {
    world = await openWorld({ after: done => closing.push(done) })
    const owner = await world.key('olga', 'owner')
    const { result } = await call<{ tools: readonly Tool[] }>(owner, 'tools/list', {})
    tools = result?.tools ?? []
    assert.ok(tools.length > 50)
  })
  after(async () => {
    for (const done of closing) await done()
  })

  it('are no tools of a key without rights, and each try is in the audit', async () => {
    const nothing = await world.key('tim', 'owner', { scopes: [], account: 'nothing' as never })
    for (const { name, inputSchema } of tools) {
      const { error } = await call(nothing, 'tools/call', { name, arguments: fitting(inputSchema) })
      assert.ok(error, name)
    }
    const together = await world.call('POST', '/mcp', nothing, [
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'together', arguments: {} } },
      { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'and_this', arguments: {} } },
    ])
    assert.ok(together.status < 500)
    const rows = await audited('nothing', tools.length + 2)
    assert.ok(rows.every(({ decision, result }) => decision === 'denied' && result === 'the key has no scope command'))
    assert.deepEqual(
      new Set(rows.map(({ command }) => command)),
      new Set([...tools.map(({ name }) => name), 'together', 'and_this'].map(name => `tool ${name}`)),
    )
  })

  it('are refused where they are more than its owner’s role allows, and each try is in the audit', async () => {
    const guest = await world.key('gus', 'guest', { account: 'gus-key' as never })
    const beyond = await world.house.ledger.read(tx => readPublished(tx).filter(({ role }) => role !== 'guest'))
    const wanted = new Map(beyond.map(({ name }) => [toolName(name), name]))
    const tried = tools.filter(({ name }) => wanted.has(name))
    assert.ok(tried.length > 40, `${tried.length}`)
    for (const { name, inputSchema } of tried) {
      const { result, error } = await call<{ isError?: boolean }>(guest, 'tools/call', {
        name,
        arguments: fitting(inputSchema),
      })
      assert.ok(error || result?.isError, name)
    }
    const rows = await audited('gus-key', tried.length)
    assert.deepEqual(
      rows.filter(({ decision }) => decision === 'allowed'),
      [],
    )
    assert.deepEqual(new Set(rows.map(({ command }) => command)), new Set(tried.map(({ name }) => wanted.get(name))))
  })
})
