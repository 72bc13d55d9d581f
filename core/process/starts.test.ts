import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { type Child, runChild, temporaryFolder } from '../ledger/testing.ts'
import { noteReady, noteStart } from './starts.ts'

it('waits longer each time, and not at all once it was ready or a minute is over', t => {
  const data = temporaryFolder(t)
  const start = (nowMs?: number): number => noteStart(data, 'bot', nowMs)
  assert.deepEqual([start(), start(), start(), start()], [0, 100, 200, 400])
  for (let n = 0; n < 20; n++) start()
  assert.equal(start(), 15_000)
  assert.equal(start(Date.now() + 61_000), 0)
  start()
  noteReady(data, 'bot')
  assert.equal(start(), 0)
  noteReady(data, 'other')
  assert.equal(noteStart(data, 'other'), 0)
})

it('where it can not be counted, a start waits a second', t => {
  const data = temporaryFolder(t)
  writeFileSync(join(data, 'run'), '')
  assert.equal(noteStart(data, 'bot'), 1000)
})

function start(t: TestContext, data: string, manner?: string): Child {
  writeFileSync(join(data, 'chanop.yaml'), 'name: first\n')
  const env = { name: 'tester', CHANOP_DATA: data, CHANOP_CONFIG: join(data, 'chanop.yaml'), CHANOP_LOG: '' }
  const pause = join(import.meta.dirname, 'pause.ts')
  const program = join(import.meta.dirname, 'testing-bot.ts')
  return runChild(t, [process.execPath, '--import', pause, program, ...(manner ? [manner] : [])], { env, ipc: true })
}

it('a bot that ends before it is ready waits the longer; one that was ready is killed and starts at once', async t => {
  const data = temporaryFolder(t)
  for (let n = 0; n < 3; n++) await start(t, data, 'crash').ended
  assert.equal(noteStart(data, 'tester'), 400)
  for (let n = 0; n < 3; n++) {
    const child = start(t, data)
    await once(child.process, 'message')
    child.process.kill('SIGKILL')
    await child.ended
  }
  assert.equal(noteStart(data, 'tester'), 0)
})
