import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const root = resolve(import.meta.dirname, '..')

interface Loaded {
  readonly packages: readonly string[]
  readonly undici: boolean
  readonly languages: readonly string[]
  /** After a collection. */
  readonly heapBytes: number
}

async function loadedBy(main: string, ...flags: string[]): Promise<Loaded> {
  const args = [...flags, join(import.meta.dirname, 'loaded.child.ts'), main]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 60_000 })
  return JSON.parse(stdout) as Loaded
}

const lean = ['--expose-gc', '--import', './core/process/lean.ts']
/** What is loaded at its first use: by whom a network of that kind, a model or a command asks for it. */
const later =
  /^(matrix-|@discordjs\/|discord|@slack\/|telegraf|fastify|@fastify\/|openai|gpt-tokenizer|@modelcontextprotocol\/|hast-|mdast-|micromark|@peculiar\/|age-|jose|re2js|smol-toml|yaml|bullmq)/

for (const bot of ['bridge', 'admin', 'oracle', 'scribe']) {
  test(`${bot} loads no library of a platform, a model or a command, and no undici, before it is used`, async () => {
    const { packages, undici, languages, heapBytes } = await loadedBy(`bots/${bot}/main.ts`, ...lean)
    assert.ok(packages.includes('zod') && packages.includes('better-sqlite3'), packages.join())
    assert.deepEqual(
      packages.filter(name => later.test(name)),
      [],
    )
    assert.equal(undici, false)
    assert.deepEqual(languages, ['en.js'])
    // 17 to 19 MB; a third of it is Node.js with what reads TypeScript, which a cache makes needless.
    assert.ok(heapBytes < 23e6, `${heapBytes}`)
  })
}

test('the supervisor of the IRC server loads zod and a log', async () => {
  const { packages, undici, heapBytes } = await loadedBy('adapters/irc/server/main.ts', ...lean)
  assert.ok(heapBytes < 16e6, `${heapBytes}`)
  assert.deepEqual(
    packages.filter(
      name => !/pino|sonic-boom|thread-stream|on-exit-leak-free|quick-format|safe-stable|atomic/.test(name),
    ),
    ['zod'],
  )
  assert.equal(undici, false)
})

test('messages of a schema are the same without the other languages', async () => {
  const script = `const { z } = await import('zod'); console.log(z.int().safeParse('x').error.issues[0].message)`
  const run = (...flags: string[]) =>
    promisify(execFile)(process.execPath, [...flags, '--input-type=module', '-e', script], { cwd: root })
  const { stdout } = await run(...lean)
  assert.equal(stdout, (await run()).stdout)
  assert.match(stdout, /expected number/)
})
