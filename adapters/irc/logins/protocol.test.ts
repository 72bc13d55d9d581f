import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LoginLock } from '../../../core/adapter.ts'
import { temporaryFolder } from '../../../core/ledger/testing.ts'
import { askGuard, watchLocks } from './protocol.ts'

const lock: LoginLock = { account: 'bob', address: '127.0.0.1', wrong: 5, sinceMs: 1, untilMs: 2 }

/** A guard that tells one lock to who watches. */
async function guardAt(path: string): Promise<Server & { readonly watched: Socket[] }> {
  const watched: Socket[] = []
  const server = createServer(socket => {
    watched.push(socket)
    socket.on('error', () => socket.destroy()).write(`${JSON.stringify({ locks: [lock] })}\n`)
  })
  server.listen(path)
  await once(server, 'listening')
  return Object.assign(server, { watched })
}

test('a guard that is not there, goes and comes back: who watches it goes on, and who asks is told', async t => {
  const path = join(temporaryFolder(t), 'logins.sock')
  const told: (readonly LoginLock[])[] = []
  let heard = Promise.withResolvers<void>()
  const tell = (locks: readonly LoginLock[]): void => (told.push(locks), heard.resolve())
  const stop = new AbortController()
  const watching = watchLocks(path, tell, stop.signal)
  await assert.rejects(askGuard(path, { act: 'lift', what: 'bob' }), { code: 'account-failed' })
  for (const turn of [1, 2]) {
    const guard = await guardAt(path)
    await heard.promise
    assert.deepEqual(told.at(-1), [lock], `turn ${turn}`)
    heard = Promise.withResolvers()
    for (const socket of guard.watched) socket.destroy()
    await new Promise(resolve => guard.close(resolve))
  }
  stop.abort()
  await watching
})

test('a guard that ends in the middle of a word ends nobody else', async t => {
  const path = join(temporaryFolder(t), 'logins.sock')
  const guard = createServer(socket => socket.resume().end('{"ok":true,"lo')).listen(path)
  await once(guard, 'listening')
  await assert.rejects(askGuard(path, { act: 'known', account: 'bob' }), { code: 'account-failed' })
  const stop = new AbortController()
  guard.once('connection', socket => socket.once('close', () => stop.abort()))
  await watchLocks(path, () => assert.fail('half a word was heard'), stop.signal)
  await new Promise(resolve => guard.close(resolve))
})
