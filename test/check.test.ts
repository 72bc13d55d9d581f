import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runTool, tools } from '../scripts/check.ts'

for (const tool of tools) {
  test(`${tool.name}: ${tool.args.join(' ')}`, async () => {
    const { ok, printed } = await runTool(tool)
    assert.ok(ok, `\n${printed}`)
  })
}
