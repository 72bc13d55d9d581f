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
  const held = await hold(lock, 'npm start')
  await assert.rejects(
    hold(lock, 'npm start'),
    new RegExp(`npm start is at work already \\(process ${process.pid}, since 2`),
  )
  await held[Symbol.asyncDispose]()
  await (await hold(lock, 'npm stop'))[Symbol.asyncDispose]()
  assert.deepEqual(await readdir(join(lock, '..')), [])
})

test('of many at once exactly one gets it', async t => {
  const lock = await lockIn(t)
  // A holder that has died: all see it at the same moment.
  const child = spawn('true')
  await once(child, 'close')
  await writeFile(lock, JSON.stringify({ what: 'x', pid: child.pid, since: 'then', born: '1' }))
  // They try at one word, and who gets it keeps it until all have said what became of them.
  const script = `import { hold } from ${JSON.stringify(join(import.meta.dirname, 'hold.ts'))}
    console.log('ready')
    process.stdin.once('data', () => hold(process.argv[1], 'x').then(() => console.log('mine'), () => console.log('not mine')))`
  const ones = Array.from({ length: 6 }, () => spawn(process.execPath, ['--input-type=module', '-e', script, lock]))
  t.after(() => ones.forEach(one => one.kill('SIGKILL')))
  const word = async (one: (typeof ones)[number]): Promise<string> => String((await once(one.stdout, 'data'))[0]).trim()
  await Promise.all(ones.map(word))
  const words = ones.map(word)
  for (const one of ones) one.stdin.write('go')
  const said = await Promise.all(words)
  assert.equal(said.filter(text => text === 'mine').length, 1, said.join())
})

test('a later process of the same number is not the holder', async t => {
  const lock = await lockIn(t)
  await writeFile(lock, JSON.stringify({ what: 'x', pid: process.pid, since: 'then', born: '1' }))
  const held = await hold(lock, 'npm start')
  assert.match(await readFile(lock, 'utf8'), /npm start/)
  await held[Symbol.asyncDispose]()
})

test('kill -9 of its holder frees it', async t => {
  const lock = await lockIn(t)
  const script = `import { hold } from ${JSON.stringify(join(import.meta.dirname, 'hold.ts'))}
    await hold(process.argv[1], 'x'); console.log('mine'); setInterval(() => {}, 1000)`
  for (let round = 0; round < 3; round += 1) {
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script, lock])
    t.after(() => holder.kill('SIGKILL'))
    await once(holder.stdout, 'data')
    await assert.rejects(hold(lock, 'npm start'), new RegExp(`process ${holder.pid}`))
    holder.kill('SIGKILL')
    await once(holder, 'close')
  }
  await (await hold(lock, 'npm start'))[Symbol.asyncDispose]()
})

test('a holder with nothing left to do may end', async t => {
  const lock = await lockIn(t)
  const script = `import { hold } from ${JSON.stringify(join(import.meta.dirname, 'hold.ts'))}
    await hold(process.argv[1], 'x')`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script, lock], { timeout: 20_000 })
  assert.deepEqual(await once(holder, 'close'), [0, null])
  await (await hold(lock, 'npm start'))[Symbol.asyncDispose]()
})
