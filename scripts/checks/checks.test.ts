import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { makeCertificate } from '../../adapters/irc/server/certificate.ts'
import { configSchema } from '../../config/schema.ts'
import { Ledger } from '../../core/ledger/ledger.ts'
import { keepSealed, sealedNamed } from '../../core/ledger/settings/secrets.ts'
import { dataPaths } from '../../core/paths.ts'
import { storeSecret, Vault } from '../../core/vault/secrets.ts'
import { foreignApps } from '../boot/processes.ts'
import { redisConfig } from '../boot/redis.ts'
import { instanceOf } from '../instance.ts'
import { installCommand } from '../programs/path.ts'
import { attempt, bad, demand, demandAll, good } from './check.ts'
import { checkLedger } from './ledger.ts'
import { checkClock, checkDataFolder, checkModes, checkNode, checkPm2Home } from './machine.ts'
import { checkPort } from './ports.ts'
import { checkHttpCertificates } from './services.ts'

async function dataFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chanop-checks-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('a bad finding stops a start with its fix', async () => {
  assert.equal(demand(good('a', 'b')).detail, 'b')
  assert.throws(() => demand(bad('a', 'it is broken', 'mend it')), /^ChanopError: it is broken: mend it$/)
  const thrown = await attempt('a', () => Promise.reject(new Error('no: do this')))
  assert.deepEqual(thrown, { name: 'a', ok: false, detail: 'no: do this' })
})

test('all that is in the way is said at once', () => {
  const found = [bad('a', 'port 1 is taken', 'change x'), good('b', 'free'), bad('c', 'port 2 is taken', 'change y')]
  assert.throws(() => demandAll(found), /^ChanopError: port 1 is taken: change x; port 2 is taken: change y$/)
  demandAll([good('a', 'b')])
})

test('a secret that was changed on the disk is named', async t => {
  const paths = dataPaths(await dataFolder(t))
  await checkLedger(paths, 'whole')
  const ledger = Ledger.open(paths.ledger)
  t.after(() => ledger.close())
  const vault = await Vault.open(paths.vaultKey, ledger)
  for (const name of ['whole', 'broken', 'cut'])
    await ledger.write(tx => storeSecret(tx, vault, name, 'a value', 'olga', 1))
  assert.equal((await checkLedger(paths, 'whole')).ok, true)
  const box = await ledger.read(tx => Buffer.from(sealedNamed(tx, 'broken') as Buffer))
  box[box.length - 1] = (box.at(-1) as number) ^ 1
  await ledger.write(tx => keepSealed(tx, 'broken', box, 'nobody', 2))
  await ledger.write(tx => keepSealed(tx, 'cut', box.subarray(0, 7), 'nobody', 2))
  const { ok, name, detail } = await checkLedger(paths, 'whole')
  assert.deepEqual([ok, name, detail], [false, 'secrets', 'can not be opened: broken, cut'])
  assert.equal((await checkLedger(paths, 'quick')).ok, true, 'a start goes on: the others are of use')
})

test('an old Node.js and a long home of PM2 are refused', () => {
  assert.equal(checkNode('22.5.1').ok, false)
  assert.equal(checkNode('24.0.0').ok, true)
  const at = (path: string): boolean => checkPm2Home(instanceOf({ PM2_HOME: path })).ok
  assert.deepEqual([at(`/${'p'.repeat(97)}`), at(`/${'p'.repeat(98)}`), at(`/${'é'.repeat(49)}`)], [true, false, false])
})

test('modes: what others may read is named', async t => {
  const data = await dataFolder(t)
  const paths = dataPaths(data)
  await mkdir(join(data, 'keys'), { mode: 0o700 })
  await writeFile(paths.vaultKey, '', { mode: 0o600 })
  assert.equal((await checkModes(paths)).ok, true)
  await chmod(paths.vaultKey, 0o640)
  const found = await checkModes(paths)
  assert.equal(found.ok, false)
  assert.match(found.detail, /^1 paths .*vault\.key$/)
})

