import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configSchema } from '../../config/schema.ts'

const problems = (listen: object, redis: object = {}): string[] => {
  const networks = { irc: { kind: 'irc', managed: true, channels: ['#general'], listen } }
  const parsed = configSchema.safeParse({ networks, redis })
  return parsed.success ? [] : parsed.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`)
}

test('a plain listener stays on this machine unless that is forced', () => {
  for (const plain of ['127.0.0.1:6667', '127.1.2.3:1', '[::1]:6667', 'localhost:6667'])
    assert.deepEqual(problems({ plain }), [], plain)
  for (const plain of ['0.0.0.0:6667', '192.168.1.4:6667', '[::]:6667', 'chat.example:6667', '127.example.org:6667']) {
    assert.match(problems({ plain })[0] ?? '', /^networks\.irc\.listen\.plain: .*insecure: true/, plain)
    assert.deepEqual(problems({ plain, insecure: true }), [], plain)
  }
  assert.deepEqual(problems({ tls: '0.0.0.0:6697' }), [])
})

test('a listener has a port that there is', () => {
  for (const port of ['0', '00000', '65536', '99999'])
    for (const listener of ['tls', 'plain'])
      assert.deepEqual(problems({ [listener]: `127.0.0.1:${port}` }), [
        `networks.irc.listen.${listener}: a port is 1 to 65535`,
      ])
  assert.deepEqual(problems({ tls: '[::1]:65535', plain: '127.0.0.1:1' }), [])
  assert.deepEqual(problems({ tls: '6697' }), ['networks.irc.listen.tls: write address:port, e.g. 127.0.0.1:6667'])
})

test('a Redis beyond this machine has a password', () => {
  const ok = ['redis://127.0.0.1:6379/0', 'redis://[::1]:6379', 'redis://localhost', '/run/redis.sock']
  for (const url of [...ok, 'rediss://:secret@redis.example:6379', 'redis://user:secret@10.0.0.5'])
    assert.deepEqual(problems({}, { url }), [], url)
  for (const url of ['redis://redis.example:6379/0', 'rediss://10.0.0.5:6379', 'redis://user@10.0.0.5'])
    assert.match(problems({}, { url })[0] ?? '', /^redis\.url: .*needs a password/, url)
  for (const url of [
    '',
    'redis',
    'localhost:6379',
    'http://localhost',
    'redis://',
    'unix:///run/redis.sock',
    '//redis',
  ])
    assert.match(problems({}, { url })[0] ?? '', /^redis\.url: write an address such as/, url)
})
