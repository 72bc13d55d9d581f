import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { configSchema } from '../config/schema.ts'
import { Ledger } from '../core/ledger/ledger.ts'
import { Settings } from '../core/settings/settings.ts'
import { resolveSecret, Vault } from '../core/vault/secrets.ts'

test('a matterbridge.toml is imported on the host: settings into the ledger, tokens into the vault', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'chanop-import-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const config = join(folder, 'chanop.yaml')
  writeFileSync(config, 'networks: { memory: { kind: memory } }\n')
  const file = join(folder, 'matterbridge.toml')
  const gateway = '[[gateway]]\nname="far"\nenable=true\n[[gateway.inout]]\naccount="irc.far"\nchannel="#far"\n'
  writeFileSync(
    file,
    `[irc.far]\nNick="us"\nServer="irc.example.org:6697"\nUseTLS=true\nPassword="hunter2"\n${gateway}`,
  )
  const env = { ...process.env, CHANOP_CONFIG: config, CHANOP_DATA: join(folder, 'data') }
  const run = (...args: string[]): Promise<string> =>
    new Promise(done => {
      execFile(process.execPath, [join(import.meta.dirname, 'import.ts'), ...args], { env }, (_, out, errors) =>
        done(out + errors),
      )
    })
  assert.match(await run(), /^chanop: say matterbridge and a file\nusage: npm run import -- matterbridge FILE/)
  assert.match(await run('matterbridge', join(folder, 'none')), /^chanop: there is no file /)
  assert.match(await run('matterbridge', folder), /^chanop: the path that was given: is a folder, .*: name a file\n$/)
  assert.equal(await run('matterbridge', file), 'networks: far (irc)\nroom far: far:#far\n')
  const ledger = Ledger.open(join(folder, 'data', 'ledger.db'))
  t.after(() => ledger.close())
  const { current } = await Settings.open(config, configSchema, ledger)
  assert.deepEqual(current.rooms['far']?.places, ['far:#far'])
  const vault = await Vault.open(join(folder, 'data', 'keys', 'vault.key'), ledger)
  assert.equal(await ledger.read(db => resolveSecret(db, vault, 'secret:far.server', {})), 'hunter2')
})
