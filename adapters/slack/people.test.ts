import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import type { Api } from './link/api.ts'
import { People } from './people.ts'

test('a name that is slow in coming is waited for once, and known when it is there', async () => {
  const { promise, resolve } = Promise.withResolvers<object>()
  const people = new People({ call: () => promise } as unknown as Api, new AbortController().signal)
  const startMs = performance.now()
  for (let n = 0; n < 5; n++) assert.equal((await people.get('U1')).name, 'U1')
  assert.ok(performance.now() - startMs < 5000)
  resolve({ user: { id: 'U1', real_name: 'alice' } })
  await promise
  await new Promise(setImmediate)
  assert.equal((await people.get('U1')).name, 'alice')
})
