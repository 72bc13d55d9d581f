import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { processLives, processName } from './process-name.ts'

test('this process lives; one that ended does not, nor another that got its number', async () => {
  const name = processName()
  assert.ok(processLives(name))
  const [boot, pid, born] = name.split(' ')
  assert.ok(!processLives(`${boot} ${pid} ${Number(born) + 1}`))
  assert.ok(!processLives(`other ${pid} ${born}`))
  const url = new URL('process-name.ts', import.meta.url)
  const child = spawn(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { processName } from '${url.href}'; process.stdout.write(processName()); process.stdin.resume()`,
  ])
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  assert.ok(processLives(said.toString()))
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.ok(!processLives(said.toString()))
})