test('the data folder is made, and a file in its place is said', async t => {
  const data = await dataFolder(t)
  assert.equal((await checkDataFolder(dataPaths(join(data, 'a', 'b')))).ok, true)
  await writeFile(join(data, 'file'), '')
  assert.match((await checkDataFolder(dataPaths(join(data, 'file')))).detail, /can not be made or written \(EEXIST\)/)
})

test('a clock before the newest write is found', async t => {
  const paths = dataPaths(await dataFolder(t))
  await writeFile(paths.ledger, '')
  assert.equal((await checkClock(paths)).ok, true)
  assert.match((await checkClock(paths, Date.now() - 120_000)).detail, /before the newest write/)
  assert.equal((await checkClock(paths, Date.UTC(1970, 1))).ok, false)
})

test('a taken port is named with its key, unless our own server has it', async () => {
  const squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  const address = `127.0.0.1:${(squatter.address() as AddressInfo).port}`
  const wanted = { key: 'networks.irc.listen.plain', address }
  const taken = await checkPort(wanted, [], 'c.yaml')
  assert.match(
    `${taken.detail}: ${taken.fix}`,
    /^port \d+ on 127.0.0.1 is taken: .*networks\.irc\.listen\.plain in c\.yaml$/,
  )
  const set = await checkPort({ ...wanted, chatKey: 'networks.irc.listen' }, [], 'c.yaml')
  assert.match(
    set.fix ?? '',
    /by c\.yaml alone \(CHANOP_FILE_ONLY=1 npm start\) .*\(config unset networks\.irc\.listen\)$/,
  )
  assert.equal((await checkPort(wanted, [address], 'c.yaml')).ok, true)
  squatter.close()
  await once(squatter, 'close')
  assert.equal((await checkPort(wanted, [], 'c.yaml')).ok, true)
})

test('apps of the same names are foreign when another folder or namespace has them', () => {
  const instance = instanceOf({ CHANOP_DATA: '/d' })
  const app = { id: 0, status: 'online', pid: 1, restarts: 0, startedAtMs: 0, cwd: '/' }
  const listed = [
    { ...app, name: 'redis', namespace: 'chanop', dataDir: '/d' },
    { ...app, name: 'redis', namespace: 'default', dataDir: '/d' },
    { ...app, name: 'oracle', namespace: 'chanop', dataDir: '/e' },
    { ...app, name: 'shop', namespace: 'default', dataDir: '' },
  ]
  assert.deepEqual(foreignApps(listed, ['redis', 'oracle'], instance), [listed[1], listed[2]])
})

test("Redis's configuration holds any path and opens no port", () => {
  const text = redisConfig(dataPaths('/a "b"\\c'))
  assert.match(text, /^port 0$/m)
  assert.ok(text.includes('dir "/a \\"b\\"\\\\c/redis"'))
})

test("the system's own installer is named", async t => {
  const folder = await dataFolder(t)
  await writeFile(join(folder, 'pacman'), '', { mode: 0o755 })
  assert.equal(await installCommand('redis', folder, { pacman: 'valkey' }), 'sudo pacman -S valkey')
  assert.match(await installCommand('redis', '/nowhere'), /^install redis with your system's package manager$/)
})

test('the certificates of HTTP networks are looked at, and their keys', async t => {
  const folder = await dataFolder(t)
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const http = { kind: 'http', listen: '0.0.0.0:8642', tls: { certificate, key } }
  const config = configSchema.parse({ owner: 'irc:o', networks: { web: http, plain: { kind: 'http' } }, rooms: {} })
  const found = () => checkHttpCertificates({ config }).map(({ name, ok, detail }) => `${name} ${ok} ${detail}`)
  assert.match(found().join(), /^certificate of web false tls\.certificate \S+ can not be read \(ENOENT\)$/)
  const pair = await makeCertificate(['127.0.0.1'], 10)
  await Promise.all([writeFile(certificate, pair.certificatePem), writeFile(key, pair.keyPem)])
  assert.match(found().join(), /^certificate of web true valid for \d+ days$/)
  await writeFile(certificate, (await makeCertificate(['127.0.0.1'], -1)).certificatePem)
  assert.match(found().join(), /tls\.key \S+ is not the key of/)
})
