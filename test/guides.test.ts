/** Networks of the platforms are set up in chat, as somebody does who has never done it. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { DiscordFake, token } from '../adapters/discord/testing/fake.ts'
import { FakeSlack } from '../adapters/slack/testing/server.ts'
import { TelegramServer } from '../adapters/telegram/testing/server.ts'
import { runAdmin } from '../bots/admin/admin.ts'
import { runBridge } from '../bots/bridge/run.ts'
import { copies, until } from '../bots/bridge/testing.ts'
import { sql } from '../core/ledger/sqlite.ts'
import { House } from './house.ts'

const config = `
owner: chat:olga
networks:
  chat: { kind: memory, server: '{server}-a', managed: false, channels: ['#general', '#ops'] }
rooms:
  general: { places: ['chat:#general'], open: true }
  ops: { places: ['chat:#ops'] }
`

async function open(t: TestContext) {
  const house = new House(t, { config })
  await house.run('bridge', runBridge)
  await house.run('admin', context => runAdmin(context))
  const chat = house.server('a')
  await chat.ready()
  const olga = chat.user('olga')
  olga.join('#general')
  /** Says it to bridge, and resolves with the answer that fits. */
  const ask = async (said: string, answer: RegExp): Promise<string> => {
    const { seq } = olga.say('@bridge', said)
    return (await olga.hears('@bridge', answer, seq)).text
  }
  return { house, chat, olga, ask }
}

