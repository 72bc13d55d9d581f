import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Command } from '../command/command.ts'
import { Stage } from '../command/testing.ts'
import { frontCommands } from '../command/visit/front.ts'

export interface ExampleWorld<S> {
  readonly commands: readonly Command<S>[]
  readonly services: S
  /** Is this the bot that answers for all? Then `commands` holds the front's too. */
  readonly front?: true
  close?(): Promise<void>
}

/**
 * Says every example of every declaration to a real router, each in a world of its own, and compares the answer. `alice`
 * is an owner; what is said without the prefix, or belongs to a direct message, is said in one. A command that only
 * orders something answers with what is said when that is done.
 */
export function exampleTests<S>(name: string, open: (stage: Stage, command: string) => Promise<ExampleWorld<S>>): void {
  describe(`examples of ${name}`, () => {
    it('are answered as declared', async t => {
      for (const command of (await inWorld(open, '', async ({ commands }) => commands)) ?? []) {
        for (const [said, answer, shown] of command.examples) {
          if (answer instanceof RegExp) assert.match(shown ?? '', answer, `what is shown for ${said}`)
          await t.test(`${command.name}: ${said}`, () =>
            inWorld(open, command.name, async (_world, stage) => {
              const given = await answerTo(stage, command, said)
              if (typeof answer === 'string') assert.equal(given, answer)
              else assert.match(given, answer)
            }),
          )
        }
      }
    })
  })
}

async function inWorld<S, T>(
  open: (stage: Stage, command: string) => Promise<ExampleWorld<S>>,
  command: string,
  work: (world: ExampleWorld<S>, stage: Stage) => Promise<T>,
): Promise<T> {
  const stage = await Stage.open()
  try {
    await stage.role('alice', 'owner')
    const world = await open(stage, command)
    const bot = world.commands[0]?.bot ?? 'admin'
    await stage.bot(bot, world.commands, world.services, world.front ? { front: true } : {})
    if (!world.front && bot !== 'admin') await stage.bot('admin', frontCommands('admin'), null, { front: true })
    try {
      return await work(world, stage)
    } finally {
      await world.close?.()
    }
  } finally {
    await stage.close()
  }
}

async function answerTo<S>(stage: Stage, command: Command<S>, said: string): Promise<string> {
  const direct = command.where === 'dm' || !said.startsWith(stage.settings.prefix)
  const place = direct ? { in: stage.direct('alice'), to: command.bot } : {}
  const { seen } = await stage.say(said, { by: 'alice', ...place })
  const open = seen.filter(one => !one.secret)
  const now = open.filter(one => !one.held)
  return (now.length > 0 ? now : open.slice(0, 1)).map(one => one.text).join('\n')
}
