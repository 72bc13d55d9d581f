import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ChanopError } from '../error.ts'
import type { ChannelId, NetworkId } from '../event.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { enqueue } from '../ledger/out/deliveries.ts'
import { keepLetter } from '../ledger/out/inbox.ts'
import { placeOrder } from '../ledger/out/orders.ts'
import { keepBatch, keepLogin } from '../ledger/people/claims.ts'
import { boxes, boxTables } from '../ledger/record/boxes.ts'
import { dropSecret, listSecrets } from '../ledger/settings/secrets.ts'
import { sql } from '../ledger/sqlite.ts'
import { temporaryFolder, temporaryLedger } from '../ledger/testing.ts'
import { newPassword } from '../new-password.ts'
import { sealedDraft } from '../say.ts'
import { damagedSecrets, resolveSecret, storeSecret, Vault } from './secrets.ts'

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

/** What is sealed, wherever it may be. */
async function fill(ledger: Ledger, vault: Vault): Promise<void> {
  await ledger.write(db => {
    for (const name of ['ONE', 'TWO']) storeSecret(db, vault, name, `hunter-${name}`, 'alice', 1)
    const sealed = (name: string): Buffer => vault.seal(name, 'hunter2')
    const order = { key: 'k1', network: 'irc' as NetworkId, kind: 'account.create', args: {} } as const
    placeOrder(db, { ...order, sealed: sealed('order:k1') }, 1)
    keepLogin(db, 'hash1', { agent: 'bob', sealed: sealed('claim:hash1') }, Date.now() + 1e6)
    keepBatch(db, { id: 'b1', sealed: sealed('batch:b1') }, 'register')
    const letter = { network: 'api', delivery: 'd1', channel: '#a', reply: null, body: '{}' }
    keepLetter(db, { ...letter, sealed: sealed('inbox') }, 1)
    const place = { network: 'irc' as NetworkId, channel: '@bob' as ChannelId }
    enqueue(db, { place, bot: 'admin', act: { do: 'send', ...sealedDraft(vault, 'admin', 'hunter2') } }, 1)
  })
}

/** Whether everything opens, and how many keys are named. */
const state = (ledger: Ledger, vault: Vault): Promise<{ opens: boolean; keys: number; boxes: number }> =>
  ledger.read(db => {
    const all = boxes(db)
    const values = all.map(({ name, sealed }) => vault.open(name, sealed))
    const ids = new Set(all.map(({ sealed }) => sealed.subarray(1, 5).toString('hex')))
    return { opens: values.every(value => value.includes('hunter')), keys: ids.size, boxes: all.length }
  })

const whole = { opens: true, keys: 1, boxes: 7 }
const soonMs = 120_000

it('every column with a box is known to a change of the key', async t => {
  const { ledger, vault } = await opened(t)
  const tables = await ledger.read(db =>
    sql(
      db,
      `SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
       WHERE m.type = 'table' AND c.name = 'sealed' ORDER BY m.name`,
    )
      .all()
      .map(row => row['name'] as string),
  )
  assert.deepEqual(tables, boxTables.toSorted())
  await fill(ledger, vault)
  assert.deepEqual(await state(ledger, vault), whole)
})

it('a new key: everything is sealed anew, other processes follow, the old key goes in the end', async t => {
  const { keyFile, ledger, vault } = await opened(t)
  await fill(ledger, vault)
  const [idle, busy] = [await Vault.open(keyFile, ledger), await Vault.open(keyFile, ledger)]
  const before = readFileSync(keyFile, 'utf8')
  vault.beginChange()
  // What another process seals in the middle of it is sealed with the new key.
  await ledger.write(db => storeSecret(db, busy, 'TWO', 'hunter3', 'bob', 2))
  assert.deepEqual((await ledger.write(db => vault.sealAnew(db))).damaged, [])
  assert.deepEqual(await state(ledger, busy), whole)
  assert.equal(await vault.endChange(ledger), false)
  assert.equal(readFileSync(keyFile, 'utf8').trim().split('\n').length, 2)
  assert.equal(await vault.endChange(ledger, Date.now() + soonMs), true)
  assert.equal(readFileSync(keyFile, 'utf8').includes(before.trim()), false)
  assert.equal(statSync(keyFile).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(dirname(keyFile)), ['vault.key'])
  // One that slept through all of it, and one that starts.
  for (const other of [idle, busy, await Vault.open(keyFile, ledger)]) {
    assert.deepEqual(await state(ledger, other), whole)
    await ledger.write(db => storeSecret(db, other, 'ONE', 'hunter4', 'bob', 3))
  }
  assert.deepEqual(await state(ledger, vault), whole)
})

it('a change that ends at any step goes on from there, with one more change or with none', async t => {
  const steps: ((vault: Vault, ledger: Ledger) => unknown)[] = [
    vault => vault.beginChange(),
    (vault, ledger) => ledger.write(db => vault.sealAnew(db)),
    (vault, ledger) => vault.endChange(ledger, Date.now() + soonMs),
  ]
  for (let done = 0; done <= steps.length; done++) {
    for (const again of [true, false]) {
      const { keyFile, ledger, vault } = await opened(t)
      await fill(ledger, vault)
      for (const step of steps.slice(0, done)) await step(vault, ledger)
      const next = await Vault.open(keyFile, ledger)
      assert.equal(next.locked, null)
      assert.equal((await state(ledger, next)).opens, true)
      if (again) for (const step of steps) await step(next, ledger)
      else await next.endChange(ledger, Date.now() + soonMs)
      assert.deepEqual(await state(ledger, await Vault.open(keyFile, ledger)), whole, `${done} ${again}`)
      assert.equal(readFileSync(keyFile, 'utf8').trim().split('\n').length, 1)
    }
  }
})

it('a change of the key survives kill -9 whenever it comes', async t => {
  const { keyFile, ledger, vault } = await opened(t)
  await fill(ledger, vault)
  for (const afterMs of [0, 3, 7, 15, 30]) {
    const child = fork(join(import.meta.dirname, 'rotating.child.ts'), [keyFile, ledger.path])
    await once(child, 'message')
    await sleep(afterMs)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const next = await Vault.open(keyFile, ledger)
    assert.equal(next.locked, null)
    assert.equal((await state(ledger, next)).opens, true)
    await ledger.write(db => storeSecret(db, next, 'ONE', 'hunter5', 'bob', 3))
    await next.endChange(ledger, Date.now() + soonMs)
    assert.deepEqual(await state(ledger, await Vault.open(keyFile, ledger)), whole)
  }
})

it('another file in place of the key while we run: what we know goes on to serve', async t => {
  const { keyFile, ledger, vault } = await opened(t)
  writeFileSync(keyFile, `${randomBytes(32).toString('base64')}\n`)
  await ledger.write(db => storeSecret(db, vault, 'TOKEN', 'hunter2', 'alice', 1))
  assert.equal(await ledger.read(db => resolveSecret(db, vault, 'secret:TOKEN', {})), 'hunter2')
  assert.equal(vault.changing, false)
})

it('what was damaged is named, and keeps the rest from nothing', async t => {
  const { ledger, vault } = await opened(t)
  await fill(ledger, vault)
  await ledger.write(db => db.exec("UPDATE secret SET sealed = zeroblob(60) WHERE name = 'TWO'"))
  vault.beginChange()
  const { count, damaged } = await ledger.write(db => vault.sealAnew(db))
  assert.deepEqual([count, damaged], [6, ['secret:TWO']])
  assert.deepEqual(await ledger.read(db => damagedSecrets(db, vault)), ['TWO'])
})
