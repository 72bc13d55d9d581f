import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Ledger } from '../core/ledger/ledger.ts'
import { keepSealed, sealedNamed } from '../core/ledger/settings/secrets.ts'
import { temporaryFolder } from '../core/ledger/testing.ts'
import { dataPaths } from '../core/paths.ts'
import { storeSecret, Vault } from '../core/vault/secrets.ts'

const doctor = (env: Record<string, string>) =>
  spawnSync(process.execPath, [join(import.meta.dirname, 'doctor.ts')], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  })

test('before the first start there is one thing to say, and nothing is made; a lost ledger is another matter', t => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const env = { CHANOP_DATA: data, CHANOP_CONFIG: join(folder, 'c.yaml'), PM2_HOME: join(folder, 'p') }
  const first = doctor(env)
  assert.equal(first.status, 1)
  assert.match(first.stdout, /\nNothing was started here yet: npm start sets up what is missing and starts it\.\n$/)
  assert.ok(!existsSync(data))
  mkdirSync(join(data, 'keys'), { recursive: true, mode: 0o700 })
  writeFileSync(join(data, 'keys', 'vault.key'), 'x', { mode: 0o600 })
  const lost = doctor(env)
  assert.equal(lost.status, 1)
  assert.doesNotMatch(lost.stdout, /Nothing was started/)
  assert.match(lost.stdout, /✗ ledger +there is none yet/)
})

/** A ledger with a secret that is cut off, and a key that others may read. */
async function plantLedger(data: string): Promise<void> {
  const paths = dataPaths(data)
  mkdirSync(data, { mode: 0o700 })
  const ledger = Ledger.open(paths.ledger)
  const vault = await Vault.open(paths.vaultKey, ledger)
  await ledger.write(tx => {
    storeSecret(tx, vault, 'broken', 'a value', 'olga', 1)
    keepSealed(tx, 'broken', (sealedNamed(tx, 'broken') as Buffer).subarray(0, 9), 'nobody', 2)
  })
  ledger.close()
  chmodSync(paths.vaultKey, 0o644)
}

async function squat(t: TestContext): Promise<string> {
  const squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  t.after(() => squatter.close())
  return `127.0.0.1:${(squatter.address() as AddressInfo).port}`
}

test('of many faults at once each is found, and each says what to do', async t => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  await plantLedger(data)
  const [tls, plain, http] = [await squat(t), await squat(t), await squat(t)]
  const networks = {
    irc: { kind: 'irc', managed: true, listen: { tls, plain } },
    http: { kind: 'http', listen: http, tls: { certificate: '/nowhere/cert.pem', key: '/nowhere/key.pem' } },
    chat: { kind: 'discord', token: 'env:PLANTED_TOKEN' },
    news: { kind: 'telegram', token: 'secret:planted' },
  }
  const models = { mini: { provider: 'openai', model: 'x', baseUrl: 'http://127.0.0.1:1/v1', apiKey: null } }
  writeFileSync(join(folder, 'c.yaml'), JSON.stringify({ owner: 'irc:owner', networks, models }))
  const pm2 = join(folder, 'p'.repeat(100))
  const { stdout, status } = doctor({ CHANOP_DATA: data, CHANOP_CONFIG: join(folder, 'c.yaml'), PM2_HOME: pm2 })
  assert.equal(status, 1)
  const wrong = new Map(
    [...stdout.matchAll(/^ +✗ (.*?) {2,}(.*)$/gm)].map(([, name = '', words = '']) => [name, words]),
  )
  const planted = ['PM2 home', 'file modes', 'secrets', `port ${tls}`, `port ${plain}`, `port ${http}`, 'redis bus']
  planted.push(
    'irc server',
    'certificate',
    'certificate of http',
    'env:PLANTED_TOKEN of chat',
    'secret:planted of news',
  )
  planted.push('model mini', 'redis', 'ircd', 'bridge', 'admin', 'oracle', 'scribe')
  assert.deepEqual([...wrong.keys()].filter(name => !name.endsWith(' program')).sort(), planted.sort())
  for (const [name, words] of wrong) {
    assert.match(words, /: \S/, `${name}: ${words}`)
    assert.doesNotMatch(words, /no such file|at .*:\d+/, name)
  }
})

test('no model is a hint, and no fault', async t => {
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  await plantLedger(data)
  const networks = { chat: { kind: 'telegram', token: 'env:SOME_TOKEN' } }
  writeFileSync(join(folder, 'c.yaml'), JSON.stringify({ owner: 'chat:1', networks }))
  const { stdout } = doctor({ CHANOP_DATA: data, CHANOP_CONFIG: join(folder, 'c.yaml'), PM2_HOME: join(folder, 'p') })
  assert.match(stdout, /^ +✓ models +none is on, so oracle does not answer \(all else works\): !model add, /m)
})
