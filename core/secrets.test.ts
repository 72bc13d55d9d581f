import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { ChanopError } from './error.ts'
import { dropSecret, listSecrets } from './ledger/secrets.ts'
import { temporaryFolder, temporaryLedger } from './ledger/testing.ts'
import { newPassword, resolveSecret, storeSecret, Vault } from './secrets.ts'

const code = (wanted: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ChanopError, String(error))
  assert.equal(error.code, wanted)
  assert.match(error.message, message)
  assert.doesNotMatch(error.message, /hunter2/)
  return true
}

async function opened(t: TestContext) {
  const keyFile = join(temporaryFolder(t), 'keys', 'vault.key')
  const ledger = temporaryLedger(t)
  return { keyFile, ledger, vault: await Vault.open(keyFile, ledger) }
}

it('seals and opens any text, for one name alone', async t => {
  const { vault } = await opened(t)
  for (const value of ['hunter2', '', '🔑\0\n', 'x'.repeat(100_000)]) {
    const box = vault.seal('secret:a', value)
    assert.equal(vault.open('secret:a', box), value)
    assert.ok(!box.includes('hunter2'))
    assert.throws(() => vault.open('secret:b', box), code('vault-locked', /secret:b was changed/))
  }
})

it('finds a flipped bit anywhere: format, key id, nonce, tag and text', async t => {
  const { vault } = await opened(t)
  const box = vault.seal('a', 'hunter2')
  for (let bit = 0; bit < box.length * 8; bit++) {
    const changed = Buffer.from(box)
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
    assert.throws(() => vault.open('a', changed), code('vault-locked', /^the secret a was/), `bit ${bit}`)
  }
  for (let length = 0; length < box.length; length++) {
    assert.throws(() => vault.open('a', box.subarray(0, length)), code('vault-locked', /^the secret a was/))
  }
})

it('uses a nonce once: 10,000 boxes, 10,000 nonces', async t => {
  const { vault } = await opened(t)
  const nonces = new Set(Array.from({ length: 10_000 }, () => vault.seal('a', 'x').subarray(5, 17).toString('hex')))
  assert.equal(nonces.size, 10_000)
})

it('makes a key of its own, for its owner alone, and finds it again', async t => {
  const { keyFile, ledger, vault } = await opened(t)
  assert.equal(vault.locked, null)
  assert.equal(statSync(keyFile).mode & 0o777, 0o600)
  assert.equal(statSync(dirname(keyFile)).mode & 0o777, 0o700)
  assert.deepEqual(readdirSync(dirname(keyFile)), ['vault.key'])
  const box = vault.seal('a', 'hunter2')
  assert.equal((await Vault.open(keyFile, ledger)).open('a', box), 'hunter2')
})

it('two processes that make it at once have the same key', async t => {
  const { keyFile, ledger } = await opened(t)
  const [a, b] = await Promise.all([Vault.open(keyFile, ledger), Vault.open(keyFile, ledger)])
  assert.equal(b.open('a', a.seal('a', 'hunter2')), 'hunter2')
})

it('another key: locked, nothing overwritten, and well again when the right one is back', async t => {
  const { keyFile, ledger, vault } = await opened(t)
  await ledger.write(db => storeSecret(db, vault, 'TOKEN', 'hunter2', 'alice', 1))
  const right = readFileSync(keyFile)
  const wrong = `${randomBytes(32).toString('base64')}\n`
  writeFileSync(keyFile, wrong)
  const locked = await Vault.open(keyFile, ledger)
  assert.match(locked.locked ?? '', /is another key than the one in use/)
  assert.throws(() => locked.seal('a', 'x'), code('vault-locked', /another key/))
  await assert.rejects(
    ledger.write(db => storeSecret(db, locked, 'TOKEN', 'new', 'alice', 2)),
    code('vault-locked', /another key/),
  )
  await assert.rejects(
    ledger.read(db => resolveSecret(db, locked, 'secret:TOKEN', {})),
    code('vault-locked', /another key/),
  )
  assert.equal(readFileSync(keyFile, 'utf8'), wrong)
  writeFileSync(keyFile, right)
  const well = await Vault.open(keyFile, ledger)
  assert.equal(await ledger.read(db => resolveSecret(db, well, 'secret:TOKEN', {})), 'hunter2')
})

