import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { shortFolder } from '../../../core/paths.ts'
import { readControl } from '../control.ts'
import { prepareServer } from './prepare.ts'
import { findPrograms, type ServerProgram } from './programs.ts'
import { folders, readSettings, settingsPath } from './settings.ts'

const { found } = await findPrograms(process.env['CHANOP_DATA'] ?? 'data')
const config = {
  listen: { plain: '127.0.0.1:26667', tls: '127.0.0.1:26697' },
  channels: ['#general'],
  owner: 'owner',
  bots: ['bridge', 'oracle'],
}

async function home(t: TestContext, prefix = 'chanop-prepare-'): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), prefix))
  t.after(() => rm(dataDir, { recursive: true, force: true }))
  return dataDir
}

/** Every file below a folder with its text. */
async function filesOf(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  return new Map(await Promise.all(files.map(async path => [path, await readFile(path, 'latin1')] as const)))
}

for (const server of ['ergo', 'inspircd'] as const) {
  const program = found.find(one => one.server === server) as ServerProgram
  describe(`preparing ${server}`, { skip: program ? false : `${server} is not here` }, () => {
    test('a second run changes nothing; a changed configuration keeps all secrets', async t => {
      const dataDir = await home(t)
      const control = await prepareServer({ dataDir, program, config })
      const before = await filesOf(dataDir)
      assert.deepEqual(await prepareServer({ dataDir, program, config }), control)
      assert.deepEqual(await filesOf(dataDir), before)
      assert.deepEqual(await readControl(dataDir), control)
      const moved = {
        ...config,
        listen: { plain: '127.0.0.1:36667', tls: '[::1]:36697' },
        bots: [...config.bots, 'scribe'],
      }
      const after = await prepareServer({ dataDir, program, config: moved })
      assert.deepEqual([after.plain.port, after.tls.host, after.tls.port], [36667, '::1', 36697])
      assert.deepEqual({ ...after.accounts, scribe: undefined }, { ...control.accounts, scribe: undefined })
      assert.deepEqual([after.oper, after.tls.fingerprint], [control.oper, control.tls.fingerprint])
    })

    test('nobody else can read any of it, whatever the umask', async t => {
      const dataDir = await home(t)
      const umask = process.umask(0)
      t.after(() => process.umask(umask))
      await prepareServer({ dataDir, program, config })
      for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
        const { mode } = await stat(join(entry.parentPath, entry.name))
        assert.equal(mode & 0o777, entry.isDirectory() ? 0o700 : 0o600, entry.name)
      }
    })

    test('settings that the next start refuses to read are not written', async t => {
      const dataDir = await home(t)
      await prepareServer({ dataDir, program, config })
      const before = await filesOf(dataDir)
      const broken = { ...config, listen: { ...config.listen, plain: '127.0.0.1:0' } }
      await assert.rejects(prepareServer({ dataDir, program, config: broken }), /plain/)
      assert.deepEqual(await filesOf(dataDir), before)
    })

    test('a damaged file of passwords is never replaced', async t => {
      const dataDir = await home(t)
      await prepareServer({ dataDir, program, config })
      await writeFile(settingsPath(dataDir), '{"program":')
      await assert.rejects(prepareServer({ dataDir, program, config }), /server\.json is damaged: restore it/)
      assert.equal(await readFile(settingsPath(dataDir), 'utf8'), '{"program":')
    })

    test('a configuration that the server refuses leaves the old one in place', async t => {
      const dataDir = await home(t)
      await prepareServer({ dataDir, program, config })
      const before = await filesOf(dataDir)
      await rm(join(folders(dataDir).ircd, 'key.pem'))
      await writeFile(join(folders(dataDir).ircd, 'key.pem'), 'not a key')
      const broken = { ...config, listen: { ...config.listen, plain: '127.0.0.1:36667' } }
      await assert.rejects(prepareServer({ dataDir, program, config: broken }), /refuses its configuration/)
      const after = await filesOf(dataDir)
      for (const [path, text] of before) if (!path.endsWith('key.pem')) assert.equal(after.get(path), text, path)
    })

    test('a folder that can not be written is one line', {
      skip: process.getuid?.() === 0 ? 'root may write anywhere' : false,
    }, async t => {
      const dataDir = await home(t)
      await chmod(dataDir, 0o500)
      await assert.rejects(prepareServer({ dataDir, program, config }), /give the data folder to the user/)
      await chmod(dataDir, 0o700)
    })
  })
}

test('InspIRCd refuses a data folder whose path it could not use', {
  skip: !found.some(one => one.server === 'inspircd'),
}, async t => {
  const program = found.find(one => one.server === 'inspircd') as ServerProgram
  const quoted = await home(t, 'chanop-"-')
  await assert.rejects(prepareServer({ dataDir: quoted, program, config }), /can not read/)
  const odd = await home(t, "chanop é & <'>-")
  t.after(() => rm(shortFolder(odd), { recursive: true, force: true }))
  await prepareServer({ dataDir: odd, program, config })
  assert.equal((await readSettings(odd)).program.server, 'inspircd')
})
