import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, tools } from '../scripts/check.ts'

for (const tool of tools) {
  test(`${tool.name}: ${tool.args.join(' ')}`, async () => {
    const { ok, printed } = await check(tool)
    assert.ok(ok, `\n${printed}`)
  })
}
