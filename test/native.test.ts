/** Every command that there is, as each platform with commands of its own is given it, held against that platform's limits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogueOf, type Option } from '../adapters/discord/commands/catalogue.ts'
import { DiscordFake } from '../adapters/discord/testing/fake.ts'
import { Trial as DiscordTrial, placeAt } from '../adapters/discord/testing/trial.ts'
import { Trial as TelegramTrial } from '../adapters/telegram/testing/trial.ts'
import { adminCommands } from '../bots/admin/admin.ts'
import { bridgeCommands } from '../bots/bridge/run.ts'
import { oracleCommands } from '../bots/oracle/commands/all.ts'
import { scribeCommands } from '../bots/scribe/commands/all.ts'
import type { Command } from '../core/command/command.ts'
import { publishedOf } from '../core/command/help/published.ts'
import { nativeCommands } from '../core/command/native.ts'

const all = [...adminCommands, ...bridgeCommands, ...oracleCommands, ...scribeCommands] as unknown as Command<never>[]
const commands = nativeCommands(all.map(publishedOf))

/** What counts for the limit of 8,000 (docs.discord.com/developers/interactions/application-commands#slash-commands). */
const sizeOf = ({ name, description, options = [], choices = [] }: Option): number =>
  name.length +
  description.length +
  choices.reduce((sum, choice) => sum + choice.name.length + choice.value.length, 0) +
  options.reduce((sum, option) => sum + sizeOf(option), 0)

function check(option: Option, path: string): void {
  const { name, description, options = [], choices } = option
  assert.match(name, /^[-_'\p{Ll}\p{Lo}\p{N}]{1,32}$/u, path)
  assert.ok(description.length >= 1 && description.length <= 100, `${path}: ${description}`)
  assert.ok(options.length <= 25, path)
  const names = options.map(each => each.name)
  assert.equal(new Set(names).size, names.length, `${path}: ${names.join(' ')}`)
  const required = options.map(each => each.required === true)
  assert.deepEqual(
    required,
    required.toSorted((a, b) => Number(b) - Number(a)),
    `${path}: what is required comes first`,
  )
  const kinds = new Set(options.map(({ type }) => (type <= 2 ? 'command' : 'value')))
  assert.ok(kinds.size <= 1, `${path}: commands beside values`)
  if (choices) {
    assert.ok(choices.length >= 1 && choices.length <= 25, path)
    assert.equal(new Set(choices.map(choice => choice.name)).size, choices.length, path)
  }
  for (const inner of options) check(inner, `${path} ${inner.name}`)
}

test('Discord: every command keeps to its limits, and none of them is in the menu twice or by half', async t => {
  const { shown, left } = catalogueOf(commands)
  assert.ok(shown.length <= 100)
  for (const command of shown) {
    check(command, command.name)
    assert.ok(sizeOf(command) <= 8_000, `${command.name}: ${sizeOf(command)}`)
  }
  const menu = shown.flatMap(({ name, options = [] }) =>
    options.some(({ type }) => type === 1) ? options.map(option => `${name} ${option.name}`) : [name],
  )
  assert.deepEqual([...menu, ...left.map(({ name }) => name)].toSorted(), commands.map(({ name }) => name).toSorted())
  t.diagnostic(`${menu.length} commands in ${shown.length}, ${left.length} left out`)
})

test('Discord and Telegram take them, by their own descriptions', async t => {
  const fake = await DiscordFake.start()
  t.after(() => fake.stop())
  const room = fake.world.channel('room')
  const discord = await DiscordTrial.start(fake, { channels: [room.id] })
  t.after(() => discord.stop())
  await discord.adapter.announce?.(commands, AbortSignal.timeout(5_000))
  assert.deepEqual(fake.faults, [])
  assert.ok(fake.world.commands.length > 0, placeAt(room.id).channel)
  const telegram = await TelegramTrial.open(t)
  const { adapter } = await telegram.start(t)
  await adapter.announce?.(commands, AbortSignal.timeout(5_000))
  const lists = telegram.server
    .asked('setMyCommands')
    .map(({ params }) => params['commands'] as { command: string; description: string }[])
  assert.ok(lists.length > 0)
  for (const list of lists) {
    assert.ok(list.length <= 100)
    assert.equal(new Set(list.map(({ command }) => command)).size, list.length, 'each once')
    for (const { command, description } of list) {
      assert.match(command, /^[a-z0-9_]{1,32}$/)
      assert.ok(description.length >= 1 && description.length <= 256, command)
    }
  }
})

test('Discord: a command whose first word is one of its own does not become half a group', () => {
  const named = (name: string) => ({
    name,
    bot: 'admin',
    summary: name,
    private: false,
    role: 'guest' as const,
    fields: [],
  })
  for (const names of [
    ['x', 'x y', 'x z'],
    ['x y', 'x', 'x z'],
  ]) {
    const { shown, left } = catalogueOf(names.map(named))
    const kinds = shown.map(({ options = [] }) => options.map(({ name }) => name))
    assert.equal(shown.length, 1)
    assert.deepEqual(kinds.flat().length + (kinds.flat().length === 0 ? 1 : 0) + left.length, 3)
    if (names[0] === 'x') assert.deepEqual([kinds.flat(), left.map(({ name }) => name)], [[], ['x y', 'x z']])
  }
})