test('Discord: a token of another kind, in quotes, in a room; switches that are off; channels; a second network of one account', async t => {
  const { house, chat, olga, ask } = await open(t)
  const fake = await DiscordFake.start()
  t.after(() => fake.stop())
  const room = fake.world.channel('lounge')
  fake.flags = 0
  await ask('network add discord dc', /^dc \(discord\), 1 of 1: .*Message Content Intent/)
  await ask(`network set dc api ${fake.api}`, /^dc: api is set/)
  await ask(`network set dc cdn ${fake.cdn}`, /^dc: cdn is set/)
  await ask(
    `MTA0NzU4Mjk0ODQ3NTAxOTI2NA.Gab1cd.${'x'.repeat(38)}`,
    /masked.* What dc token waits for: !network set dc token VALUE, to bridge/,
  )
  await ask('network set dc token xoxb-1-2', /^dc: token is sealed/)
  await ask('network add dc', /^dc is not on yet: this is no token of a Discord bot/)
  await ask('network add discord', /^discord \(discord\), 1 of 1/)
  await ask('network set dc token Bot.not.right', /^dc: token is sealed/)
  await ask('network add dc', /^dc is not on yet: Discord refuses the token: .*Reset Token/)
  await ask(`network set dc token “Bot ${token}”`, /^dc: token is sealed/)
  await ask(`network set dc channels ${room.id}`, /^dc: channels is set/)
  await ask(`network set dc channels 123`, /^channels.*write an id/)
  const added = await ask('network add dc', /^dc: we are chanop/)
  assert.match(added, /Message Content Intent is off.*\n.*Server Members Intent is off.*\n.*#lounge.*✓/)
  await ask('network test dc', /dc is up · Discord API 10/)
  await ask('network add dc', /^dc is added already: !network test dc/)
  const { settings } = await house.context('look')
  assert.deepEqual((settings.current.networks['dc'] as unknown as { channels: unknown }).channels, [room.id])
  await ask(`network set discord api ${fake.api}`, /^discord: api is set/)
  await ask(`network set discord token ${token}`, /^discord: token is sealed/)
  await ask('network add discord', /^discord is not on yet: dc has this account already/)
  await ask('cancel', /^no command cancel/)
  const { seq } = olga.say('#general', `!network set dc token ${token}`)
  await olga.hears('#general', /^network set works only in a direct message to bridge; others saw/, seq)
  const dropped = olga.say('#general', '!network del discord')
  await olga.hears('#general', /^discord is not set up any more/, dropped.seq)
  const kept = await house.ledger.read(db =>
    JSON.stringify(['event', 'delivery', 'audit', 'setting'].map(table => sql(db, `SELECT * FROM ${table}`).all())),
  )
  assert.equal(kept.includes(token), false)
  assert.deepEqual(
    copies(chat, '#general').filter(line => line.includes(token)),
    [],
  )
})

test('Slack: tokens swapped, of a person, without a scope; Socket Mode off; a token that is revoked and mended', async t => {
  const { olga, ask } = await open(t)
  const fake = new FakeSlack()
  await fake.start()
  t.after(() => fake.stop())
  fake.workspace.channel('lounge')
  await ask('network add slack', /^slack \(slack\), 1 of 2: .*Bot User OAuth Token/)
  await ask(`network set slack api ${fake.api}`, /^slack: api is set/)
  await ask(`network set slack token ${fake.appToken}`, /token is sealed\nslack \(slack\), 2 of 2: .*connections:write/)
  await ask(`network set slack appToken ${fake.botToken}`, /the two tokens are swapped/)
  await ask('network set slack token none', /token is taken away\nslack \(slack\), 1 of 2/)
  await ask(`network set slack token xoxp-1-2`, /not on yet: the two tokens are swapped/)
  await ask(`network set slack appToken \`${fake.appToken}\``, /no bot token: one begins with xoxb-/)
  fake.refusals.set('apps.connections.open', 'missing_scope')
  await ask(
    `network set slack token ${fake.botToken}`,
    /app-level token lacks the scope connections:write: .*App-Level Tokens/,
  )
  fake.refusals.set('apps.connections.open', 'link_disabled')
  await ask('network add slack', /not on yet: Socket Mode is off: switch it on at .*Socket Mode/)
  fake.refusals.clear()
  fake.scopes.delete('reactions:write')
  const { seq } = olga.say('@bridge', 'network add slack')
  await olga.hears('@bridge', /lacks the scope reactions:write: .*reinstall.*\n.*#lounge.*\nslack is added/, seq)
  await olga.hears('@bridge', /^slack is up/, seq)
  fake.refusals.set('auth.test', 'token_revoked')
  fake.refusals.set('apps.connections.open', 'token_revoked')
  const cut = olga.say('#general', '!network reconnect slack')
  await olga.hears('#general', /^slack is down: the token was revoked: install the app again at /, cut.seq)
  fake.refusals.clear()
  const mended = olga.say('@bridge', `network set slack token ${fake.botToken}`)
  await olga.hears('@bridge', /^slack is up/, mended.seq)
})

test('Telegram: a token as an address has it, privacy mode, an account twice, and one that is let go and taken back', async t => {
  const { olga, ask } = await open(t)
  const server = await TelegramServer.start({ privacy: true })
  t.after(() => server.stop())
  await ask('network add telegram tg', /^tg \(telegram\), 1 of 1: .*@BotFather/)
  await ask(`network set tg api ${server.url}`, /^tg: api is set/)
  await ask(`network set tg token ${token}`, /not on yet: Telegram does not know our token: .*@BotFather/)
  const { seq } = olga.say('@bridge', `network set tg token bot${server.token}`)
  await olga.hears(
    '@bridge',
    /^tg: token is sealed\ntg: we are @chanop_bot.*\nmissing: privacy mode is on.*\/setprivacy/,
    seq,
  )
  await olga.hears('@bridge', /^tg is up/, seq)
  await ask('network add telegram two', /^two \(telegram\)/)
  await ask(`network set two api ${server.url}`, /^two: api is set/)
  await ask(`network set two token ${server.token}`, /two is not on yet: tg has this account already/)
  const off = olga.say('#general', '!network off tg')
  await olga.hears('#general', /^tg is turned off/, off.seq)
  await ask('network add two', /two is added and being connected/)
  await until(() => server.asked('getUpdates').length > 0, 'the second to be heard')
  const on = olga.say('#general', '!network on tg')
  await olga.hears('#general', /two has this account already/, on.seq)
})
