import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemoryPlatform } from '../../../adapters/memory/platform.ts'
import { copies, hall, openHall, settled, until } from '../testing.ts'

/** A relay of somebody else, which marks nothing: what is said in one place it says in the other, but for its own. */
function foreignRelay(servers: readonly [MemoryPlatform, MemoryPlatform]): () => void {
  const done = new Set<string>()
  const pass = (): void => {
    for (const [from, to] of [servers, servers.toReversed()] as [MemoryPlatform, MemoryPlatform][]) {
      for (const { id, by, name, text } of from.channel(hall).messages) {
        const key = `${from.name} ${id}`
        if (done.has(key) || by === 'matterbot') continue
        done.add(key)
        to.user('matterbot', { bot: true }).say(hall, `[irc] <${name}> ${text}`)
      }
    }
  }
  const timer = setInterval(pass, 3)
  return () => clearInterval(timer)
}

test('a relay that marks nothing makes no circle', async t => {
  const more = `  ops: { places: ['a:#ops'] }`
  const { house, servers } = await openHall(t, 'ab', { more })
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  const stop = foreignRelay([a, b])
  t.after(stop)
  for (let n = 0; n < 20; n++) (n % 2 ? a : b).user(n % 2 ? 'alice' : 'bob').say(hall, `hello ${n}`)
  await until(() => copies(b).includes('alice: hello 19'), 'the last')
  await Promise.all([a.quiet(), b.quiet()])
  await settled(house)
  // What it repeats of the last lines may be on its way still.
  await until(() => a.channel(hall).messages.length === b.channel(hall).messages.length, 'an end')
  await settled(house)
  const all = a.channel(hall).messages.length
  assert.ok(all < 20 * 4, `${all} messages of 20`)
  const passed = copies(b).filter(line => line.startsWith('matterbot'))
  assert.ok(passed.length <= 2, passed.join('\n'))
  const told = await until(() => copies(a, '#ops')[0], 'those who run it to be told')
  assert.match(told, /^bridge: matterbot in [ab]:#hall repeats what is said/)
})

test('who quotes somebody whole is passed on, and so is what another relay brings from elsewhere', async t => {
  const { house, servers } = await openHall(t, 'ab')
  const [a, b] = servers as [MemoryPlatform, MemoryPlatform]
  a.user('alice').say(hall, 'shall we?')
  a.user('carol').say(hall, 'alice: shall we?')
  a.user('carol').say(hall, 'yes')
  a.user('alice').say(hall, 'yes')
  for (let n = 0; n < 5; n++) a.user('matterbot', { bot: true }).say(hall, `<dora> from elsewhere ${n}`)
  await a.quiet()
  await settled(house)
  assert.equal(copies(b).length, 9)
})
