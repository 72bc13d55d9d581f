import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../core/ledger/testing.ts'

const scripts = 'start stop doctor chat export import backup restore uninstall claim passwd sbom'.split(' ')

for (const name of scripts) {
  test(`npm run ${name}: asked for help or for what it does not know it does nothing else`, async t => {
    const folder = temporaryFolder(t)
    const at = (part: string): string => join(folder, part)
    const env = { ...process.env, CHANOP_DATA: at('data'), CHANOP_CONFIG: at('c.yaml'), PM2_HOME: at('pm2') }
    const run = (...args: string[]): Promise<{ code: unknown; out: string; error: string }> =>
      new Promise(done => {
        const child = execFile(
          process.execPath,
          [join(import.meta.dirname, `${name}.ts`), ...args],
          { env },
          (failed, out, error) => done({ code: failed?.code ?? 0, out, error }),
        )
        child.stdin?.end()
      })
    const [asked, wrong] = await Promise.all([run('--help'), run('x', 'y', 'z')])
    assert.deepEqual([asked.code, asked.error], [0, ''])
    assert.match(asked.out, new RegExp(`^(usage: )?npm (run )?${name}\\b`))
    assert.deepEqual([wrong.code, wrong.out], [1, ''])
    assert.match(wrong.error, /^chanop: (what is [xyz]\?|say matterbridge and a file|Unexpected argument 'x')/)
    assert.deepEqual(
      ['data', 'c.yaml', 'pm2'].filter(part => existsSync(at(part))),
      [],
    )
  })
}
