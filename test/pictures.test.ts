/** A command's picture where people look, by the adapters of all platforms; words alone where no files are shown. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { availableServers } from '../adapters/irc/server/testing.ts'
import { synapseMissing } from '../adapters/matrix/testing/synapse.ts'
import { runBridge } from '../bots/bridge/run.ts'
import { runScribe } from '../bots/scribe/scribe.ts'
import { copyIn, meet, roomOf } from './five/room.ts'
import { discordSide, ircSide, matrixSide, type Side, slackSide, telegramSide } from './five/sides.ts'
import { House } from './house.ts'

const isPicture = (bytes: Uint8Array): boolean => Buffer.from(bytes).toString('latin1', 1, 4) === 'PNG'
const irc = (await availableServers()).find(({ reason }) => reason === null)?.kind
const matrix = (await synapseMissing()) === null

test('statistics are a picture beside their words on platforms that show some', async t => {
  const opening: Promise<Side>[] = [discordSide(), slackSide(), telegramSide()]
  if (irc === 'ergo' || irc === 'inspircd') opening.push(ircSide(irc))
  if (matrix) opening.push(matrixSide())
  const sides = await Promise.all(opening)
  t.after(() => Promise.all(sides.map(side => side.stop())))
  const { config, env } = roomOf(sides)
  const house = new House(t, { config, env })
  await house.run('bridge', runBridge)
  await house.run('scribe', runScribe)
  await meet(sides)
  const asker = sides.find(({ network }) => network === 'dc') as Side
  await asker.say('!stats five')
  for (const side of sides) {
    const words = await copyIn(side, ({ text }) => /five: \d+ messages/.test(text), 'the words')
    if (side.network === 'irc') {
      assert.ok(
        (await side.copies()).every(({ text }) => !text.includes('stats.png')),
        'words alone',
      )
      continue
    }
    const found = words.files.length > 0 ? words : await copyIn(side, ({ files }) => files.some(isPicture), 'a picture')
    assert.ok(found.files.every(isPicture), side.network)
  }
})
