import assert from 'node:assert/strict'
import { it } from 'node:test'
import { verifyAudit } from '../../ledger/audit/audit.ts'
import { helpCommands } from '../help/help.ts'
import { Stage } from '../testing.ts'
import { adminCommands, newToy, oracleCommands, scribeCommands, type Toy } from '../testing-toy.ts'
import { hear, normalise, tokenise } from './grammar.ts'

const seed = Number(process.env['CHANOP_SEED'] ?? 20260401)

/** mulberry32: small, seeded. */
function random(state: number): () => number {
  let at = state
  return () => {
    at = (at + 0x6d2b79f5) | 0
    let t = Math.imul(at ^ (at >>> 15), 1 | at)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const signs =
  '! / @ : , . \' " \\ = - \n \t \u0000 \u0002 \u0003 \u200b \u00a0 “ ” ’ — [ ] { } * ` $ | < > é 😀 \ud800'.split(' ')
const words =
  'admin oracle scribe note role grant list secret set yes no more erase person add last help find owner bob key= --dry -- 12 stop __proto__ constructor toString version count= % _'.split(
    ' ',
  )
const pieces = [...signs, ...words, ' ', "';DROP TABLE event;--", 'x'.repeat(600)]

it(`random text never throws and never runs what changes something (seed ${seed})`, async () => {
  const next = random(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T
  const stage = await Stage.open()
  const toy = newToy()
  toy.gate.resolve()
  stage.settings = { ...stage.settings, perMinute: 6000, burst: 1000 }
  await stage.bot('admin', [...adminCommands, ...helpCommands<Toy>('admin')], toy, { front: true })
  await stage.bot('scribe', scribeCommands, toy)
  await stage.bot('oracle', oracleCommands, toy)
  await stage.role('mia', 'member')
  for (let round = 0; round < 1500; round++) {
    stage.nowMs += 60_000
    const glue = pick(['', ' ', ' '])
    const said = Array.from({ length: 1 + Math.floor(next() * 9) }, () => pick(pieces)).join(glue)
    const text = pick(['', '!', '/', 'admin: ', '@scribe ']) + said
    tokenise(text)
    hear(normalise(text), { prefix: '!', bots: new Map([['admin', 'admin']]), direct: next() < 0.5, to: null })
    const by = pick(['mia', 'nobody'])
    const place = next() < 0.3 ? { in: stage.direct(by), to: pick(['admin', 'oracle', 'bridge']) } : {}
    const { takenBy } = await stage.say(text, { by, ...place, sender: { verified: next() < 0.8 } })
    assert.ok(takenBy.length <= 1, `${JSON.stringify(text)} was answered by ${takenBy.join(' and ')}`)
    assert.deepEqual(toy.done, [], JSON.stringify(text))
  }
  assert.equal((await stage.read(verifyAudit)).broken, null)
  await stage.close()
})

it(`nobody but who may runs what changes something, however it is spelled (seed ${seed})`, async () => {
  const next = random(seed + 1)
  const stage = await Stage.open()
  const toy = newToy()
  await stage.bot('admin', adminCommands, toy, { front: true })
  await stage.role('otto', 'operator')
  const letters = 'note'
  for (let round = 0; round < 400; round++) {
    stage.nowMs += 60_000
    const at = Math.floor(next() * 4)
    const other = 'abcdefghijklmnopqrstuvwxyz'[Math.floor(next() * 26)] as string
    const typo = [letters.slice(0, at) + letters.slice(at + 1), letters.slice(0, at) + other + letters.slice(at)]
    const word = typo[round % 2] as string
    if (word === letters) continue
    await stage.say(`${round % 3 ? '!' : 'admin: '}${word} x`, { by: 'otto' })
    assert.deepEqual(toy.done, [], word)
  }
  await stage.close()
})
