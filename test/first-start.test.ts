import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runAdmin } from '../bots/admin/admin.ts'
import { runBridge } from '../bots/bridge/run.ts'
import { runScribe } from '../bots/scribe/scribe.ts'
import { House } from './house.ts'

test('what is asked of a bot that never ran before is answered once it runs, and not called unknown', async t => {
  const house = new House(t)
  await house.run('bridge', runBridge)
  await house.run('admin', runAdmin)
  const a = house.server('a')
  await a.ready()
  const olga = a.user('olga')
  const { seq } = olga.say('#general', '!last 1')
  await olga.shouldReply('#general', '!version', /^chanop /)
  await house.run('scribe', runScribe)
  const heard = await olga.hears('#general', /^(?!chanop )/, seq)
  assert.doesNotMatch(heard.text, /no command/)
})
