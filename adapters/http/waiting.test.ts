import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Waiting } from './waiting.ts'

it('everybody looks, however many wait and however often the ledger grows', async () => {
  const waiting = new Waiting()
  const stop = new AbortController()
  const looks = Array.from({ length: 120 }, () => 0)
  const all = looks.map((_, n) =>
    waiting.until(() => {
      looks[n] = (looks[n] ?? 0) + 1
      return null
    }, stop.signal),
  )
  assert.equal(Math.min(...looks), 1)
  for (let n = 0; n < 9; n++) {
    waiting.look()
    await turn()
  }
  const [least, most] = [Math.min(...looks), Math.max(...looks)]
  assert.ok(least > 2 && most - least <= 1, `${least} to ${most} times`)
  stop.abort()
  await Promise.all(all)
})

it('who waits hears of what came while others looked', async () => {
  const waiting = new Waiting()
  const { signal } = new AbortController()
  let found: string | null = null
  const others = new AbortController()
  const first = waiting.until(() => found, signal)
  const more = Array.from({ length: 60 }, () => waiting.until(() => null, others.signal))
  waiting.look()
  await turn()
  found = 'it'
  waiting.look()
  assert.equal(await first, 'it')
  others.abort()
  await Promise.all(more)
  assert.equal(waiting.size, 0)
})
