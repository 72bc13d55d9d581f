import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataPaths, longestSocketBytes, redisSocketPath } from './paths.ts'

test('every path lies in the data folder and is absolute', () => {
  for (const path of Object.values(dataPaths('some/data')))
    assert.ok(path.startsWith(`${process.cwd()}/some/data`), path)
})

test("Redis's socket lies in the data folder unless its path is too long for one", () => {
  assert.equal(redisSocketPath('/srv/data'), '/srv/data/redis/redis.sock')
  const [one, other] = [`/srv/${'é'.repeat(50)}`, `/srv/${'é'.repeat(51)}`].map(redisSocketPath)
  for (const path of [one, other]) {
    assert.match(path ?? '', /^\/tmp\/chanop-\d+-[0-9a-f]{12}\/redis\.sock$/)
    assert.ok(Buffer.byteLength(path ?? '') <= longestSocketBytes)
  }
  assert.notEqual(one, other)
})
