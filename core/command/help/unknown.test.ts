import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { anybody, commandsOf } from '../command.ts'
import { Stage } from '../testing.ts'
import { adminCommands, newToy, scribeCommands, type Toy } from '../testing-toy.ts'

describe('unknown words', () => {
  let stage: Stage
  let toy: Toy

  beforeEach(async () => {
    stage = await Stage.open()
    toy = newToy()
    await stage.bot('admin', adminCommands, toy, { front: true })
    await stage.bot('scribe', scribeCommands, toy)
    await stage.role('olga', 'owner')
    await stage.role('mia', 'member')
  })
  afterEach(() => stage.close())

  it('are passed over in a room', async () => assert.equal(await stage.ask('!dance', { by: 'olga' }), ''))
  it('near misses of somebody who just used a command are not, once for each word', async () => {
    assert.equal(await stage.ask('!verison', { by: 'bob' }), '')
    assert.equal(await stage.ask('!version', { by: 'bob' }), '1')
    assert.equal(await stage.ask('!verison', { by: 'bob' }), 'no command verison; did you mean !version?')
    assert.equal(await stage.ask('!verison', { by: 'bob' }), '')
    assert.equal(await stage.ask('!versoin', { by: 'mia' }), '', 'she used none')
    stage.nowMs += 3 * 60_000
    assert.equal(await stage.ask('!versoin', { by: 'bob' }), '', 'that was long ago')
    assert.equal(await stage.ask('!last 1', { by: 'olga' }), '1', 'of another bot')
    assert.match(await stage.ask('!role grnat bob member', { by: 'olga' }), /did you mean !role grant/)
    assert.deepEqual(toy.done, [])
  })
  it('that are excitement get no answer, and cost nobody a pause', async () => {
    const words = [
      '!!!',
      '!important',
      '!lol',
      '!ban him',
      '!rules',
      '!hello',
      '!wow',
      '!play',
      '!haha',
      '!lst',
      '!roll 2d6',
    ]
    for (let n = 0; n < 3; n++) {
      await stage.ask('!version', { by: 'mia' })
      for (const word of words) assert.equal(await stage.ask(word, { by: 'mia' }), '', word)
    }
    assert.equal(await stage.ask('!version', { by: 'mia' }), '1')
  })
  it('are answered in private, shortly, and never with a pause', async () => {
    const dm = { by: 'bob', to: 'admin', in: stage.direct('bob') }
    assert.equal(await stage.ask('!rules', dm), 'no command rules; !help lists them')
    const said: string[] = []
    for (let n = 0; n < 20; n++) said.push(await stage.ask(`!blurb${n}`, dm))
    assert.ok(said.every(line => line === '' || line.startsWith('no command blurb')))
    assert.ok(said.filter(Boolean).length < 8)
  })
  it('begin a command: one of two words before one of a single word', async () => {
    const roles = { name: 'roles', ...anybody, reply: 'public', summary: 'x', examples: [['!roles', 'all']] } as const
    await stage.bot('extra', [commandsOf<Toy>('extra')({ ...roles, run: async () => 'all' })], toy)
    const dm = { by: 'mia', to: 'admin', in: stage.direct('mia') }
    assert.equal(await stage.ask('rol li', dm), 'none')
    assert.equal(await stage.ask('rol', { ...dm, by: 'olga', in: stage.direct('olga') }), 'all')
  })
  it('said to a bot are answered by the front alone', async () => {
    const { takenBy, seen } = await stage.say('scribe: !dance')
    assert.deepEqual([takenBy, seen.length], [['admin'], 1])
  })
})
