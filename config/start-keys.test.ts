import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configSchema } from './schema.ts'
import { changedForStart, waitsForStart } from './start-keys.ts'

const configured = (listen: string) =>
  configSchema.parse({ networks: { irc: { kind: 'irc', managed: true }, web: { kind: 'http', listen } } })

test('what npm start makes a server of waits for it; where a network of ours listens by itself does not', () => {
  const config = configured('127.0.0.1:8642')
  assert.equal(waitsForStart(config, 'networks.irc.listen.tls'), true)
  assert.equal(waitsForStart(config, 'networks.irc'), true)
  assert.equal(waitsForStart(config, 'networks.web.listen'), false)
  assert.deepEqual(changedForStart(config, configured('127.0.0.1:8643')), [])
})
