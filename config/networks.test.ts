import assert from 'node:assert/strict'
import { test } from 'node:test'
import { userOf } from './networks.ts'
import { configSchema } from './schema.ts'

test('an account of the configuration is meant as its network writes accounts', () => {
  const slack = { kind: 'slack', token: 'env:BOT', appToken: 'env:APP' }
  const config = configSchema.parse({ networks: { irc: { kind: 'irc', managed: true }, slack } })
  assert.equal(userOf(config, 'irc', 'Olga'), 'olga')
  assert.equal(userOf(config, 'slack', 'U0ABC'), 'U0ABC')
  assert.equal(userOf(config, 'nowhere', 'Olga'), 'Olga')
})
