import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CompactSign, compactVerify, decodeProtectedHeader, generateKeyPair, importJWK } from 'jose'
import type { NetworkId } from '../../../core/event.ts'
import {
  type Agent,
  agentNamed,
  editAgent,
  giveAgents,
  insertAgent,
  setAgentState,
} from '../../../core/ledger/agents/agents.ts'
import { revokedSerials } from '../../../core/ledger/people/serials.ts'
import { House } from '../../../test/house.ts'
import { type Engagement, type KeySet, Signer } from './engagement.ts'
import { mustBeAsRead } from './record.ts'
import { Renewal, renewEngagements } from './renewal.ts'

const nowMs = Date.now()
const agent: Omit<Agent, 'engagement'> = {
  name: 'worker-1',
  network: 'irc' as NetworkId,
  type: 'worker',
  owner: 'irc:olga',
  state: 'active',
  channels: ['#a', '#b'],
  permissions: ['last'],
  skills: [],
  rate: { count: 5, perMs: 1000 },
  native: false,
  reason: null,
  paused: false,
  createdMs: nowMs,
  changedMs: nowMs,
  expiresMs: nowMs + 60_000,
  createdBy: 'olga',
}
/** What an engagement says, to anybody who has the public keys. */
async function verified(jws: string, { keys }: KeySet): Promise<Engagement> {
  const { kid } = decodeProtectedHeader(jws)
  const key = keys.find(each => each.kid === kid)
  assert.ok(key, `the key ${kid} is published`)
  const { payload } = await compactVerify(jws, await importJWK(key, 'EdDSA'), { algorithms: ['EdDSA'] })
  return JSON.parse(new TextDecoder().decode(payload)) as Engagement
}

test('an engagement is verified by anybody who has the public keys, and by nothing else', async t => {
  const house = new House(t)
  const signer = await Signer.open(await house.context('admin'))
  const jws = await signer.sign(agent, ['night'], nowMs)
  const keys = JSON.parse(readFileSync(join(house.dataDir, 'agents', 'keys.json'), 'utf8')) as KeySet
  assert.deepEqual(keys, signer.publicKeys)
  assert.ok(!JSON.stringify(keys).includes('"d"'), 'the private part stays in the vault')
  const { kid, iss, jti: _jti, ...said } = await verified(jws, keys)
  assert.equal(kid, keys.keys[0]?.kid)
  assert.match(iss, /^\w{12}$/)
  assert.deepEqual(said, {
    v: 2,
    nick: 'worker-1',
    aud: 'irc',
    type: 'worker',
    channels: ['#a', '#b'],
    permissions: ['last'],
    rate: { count: 5, perMs: 1000 },
    groups: ['night'],
    iat: Math.floor(nowMs / 1000),
    exp: Math.floor((nowMs + 60_000) / 1000),
  })
  const [head, body, mark] = jws.split('.') as [string, string, string]
  const changed = Buffer.from(Buffer.from(body, 'base64url').toString().replace('"last"', '"stop"')).toString(
    'base64url',
  )
  await assert.rejects(verified(`${head}.${changed}.${mark}`, keys), /signature verification failed/)
})

test('another key under the same name counts for nothing', async t => {
  const house = new House(t)
  const signer = await Signer.open(await house.context('admin'))
  const keys = signer.publicKeys
  const kid = keys.keys[0]?.kid as string
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const forged = await new CompactSign(new TextEncoder().encode(JSON.stringify({ v: 1, kid })))
    .setProtectedHeader({ alg: 'EdDSA', kid })
    .sign(privateKey)
  await assert.rejects(verified(forged, keys), /signature verification failed/)
})

test('the key is made once and is the same after a restart', async t => {
  const house = new House(t)
  const context = await house.context('admin')
  const first = await Signer.open(context)
  const jws = await first.sign(agent, [], nowMs)
  const second = await Signer.open(context)
  assert.deepEqual(second.publicKeys, first.publicKeys)
  assert.equal((await verified(jws, second.publicKeys)).nick, 'worker-1')
})

