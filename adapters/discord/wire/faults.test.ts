import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refused } from './faults.ts'

test('the token of a webhook that is gone is not ours', () => {
  const hook = new Refused({ status: 401, code: 50027, message: 'Invalid Webhook Token', details: [] })
  assert.deepEqual([hook.code, hook.message], ['not-found', 'the webhook is gone (50027)'])
  const ours = new Refused({ status: 401, code: null, message: '401: Unauthorized', details: [] })
  assert.deepEqual([ours.code, /refuses the token/.test(ours.message)], ['network-refused', true])
})
