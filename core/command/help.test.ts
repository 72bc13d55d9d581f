import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { exampleTests } from '../contract/commands.ts'
import { commandsOf } from './command.ts'
import { renderReference } from './docs.ts'
import { frontCommands } from './front.ts'
import { helpCommands } from './help.ts'
import { Stage } from './testing.ts'
import { adminCommands, scribeCommands, newToy, type Toy } from './testing-toy.ts'

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
    assert.match(guest, /role list\b/)
    assert.doesNotMatch(guest, /note|grant|secret|erase/)
    assert.match(guest, /\+5 more for operators, \+1 for owners/)
    const owner = await stage.ask('!help', { by: 'olga' })
    assert.match(owner, /role grant\|list/)
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
  it('finds by words', async () => {
    assert.equal(await stage.ask('!find count lines'), 'last [count]: the last lines')
    assert.match(await stage.ask('!find gives role'), /^\+1 more for owners$/)
    assert.match(await stage.ask('!find zebra'), /^no command speaks of zebra/)
  })
  it('has at most 15 items a level', async () => {
    const make = commandsOf<null>('scribe')
    const many = Array.from({ length: 40 }, (_, at) =>
      make({
        name: `thing${String.fromCharCode(97 + (at % 26))}${at > 25 ? 'x' : ''} show`,
        summary: 'shows it',
        role: 'guest',
        reply: 'public',
        args: z.object({}),
        examples: [['!x', 'x']],
        run: async () => 'x',
      }),
    )
    await stage.bot('scribe', many, null)
    const [items, tail] = (await stage.ask('!help')).split('\n')
    assert.equal(items?.split(' · ').length, 15)
    assert.match(tail ?? '', /more: !help 2/)
    const [second] = (await stage.ask('!help 2')).split('\n')
    assert.equal(second?.split(' · ').length, 15)
    assert.notEqual(second, items)
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