it('no key beside what was sealed with one: locked, and no new key is made', async t => {
  const { keyFile, ledger, vault } = await opened(t)
  const box = vault.seal('a', 'hunter2')
  renameSync(keyFile, `${keyFile}.away`)
  const locked = await Vault.open(keyFile, ledger)
  assert.match(locked.locked ?? '', /is missing: put it back/)
  assert.equal(existsSync(keyFile), false)
  renameSync(`${keyFile}.away`, keyFile)
  assert.equal((await Vault.open(keyFile, ledger)).open('a', box), 'hunter2')
})

it('a damaged key file: locked', async t => {
  const { keyFile, ledger } = await opened(t)
  for (const damaged of ['', 'c2hvcnQ=', 'not base64 at all']) {
    writeFileSync(keyFile, damaged)
    assert.match((await Vault.open(keyFile, ledger)).locked ?? '', /holds no 32-byte key/)
  }
  rmSync(keyFile)
})

it('references are resolved from the environment or the vault, and a missing one says how to set it', async t => {
  const { ledger, vault } = await opened(t)
  const resolve = (reference: string, env = {}) => ledger.read(db => resolveSecret(db, vault, reference, env))
  await ledger.write(db => storeSecret(db, vault, 'TOKEN', 'hunter2', 'alice', 5))
  assert.equal(await resolve('secret:TOKEN'), 'hunter2')
  assert.equal(await resolve('env:TOKEN', { TOKEN: 'from outside' }), 'from outside')
  await assert.rejects(resolve('env:TOKEN'), code('secret-missing', /export TOKEN=/))
  await assert.rejects(resolve('env:TOKEN', { TOKEN: '' }), code('secret-missing', /TOKEN is not set/))
  await assert.rejects(resolve('secret:OTHER'), code('secret-missing', /!secret set OTHER/))
  assert.deepEqual(await ledger.read(listSecrets), [{ name: 'TOKEN', by: 'alice', atMs: 5 }])
  await ledger.write(db => storeSecret(db, vault, 'TOKEN', 'newer', 'bob', 6))
  assert.equal(await resolve('secret:TOKEN'), 'newer')
  assert.equal(await ledger.write(db => dropSecret(db, 'TOKEN')), true)
  assert.equal(await ledger.write(db => dropSecret(db, 'TOKEN')), false)
})

it('a box that is moved to another name in the ledger is refused', async t => {
  const { ledger, vault } = await opened(t)
  await ledger.write(db => {
    storeSecret(db, vault, 'PUBLIC', 'hunter2', 'alice', 1)
    storeSecret(db, vault, 'ADMIN', 'hunter3', 'alice', 1)
    db.exec("UPDATE secret SET sealed = (SELECT sealed FROM secret WHERE name = 'PUBLIC') WHERE name = 'ADMIN'")
  })
  await assert.rejects(
    ledger.read(db => resolveSecret(db, vault, 'secret:ADMIN', {})),
    code('vault-locked', /secret:ADMIN was changed on the disk/),
  )
})

it('no value stands in the ledger in clear', async t => {
  const { ledger, vault } = await opened(t)
  await ledger.write(db => storeSecret(db, vault, 'TOKEN', 'canary-hunter2', 'alice', 1))
  ledger.checkpoint()
  assert.equal(readFileSync(ledger.path).includes('canary-hunter2'), false)
})

it('a new password has only letters that every client and service takes, and is no option of a command line', () => {
  const passwords = Array.from({ length: 5000 }, newPassword)
  for (const password of passwords) assert.match(password, /^[A-Za-z0-9_][A-Za-z0-9_-]{31}$/)
  assert.equal(new Set(passwords).size, passwords.length)
})
