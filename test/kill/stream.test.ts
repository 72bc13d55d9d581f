/** The two kinds of people of the kill run, against each server: what they miss would be taken for a fault of ours. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { availableServers, startErgo, startInspircd } from '../../adapters/irc/server/testing.ts'
import { Observer, Sender } from './stream.ts'

const channel = '#general'

for (const { kind, reason } of await availableServers()) {
  if (kind === 'ngircd') continue
  test(`an observer who comes late to ${kind} sees what was said before, once`, {
    skip: reason ?? false,
    timeout: 60_000,
  }, async t => {
    const server = await (kind === 'ergo' ? startErgo : startInspircd)(t, { channels: [channel] })
    const login = async (name: string) => ({
      host: server.host, port: server.port, account: name, password: await server.account(name),
    }) // biome-ignore format: plain
    const side = 'irc'
    const observer = new Observer({ login: await login('seer'), side, channel })
    const sender = new Sender({ login: await login('speaker'), side, channel, count: 5, perSecond: 1000 })
    await sender.run(t.signal)
    const stop = new AbortController()
    t.after(() => stop.abort())
    const { promise: entered, resolve } = Promise.withResolvers<void>()
    const watching = observer.run(stop.signal, resolve)
    await entered
    assert.deepEqual([...observer.tokens], ['speaker:0.0', 'speaker:1.0', 'speaker:2.0', 'speaker:3.0', 'speaker:4.0'])
    assert.equal(observer.sightings.length, 5)
    stop.abort()
    await watching
  })
}
