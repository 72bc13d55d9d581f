import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { z } from 'zod'
import { commandsOf } from '../../../core/command/command.ts'
import { publish } from '../../../core/command/help/published.ts'
import { inWords } from '../../../core/command/native.ts'
import { silentLog } from '../../../core/log.ts'
import { House } from '../../../test/house.ts'
import { runAdmin } from '../../admin/admin.ts'
import { until } from '../testing.ts'
import { Announcer } from './announcer.ts'

const declare = commandsOf<object>('admin')
const command = (name: string, args: z.ZodObject = z.object({}), role: 'guest' | 'owner' = 'guest') =>
  declare({
    name,
    summary: `does ${name}`,
    role,
    reply: 'private',
    args,
    examples: [['!x', 'x']],
    run: async () => 'x',
  })

/** A bridge that looks only when told to; with `only`, at one network. */
async function world(t: { after(done: () => void | Promise<void>): void }, only?: string) {
  const house = new House(t)
  const platform = house.server()
  const bridge = await house.bridge({ announceMs: 3_600_000 })
  await Promise.all([platform.ready(), house.server('b').ready()])
  const adapters = new Map(
    [...bridge.connections.adapters].filter(([network]) => only === undefined || network === only),
  )
  let tries = 0
  for (const adapter of adapters.values()) {
    const inner = adapter.announce?.bind(adapter)
    adapter.announce = async (...given) => {
      tries++
      await inner?.(...given)
    }
  }
  const backoff = { firstMs: 1000, maxMs: 8000 }
  const announcer = new Announcer({ adapters, ledger: house.ledger, log: silentLog(), signal: house.signal, backoff })
  const tell = (...names: string[]): Promise<void> =>
    house.ledger.write(db => publish(db, 'admin', names.map(name => command(name)) as never))
  const shown = () => platform.announced.map(({ commands }) => commands.map(({ name }) => name))
  return { house, platform, announcer, tell, shown, tries: () => tries }
}

test('commands are shown once they have been the same at two looks, and again only when they change', async t => {
  const { announcer, tell, shown, house } = await world(t)
  await tell('alpha')
  await announcer.look()
  await tell('alpha', 'beta')
  await announcer.look()
  assert.deepEqual(shown(), [])
  await announcer.look()
  await until(() => shown().length === 1 && house.server('b').announced.length === 1, 'both networks')
  assert.deepEqual(shown(), [['alpha', 'beta']])
  for (let n = 0; n < 3; n++) await announcer.look()
  await tell('beta')
  for (let n = 0; n < 2; n++) await announcer.look()
  await until(() => shown().length === 2, 'the change')
  assert.deepEqual(shown()[1], ['beta'])
})

test('a refusal that may end is tried again after growing pauses, another one waits for a change', async t => {
  const { announcer, tell, shown, tries, platform } = await world(t, 'chat')
  await tell('alpha')
  platform.faults.refuseCommands(2)
  await announcer.look(0)
  const triesAt = async (...times: readonly number[]): Promise<number> => {
    const before = tries()
    for (const atMs of times) {
      await announcer.look(atMs)
      await turn()
    }
    return tries() - before
  }
  assert.equal(await triesAt(0, 100, 499), 1, 'the first, which fails')
  assert.equal(await triesAt(1000), 1, 'the second')
  assert.equal(await triesAt(1100, 1999), 0, 'pauses grow')
  assert.equal(await triesAt(3000, 50_000), 1)
  assert.deepEqual(shown(), [['alpha']])

  await tell('gamma')
  platform.faults.refuseCommands(1, 'send-refused')
  assert.equal(await triesAt(...Array.from({ length: 20 }, (_, n) => 100_000 * (n + 1))), 1)
  assert.equal(shown().length, 1)
  await tell('delta')
  assert.equal(await triesAt(3_000_000, 4_000_000), 1)
  assert.deepEqual(shown()[1], ['delta'])
})

test('all that a form needs is told, once for each connection; commands that take a secret stay out', async t => {
  const { house, announcer, platform } = await world(t)
  const args = z.object({ who: z.string(), key: z.string().meta({ secret: true }) })
  const most = z.object({
    how: z.enum(['a', 'b']).optional().describe('which').meta({ named: true }),
    who: z.string().meta({ type: 'person' }),
  })
  await house.ledger.write(db =>
    publish(db, 'admin', [command('key set', args), command('rule', most, 'owner'), command('all')] as never),
  )
  for (let n = 0; n < 2; n++) await announcer.look()
  await until(() => platform.announced.length === 1, 'commands')
  assert.deepEqual(platform.announced[0]?.commands, [
    { name: 'all', bot: 'admin', summary: 'does all', private: true, role: 'guest', fields: [] },
    {
      name: 'rule',
      bot: 'admin',
      summary: 'does rule',
      private: true,
      role: 'owner',
      fields: [
        { name: 'who', type: 'person', required: true },
        { name: 'how', type: 'choice', required: false, choices: ['a', 'b'], summary: 'which' },
      ],
    },
  ])
  platform.cut()
  await platform.ready()
  for (let n = 0; n < 2; n++) await announcer.look()
  assert.equal(platform.announced.length, 1)
})

test('a whole house shows its commands by itself, and what is asked by such a form is answered', async t => {
  const house = new House(t)
  const platform = house.server()
  await house.grant('chat', 'olga', 'owner')
  await house.bridge({ announceMs: 20 })
  await house.run('admin', runAdmin)
  await platform.ready()
  const { commands } = await until(() => platform.announced.at(-1), 'commands')
  assert.ok(commands.length > 20, 'all at once, and nothing before')
  assert.equal(platform.announced.length, 1)
  const olga = platform.user('olga')
  const asked = { name: 'networks', args: {} }
  const { seq } = olga.say('#general', inWords(asked), { asked })
  await olga.hears('#general', /^chat up/, seq)
})

test('a form in words reads as it would have been typed', () => {
  const args = { who: 'bob', text: 'two "words"\nmore', count: 3, dry: true, empty: '' }
  assert.equal(
    inWords({ name: 'role grant', args }),
    `/role grant who=bob text="two 'words'\nmore" count=3 dry=true empty=""`,
  )
})
