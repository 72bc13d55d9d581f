import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { hold } from './hold.ts'

async function lockIn(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chanop-hold-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'lock')
}

test('only one holds it, and the other hears who', async t => {
  const lock = await lockIn(t)
  const release = await hold(lock, 'npm start')
  await assert.rejects(
    hold(lock, 'npm start'),
    new RegExp(`npm start is at work already \\(process ${process.pid}, since 2`),
  )
  await release()
  await (await hold(lock, 'npm stop'))()
  assert.deepEqual(await readdir(join(lock, '..')), [])
})

test('of many at once exactly one gets it', async t => {
  const lock = await lockIn(t)
  // A holder that has died: all see it at the same moment.
  const child = spawn('true')
  await once(child, 'close')
  await writeFile(lock, JSON.stringify({ what: 'x', pid: child.pid, since: 'then', born: '1' }))
  const script = `import { hold } from ${JSON.stringify(join(import.meta.dirname, 'hold.ts'))}
    try { await hold(process.argv[1], 'x'); console.log('mine'); setTimeout(() => {}, 1500) } catch { console.log('not mine') }`
  const said = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const one = spawn(process.execPath, ['--input-type=module', '-e', script, lock])
      let text = ''
      one.stdout.on('data', chunk => (text += chunk))
      await once(one, 'close')
      return text.trim()
    }),
  )
  assert.equal(said.filter(text => text === 'mine').length, 1, said.join())
})

test('a later process of the same number is not the holder', async t => {
  const lock = await lockIn(t)
  await writeFile(lock, JSON.stringify({ what: 'x', pid: process.pid, since: 'then', born: '1' }))
  const release = await hold(lock, 'npm start')
  assert.match(await readFile(lock, 'utf8'), /npm start/)
  await release()
})
