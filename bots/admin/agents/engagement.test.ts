import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import type { NetworkId } from '../../../core/event.ts'
import type { Agent } from '../../../core/ledger/agents.ts'
import { House } from '../../../test/house.ts'
import { type KeySet, Signer, verifyEngagement } from './engagement.ts'

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
const denied = (why: RegExp) => (error: { code?: string; message: string }) =>
  error.code === 'denied' && why.test(error.message)

test('an engagement is verified by anybody who has the public keys, and by nothing else', async t => {
  const house = new House(t)
  const signer = await Signer.open(await house.context('admin'))
  const jws = await signer.sign(agent, ['night'], nowMs)
  const keys = JSON.parse(readFileSync(join(house.dataDir, 'agents', 'keys.json'), 'utf8')) as KeySet
  assert.deepEqual(keys, signer.publicKeys)
  assert.ok(!JSON.stringify(keys).includes('"d"'), 'the private part stays in the vault')
  const { kid, iss, ...said } = await verifyEngagement(jws, keys, nowMs)
  assert.equal(kid, keys.keys[0]?.kid)
  assert.match(iss, /^\w{12}$/)
  assert.deepEqual(said, {
    v: 1,
    nick: 'worker-1',
    type: 'worker',
    channels: ['#a', '#b'],
    permissions: ['last'],
    rate: { count: 5, perMs: 1000 },
    groups: ['night'],
    iat: Math.floor(nowMs / 1000),
    exp: Math.floor((nowMs + 60_000) / 1000),
  })
  await assert.rejects(verifyEngagement(jws, keys, nowMs + 61_000), denied(/its time is over/))
  await assert.rejects(verifyEngagement(jws, { keys: [] }, nowMs), denied(/no key/))
  await assert.rejects(verifyEngagement('nonsense', keys, nowMs), denied(/no engagement/))
  const [head, body, mark] = jws.split('.') as [string, string, string]
  const changed = Buffer.from(Buffer.from(body, 'base64url').toString().replace('"last"', '"stop"')).toString(
    'base64url',
  )
  await assert.rejects(verifyEngagement(`${head}.${changed}.${mark}`, keys, nowMs), denied(/it was changed/))
  const unsigned = Buffer.from(JSON.stringify({ alg: 'none', kid })).toString('base64url')
  await assert.rejects(verifyEngagement(`${unsigned}.${body}.`, keys, nowMs), denied(/it was changed/))
})

test('another key under the same name counts for nothing', async t => {
  const house = new House(t)
  const signer = await Signer.open(await house.context('admin'))
  const keys = signer.publicKeys
  const kid = keys.keys[0]?.kid as string
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  const forged = await new CompactSign(new TextEncoder().encode(JSON.stringify({ v: 1, kid })))
    .setProtectedHeader({ alg: 'EdDSA', kid })
    .sign(privateKey)
  await assert.rejects(verifyEngagement(forged, keys, nowMs), denied(/another key signed it/))
  const own = { keys: [{ ...(await exportJWK(publicKey)), kid }] }
  await assert.rejects(verifyEngagement(forged, own, nowMs), denied(/of another kind/))
})

test('the key is made once and is the same after a restart', async t => {
  const house = new House(t)
  const context = await house.context('admin')
  const first = await Signer.open(context)
  const jws = await first.sign(agent, [], nowMs)
  const second = await Signer.open(context)
  assert.deepEqual(second.publicKeys, first.publicKeys)
  assert.equal((await verifyEngagement(jws, second.publicKeys, nowMs)).nick, 'worker-1')
})
