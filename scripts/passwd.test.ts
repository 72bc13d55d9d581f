import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { accountsFor } from '../adapters/irc/accounts/index.ts'
import { availableServers, startErgo, startInspircd } from '../adapters/irc/server/testing.ts'

const run = promisify(execFile)
const starters = { ergo: startErgo, inspircd: startInspircd } as const
const available = await availableServers()

for (const kind of ['ergo', 'inspircd'] as const) {
  const reason = available.find(server => server.kind === kind)?.reason ?? false
  test(`npm run passwd recovers any account on ${kind}`, { skip: reason }, async t => {
    const server = await starters[kind](t)
    assert.ok(server.control)
    const passwd = (account: string): Promise<{ stdout: string; stderr: string }> =>
      run(process.execPath, [join(import.meta.dirname, 'passwd.ts'), account], {
        env: { ...process.env, CHANOP_DATA: server.dataDir },
        timeout: 30_000,
      })
    const accounts = accountsFor(server.control)
    t.after(() => accounts.close())
    await server.account('bob')
    await accounts.addCertificate('bob', 'ab'.repeat(32))
    for (const account of ['owner', 'bob']) {
      const said = (await passwd(account)).stdout
      const password = new RegExp(`^account=${account} password=(\\S+)$`, 'm').exec(said)?.[1] ?? ''
      assert.ok(await accounts.verify(account, password), said)
    }
    assert.deepEqual(await accounts.certificates('bob'), [])
    const login = await readFile(join(server.dataDir, 'owner-login'), 'utf8')
    const password = /^account=owner password=(\S+)$/m.exec(login)?.[1] ?? ''
    assert.ok(await accounts.verify('owner', password))
    await assert.rejects(passwd('nobody-there'), /chanop: there is no account nobody-there/)
    await assert.rejects(passwd('chanop-control'), /chanop: chanop-control is an account of Chanop's own/)
    await server.kill('SIGKILL')
    await assert.rejects(passwd('owner'), /chanop: \w+ does not answer on [\d.:]+: npm start; /)
  })
}
