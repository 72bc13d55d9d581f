import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type Child, runChild, temporaryFolder } from '../ledger/testing.ts'
import { Compiling } from './compilers.ts'

const flags = ['--allow-natives-syntax', '--import', join(import.meta.dirname, 'lean.ts')]

function bot(t: TestContext, manner: string): Child {
  const folder = temporaryFolder(t)
  const config = join(folder, 'chanop.yaml')
  writeFileSync(config, 'name: first\n')
  const env = { CHANOP_DATA: join(folder, 'data'), CHANOP_CONFIG: config, CHANOP_LOG: '' }
  const command = [process.execPath, ...flags, join(import.meta.dirname, 'testing-bot.ts'), manner]
  return runChild(t, command, { env, ipc: true })
}

/** CPU time so far at each look, ms, of a process that was ready at 1,000. Returns the number of the look from which on it is compiled. */
function compiledAt(spentMs: readonly number[]): number {
  const compiling = new Compiling()
  compiling.begin(1000)
  let usedMs = 1000
  return spentMs.findIndex(ms => compiling.look((usedMs += ms)))
}

describe("V8's compilers", { concurrency: 2 }, () => {
  it('are off while a bot starts, and on when it works', async t => {
    const child = bot(t, 'work')
    await child.line(/^interpreted$/)
    const [message] = (await once(child.process, 'message')) as [unknown]
    assert.equal(message, 'ready')
    await child.line(/^compiled after/)
  })

  it('are on for a bot that works for long before it is ready', async t => {
    const child = bot(t, 'work-unready')
    await child.line(/^interpreted$/)
    const line = await child.line(/^compiled after/)
    assert.ok(Number(/\d+/.exec(line)?.[0]) >= 10, line)
    const before = child.lines.slice(0, child.lines.indexOf(line))
    assert.ok(!before.some(said => said.includes('"ready"')))
  })

  it('stay off at rest and for what the start of others brings, and come with work', () => {
    assert.equal(compiledAt(Array.from({ length: 1000 }, () => 5)), -1)
    assert.equal(compiledAt([90, 60, 4, 4, 4, 4, 40, 4]), -1)
    assert.equal(compiledAt([3, 400]), 1)
    assert.equal(compiledAt(Array.from({ length: 20 }, () => 40)), 6)
  })
})
