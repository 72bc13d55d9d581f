import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataPaths, longestSocketBytes, redisSocketPath } from './paths.ts'

test('every path lies in the data folder and is absolute', () => {
  for (const path of Object.values(dataPaths('some/data')))
    assert.ok(path.startsWith(`${process.cwd()}/some/data`), path)
})

test('sockets lie in the data folder unless their path is too long for one, or has a space', () => {
  assert.equal(redisSocketPath('/srv/data'), '/srv/data/redis/redis.sock')
  const paths = [`/srv/${'é'.repeat(50)}`, `/srv/${'é'.repeat(51)}`, '/srv/a b'].map(redisSocketPath)
  for (const path of paths) {
    assert.match(path, /^\/tmp\/chanop-\d+-[0-9a-f]{12}\/redis\.sock$/)
    assert.ok(Buffer.byteLength(path) <= longestSocketBytes)
  }
  assert.equal(new Set(paths).size, paths.length)
})
