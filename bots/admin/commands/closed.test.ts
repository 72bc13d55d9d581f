/** What is told about closed rooms, and to whom. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ChannelId, NetworkId, UserId } from '../../../core/event.ts'
import { noteSighting } from '../../../core/ledger/people/presence.ts'
import { storeChannel } from '../../../core/ledger/settings/channels.ts'
import { House } from '../../../test/house.ts'
import { runBridge } from '../../bridge/run.ts'
import { runAdmin } from '../admin.ts'
import { engage } from '../channels/testing.ts'

const config = `
owner: chat:olga
networks:
  chat: { kind: memory, server: '{server}-a', channels: ['#general', '#ops', '#vault'] }
rooms:
  general: { places: ['chat:#general'], open: true }
  ops: { places: ['chat:#ops'] }
  vault: { places: ['chat:#vault'] }
commands: { perMinute: 6000, burst: 1000 }
`

/** Bob is a member in ops and a guest elsewhere; carl is a member everywhere. */
async function openHouse(t: TestContext): Promise<House> {
  const house = new House(t, { config })
  await house.run('bridge', runBridge)
  await house.run('admin', runAdmin)
  await house.grant('chat', 'bob', 'member', 'ops')
  await house.grant('chat', 'carl', 'member')
  await house.grant('chat', 'vera', 'operator', 'vault')
  await engage(house, 'worker-1', { channels: ['#general', '#ops', '#vault'] })
  await house.ledger.write(tx => {
    const lone = { network: 'chat' as NetworkId, channel: '#lone' as ChannelId }
    const plain = { type: '', topic: 'the plan', modes: '', locked: false, greeting: '', untilMs: null }
    storeChannel(tx, { ...lone, ...plain, createdMs: 0, createdBy: 'olga' })
    const sighting = { network: 'chat', name: 'worker-1', what: 'message', atMs: Date.now() }
    noteSighting(tx, { ...sighting, user: 'worker-1' as UserId, channel: '#vault' })
  })
  return house
}

const inDm = { in: '@admin' }

test('a member of one closed room is told of it and of open rooms, and of no other', async t => {
  const house = await openHouse(t)
  const bob = house.server('a').user('bob')
  bob.join('#ops')
  const asks = (words: string, answer: string | RegExp) => bob.shouldReply('#ops', words, answer, inDm)
  await bob.shouldReply('#ops', '!rooms', /^general: .*\nops: .*$/)
  await asks('!channel list', /^chat:#general · .*\nchat:#ops · .*$/)
  await asks('!channel show #ops', /^chat:#ops · /)
  for (const channel of ['#vault', '#lone', '#nowhere']) {
    const none = `chat:${channel} is not kept here; !channel add ${channel} makes it`
    await asks(`!channel show ${channel}`, none)
    await asks(`!channel members ${channel}`, none)
  }
  await asks('!channel show #vaul', 'chat:#vaul is not kept here; !channel add #vaul makes it')
  await asks('!role list', /^((?!vault)[^])*bob: member in ops((?!vault)[^])*$/)
  await asks('!can vera in=ops status', /; vera is guest: no role$/)
  await asks('!can bob in=vault status', /^no room vault; /)
  await asks('!can bob in=nowhere status', /^no room nowhere; /)
  await asks('!agent show worker-1', /^worker-1 · worker · active · #general #ops 1 closed · /)
  await bob.shouldReply('#ops', '!agents', /worker-1 · worker · active · #general #ops 1 closed · /)
})

test('who may enter every room is told of all, and an operator of one room of nothing else', async t => {
  const house = await openHouse(t)
  const carl = house.server('a').user('carl')
  await carl.shouldReply('#general', '!channel list', /#lone · .*\n.*#ops · .*\n.*#vault · /, inDm)
  await carl.shouldReply('#general', '!channel show #lone', /topic: the plan/, inDm)
  await carl.shouldReply('#general', '!role list', /vera: operator in vault/, inDm)
  const vera = house.server('a').user('vera')
  vera.join('#vault')
  await vera.shouldReply('#vault', '!channel lock #ops', /^chat:#ops is not kept here; /)
  await vera.shouldReply('#vault', '!channel lock #vault', /^chat:#vault is locked/)
})

test('what everybody in a room reads names no closed room but that one, whoever asks', async t => {
  const house = await openHouse(t)
  const olga = house.server('a').user('olga')
  olga.join('#vault')
  await olga.shouldReply('#general', '!agents', /worker-1 · worker · active · #general 2 closed · /)
  await olga.shouldReply('#general', '!who worker-1', /^worker-1 (?!.*#vault)/)
  await olga.shouldReply('#general', '!seen worker-1', /^worker-1 (?!.*#vault)/)
  await olga.shouldReply('#general', '!channel topic #lone', /the plan/, inDm)
  await olga.shouldReply('#general', '!agent edit worker-1 type=scout', /^worker-1 · scout · .* #general 2 closed · /)
  await olga.shouldReply('#vault', '!seen worker-1', /^worker-1 .* in #vault$/)
  await olga.shouldReply('@admin', '!who worker-1', /last in #vault/)
  await olga.shouldReply('@admin', '!agents', /#general #ops #vault · /)
  const heard = olga.reads('#general').filter(({ text }) => /#vault|#ops/.test(text))
  assert.deepEqual(heard, [])
})