test('an engagement holds for 30 days at most and is renewed before it ends, while its agent stays', async t => {
  const house = new House(t)
  const context = await house.context('admin')
  const signer = await Signer.open(context)
  const dayMs = 86_400_000
  const lasting = { ...agent, expiresMs: null }
  const jws = await signer.sign(lasting, [], nowMs)
  const { exp, jti } = await verified(jws, signer.publicKeys)
  assert.equal(exp, Math.floor((nowMs + 30 * dayMs) / 1000))
  const ending = { ...agent, name: 'worker-2', expiresMs: nowMs + 30 * dayMs }
  const old = { ...lasting, name: 'worker-3', engagement: 'e30.e30.e30' }
  const gone = { ...lasting, name: 'worker-4', state: 'revoked' as const, engagement: jws }
  await context.ledger.write(tx => {
    insertAgent(tx, { ...lasting, engagement: jws })
    insertAgent(tx, old)
    insertAgent(tx, gone)
  })
  const ended = await signer.sign(ending, [], nowMs)
  await context.ledger.write(tx => insertAgent(tx, { ...ending, engagement: ended }))
  const now = async (name: string) => (await context.ledger.read(tx => agentNamed(tx, name)))?.engagement ?? ''
  assert.equal(await renewEngagements(context, signer, nowMs + 19 * dayMs), 1, 'the one of the time before serials')
  assert.equal(await now('worker-1'), jws)
  const laterMs = nowMs + 21 * dayMs
  assert.equal(await renewEngagements(context, signer, laterMs), 1)
  const next = await verified(await now('worker-1'), signer.publicKeys)
  assert.equal(next.exp, Math.floor((laterMs + 30 * dayMs) / 1000))
  assert.notEqual(next.jti, jti)
  assert.deepEqual([await now('worker-2'), await now('worker-4')], [ended, jws])
  assert.deepEqual(await context.ledger.read(tx => revokedSerials(tx, nowMs)), [], 'the one before is not taken back')
})

test('what was changed or taken back is published by its serial, until it would have ended anyway', async t => {
  const house = new House(t)
  const context = await house.context('admin')
  const signer = await Signer.open(context)
  const renewal = new Renewal(context, signer)
  const file = join(house.dataDir, 'agents', 'revoked.json')
  const published = async (atMs: number) => {
    await renewal.look(atMs)
    return (JSON.parse(readFileSync(file, 'utf8')) as { revoked: { jti: string }[] }).revoked.map(({ jti }) => jti)
  }
  assert.deepEqual(await published(nowMs), [])
  const serial = async (jws: string) => (await verified(jws, signer.publicKeys)).jti
  const [first, second] = [await signer.sign(agent, [], nowMs), await signer.sign(agent, ['night'], nowMs)]
  await context.ledger.write(tx => insertAgent(tx, { ...agent, engagement: first }))
  await context.ledger.write(tx => editAgent(tx, { ...agent, engagement: second }, nowMs))
  assert.deepEqual(await published(nowMs), [await serial(first)])
  await context.ledger.write(tx => setAgentState(tx, 'worker-1', 'revoked', 'leaked', nowMs + 1))
  assert.deepEqual(await published(nowMs + 2), [await serial(first), await serial(second)])
  assert.deepEqual(await published(nowMs + 3_700_000), [])
})

test('an agent that was changed since it was read is not written over', async t => {
  const house = new House(t)
  const context = await house.context('admin')
  const signer = await Signer.open(context)
  const read = { ...agent, engagement: await signer.sign(agent, [], nowMs) }
  await context.ledger.write(tx => insertAgent(tx, read))
  await context.ledger.read(tx => mustBeAsRead(tx, read))
  const less = { ...read, permissions: [], engagement: await signer.sign(agent, [], nowMs) }
  await context.ledger.write(tx => editAgent(tx, less, nowMs))
  const refused = { code: 'conflict', message: 'worker-1 was changed meanwhile: say it again' }
  await assert.rejects(
    context.ledger.read(tx => mustBeAsRead(tx, read)),
    refused,
  )
  await context.ledger.write(tx => giveAgents(tx, less.owner, 'irc:heir', nowMs))
  await assert.rejects(
    context.ledger.read(tx => mustBeAsRead(tx, less)),
    refused,
  )
})

test('an engagement is verified as docs/agents.md shows it in TypeScript', async t => {
  const house = new House(t)
  const signer = await Signer.open(await house.context('admin'))
  const keys = JSON.stringify(signer.publicKeys)
  const jws = await signer.sign({ ...agent, expiresMs: null }, [], Date.now())
  const { iss, jti } = await verified(jws, signer.publicKeys)
  const page = readFileSync(join(import.meta.dirname, '../../../docs/agents.md'), 'utf8')
  const shown = /```ts\n(import \{ createLocalJWKSet[^]*?)```/.exec(page)?.[1] ?? ''
  const program = join(house.dataDir, 'verify.ts')
  // Beside the project, so that it finds the package.
  const source = shown.replace("from 'jose'", `from '${import.meta.resolve('jose')}'`)
  writeFileSync(program, `${source}\n`)
  const { verify } = (await import(program)) as {
    verify: (jws: string, keys: object, revoked: object, expected: object) => Promise<{ nick: string }>
  }
  const list = (...serials: string[]) => ({ iss, revoked: serials.map(each => ({ jti: each })) })
  const asked = { issuer: iss, audience: 'irc' }
  assert.equal((await verify(jws, JSON.parse(keys) as object, list(), asked)).nick, 'worker-1')
  await assert.rejects(verify(jws, JSON.parse(keys) as object, list(jti), asked), /revoked/)
  await assert.rejects(verify(jws, JSON.parse(keys) as object, list(), { ...asked, audience: 'else' }), /aud/)
})
