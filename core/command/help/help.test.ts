import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { exampleTests } from '../../contract/commands.ts'
import { commandsOf } from '../command.ts'
import { Stage } from '../testing.ts'
import { adminCommands, newToy, scribeCommands, type Toy } from '../testing-toy.ts'
import { frontCommands } from '../visit/front.ts'
import { renderReference } from './docs.ts'
import { helpCommands } from './help.ts'

const toy = newToy
const front = [...adminCommands, ...helpCommands<Toy>('admin')]

describe('help', () => {
  let stage: Stage
  before(async () => {
    stage = await Stage.open()
    stage.settings = { ...stage.settings, lines: 20 }
    await stage.bot('admin', front, toy(), { front: true })
    await stage.bot('scribe', scribeCommands, toy())
    await stage.role('otto', 'operator')
    await stage.role('olga', 'owner')
  })
  after(() => stage.close())

  it('shows what this caller may run', async () => {
    const guest = await stage.ask('!help')
    assert.match(guest, /\brole\b/)
    assert.doesNotMatch(guest, /note|person|secret|erase/)
    assert.match(guest, /\+5 more for operators, \+1 for owners/)
    const owner = await stage.ask('!help', { by: 'olga' })
    assert.match(owner, /^people: person role$/m)
    assert.doesNotMatch(owner, /more for/)
  })
  it('shows a family', async () => {
    assert.equal(await stage.ask('!help role'), 'role list: roles\n+1 more for owners')
    assert.match(
      await stage.ask('!help !role', { by: 'olga' }),
      /^role grant <who> <owner\|operator\|member>: gives a role\n/,
    )
  })
  it('shows one command in full', async () => {
    const lines = (await stage.ask('!help role grant', { by: 'olga' })).split('\n')
    assert.equal(lines[0], '!role grant <who> <owner|operator|member>')
    assert.equal(lines[1], 'gives a role · needs owner · may ask to confirm')
    assert.equal(lines.at(-1), 'e.g. !role grant bob member')
    assert.match(await stage.ask('!help last'), /\ncount: default 3\n/)
    assert.match(await stage.ask('!help secret set', { by: 'otto' }), /^secret set .*\n.*direct message to admin only/)
  })
  it('tells who may not', async () => assert.equal(await stage.ask('!help note'), 'note needs operator; you are guest'))
  it("shows a bot's", async () => assert.match(await stage.ask('!help scribe'), /^last \[count\]: the last lines/))
  it('knows near words', async () => assert.match(await stage.ask('!help rloe'), /did you mean !help role\?/))
  it('takes any word for one', async () => {
    for (const word of ['constructor', '__proto__'])
      assert.match(await stage.ask(`!help ${word}`), /^no command \S+; !find looks for words$/)
  })
  it('finds by words', async () => {
    assert.equal(await stage.ask('!find count lines'), 'last [count]: the last lines')
    assert.match(await stage.ask('!find gives role'), /^\+1 more for owners$/)
    assert.match(await stage.ask('!find zebra'), /^no command speaks of zebra/)
  })
  it('begins with tasks, a line each', async () => {
    const lines = (await stage.ask('!help')).split('\n')
    assert.deepEqual(
      lines.slice(0, 2).map(line => line.split(':')[0]),
      ['look', 'people'],
    )
    assert.equal(lines[0], 'look: last version')
    assert.match(lines.at(-1) ?? '', /^!help look says more · !find backup/)
    assert.ok(lines.length <= 7)
  })
  it('goes deeper by task', async () => {
    assert.match(
      await stage.ask('!help people', { by: 'otto' }),
      /^person add <name>: .*\nrole list: roles\n\+1 more for owners$/,
    )
  })
  it('finds by words that mean the same', async () => {
    assert.match(await stage.ask('!find invite', { by: 'otto' }), /person add <name>/)
    assert.match(await stage.ask('!find user', { by: 'otto' }), /person add <name>/)
    assert.match(await stage.ask('!find permissions', { by: 'otto' }), /role list: roles/)
    assert.match(await stage.ask('!find token', { by: 'otto' }), /secret set/)
    assert.match(await stage.ask('!find ai'), /^no command speaks of ai/)
  })
  it('shows ten lines at once, and the rest as more', async () => {
    const make = commandsOf<null>('scribe')
    const many = Array.from({ length: 40 }, (_, at) =>
      make({
        name: `thing${String.fromCharCode(97 + (at % 26))}${at > 25 ? 'x' : ''} show`,
        summary: 'shows it',
        role: 'guest',
        reply: 'public',
        examples: [['!x', 'x']],
        run: async () => 'x',
      }),
    )
    stage.settings = { ...stage.settings, lines: 4 }
    await stage.bot('scribe', many, null)
    assert.match(await stage.ask('!help'), /\nmore: .*thinga thingax .* …\n/)
    const lines = (await stage.ask('!help more')).split('\n')
    assert.equal(lines.length, 10)
    assert.match(lines.at(-1) ?? '', / · 10\/4\d · !more$/)
  })
})

describe('renderReference', () => {
  it('is the same for the same declarations, and holds each of them', () => {
    const all = [...front, ...scribeCommands]
    const text = renderReference(all)
    assert.equal(text, renderReference([...all].reverse()))
    for (const { name } of all) assert.ok(text.includes(`### ${name}\n`), name)
    assert.match(text, /\| `who` \| text \| word \| yes \|/)
  })
})

exampleTests<Toy>('the front', async () => ({
  commands: [...frontCommands<Toy>('admin'), ...helpCommands<Toy>('admin')],
  services: toy(),
  front: true,
}))
exampleTests<Toy>('a toy scribe', async () => ({ commands: scribeCommands, services: toy() }))
exampleTests<Toy>('a toy admin', async () => {
  const services = toy()
  services.gate.resolve()
  return { commands: adminCommands.filter(one => one.name !== 'person add'), services, front: true }
})
