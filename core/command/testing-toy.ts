import { z } from 'zod'
import { ChanopError } from '../error.ts'
import type { NetworkId } from '../event.ts'
import { sql } from '../ledger/sqlite.ts'
import { type Command, changes, commandsOf } from './command.ts'
import { rest, whole } from './parse/values.ts'
import { Stage } from './testing.ts'
import { frontCommands } from './visit/front.ts'

/** What the toy commands do is seen here. */
export interface Toy {
  readonly done: string[]
  gate: PromiseWithResolvers<void>
  /** What `drop` drops. */
  readonly herd: string[]
}

export const newToy = (): Toy => ({ done: [], gate: Promise.withResolvers(), herd: ['a', 'b'] })

const command = commandsOf<Toy>('admin')
export const scribe = commandsOf<Toy>('scribe')
const oracle = commandsOf<Toy>('oracle')
export const anyone = { role: 'guest', reply: 'public' } as const

export const adminCommands: Command<Toy>[] = [
  ...frontCommands<Toy>('admin'),
  command({ ...anyone, name: 'version', summary: 'the version', examples: [['!version', '1']], run: async () => '1' }),
  command({
    name: 'note',
    summary: 'keeps a note',
    ...changes('operator'),
    args: z.object({ words: rest() }),
    examples: [['!note a b', 'noted']],
    run: async ({ services, atMs }, { words }) => ({
      lines: ['noted'],
      effect: db => {
        sql(db, 'INSERT INTO setting VALUES (?, ?, ?, ?)').run(`note.${words}`, '1', 'toy', atMs)
        services.done.push(words)
      },
    }),
  }),
  command({
    ...anyone,
    name: 'role list',
    summary: 'roles',
    examples: [['!role list', 'none']],
    run: async () => 'none',
  }),
  command({
    name: 'role grant',
    summary: 'gives a role',
    ...changes('owner'),
    confirm: ({ who, role }) => (role === 'owner' ? `makes ${who} an owner` : null),
    args: z.object({ who: z.string(), role: z.enum(['owner', 'operator', 'member']) }),
    examples: [['!role grant bob member', 'bob: member']],
    run: async ({ services }, { who, role }) => ({
      lines: [`${who}: ${role}`],
      effect: () => void services.done.push(`${who} ${role}`),
    }),
  }),
  command({
    name: 'secret set',
    summary: 'keeps a secret',
    role: 'operator',
    reply: 'private',
    where: 'dm',
    mutates: true,
    args: z.object({ name: z.string(), value: z.string().meta({ rest: true, secret: true }) }),
    examples: [['secret set KEY abc', 'KEY set']],
    run: async ({ services }, { name, value }) => {
      services.done.push(`${name}=${value}`)
      return `${name} set`
    },
  }),
  command({
    name: 'person add',
    summary: 'makes an account',
    ...changes('operator'),
    args: z.object({ name: z.string() }),
    examples: [['!person add bob', '']],
    run: async (_context, { name }) => ({
      orders: [
        {
          order: { key: `make:${name}`, network: 'irc' as NetworkId, kind: 'account.create', args: { account: name } },
          done: `${name} is made`,
          failed: `${name} could not be made: {reason}`,
          secret: `account=${name} password=canary-77`,
        },
      ],
    }),
  }),
  command({
    ...anyone,
    name: 'fail',
    summary: 'fails',
    args: z.object({ how: z.string() }),
    examples: [['!fail conflict', 'taken: choose another']],
    run: async (_context, { how }) => {
      if (how === 'effect') {
        return {
          lines: ['never said'],
          effect: db => {
            sql(db, "INSERT INTO setting VALUES ('half', '1', 'toy', 1)").run()
            throw new ChanopError('conflict', 'it changed meanwhile: look again')
          },
        }
      }
      if (how === 'conflict') throw new ChanopError('conflict', 'taken: choose another')
      throw new Error('boom with /secret/path')
    },
  }),
  command({
    ...anyone,
    name: 'slow',
    summary: 'waits',
    examples: [['!slow', 'awake']],
    run: async ({ services }) => {
      await services.gate.promise
      return 'awake'
    },
  }),
  command({
    ...anyone,
    name: 'halt',
    urgent: true,
    summary: 'halts at once',
    examples: [['!halt', 'halted']],
    run: async () => 'halted',
  }),
]

export const scribeCommands: Command<Toy>[] = [
  scribe({
    ...anyone,
    name: 'last',
    summary: 'the last lines',
    args: z.object({ count: whole(1, 100).prefault('3') }),
    examples: [['!last 2', '1\n2']],
    run: async (_context, { count }) => {
      const data = Array.from({ length: count }, (_, at) => at + 1)
      return { lines: data.map(String), data }
    },
  }),
  scribe({
    name: 'drop',
    summary: 'drops the herd',
    ...changes('operator'),
    args: z.object({ which: z.string() }),
    confirm: (_args, { services: { herd } }) => ({ text: `drops ${herd.length}`, of: [...herd] }),
    examples: [['!drop all', /^drops 2 · !yes/, 'drops 2 · !yes k7m within 60 s, or !no']],
    run: async ({ confirmed }) => `dropped ${confirmed?.join(', ')}`,
  }),
  scribe({
    name: 'erase',
    summary: 'erases',
    ...changes('operator'),
    confirm: true,
    examples: [['!erase', /^erase: sure\? · !yes/, 'erase: sure? · !yes k7m within 60 s, or !no']],
    run: async ({ services }) => {
      services.done.push('erased')
      return 'erased'
    },
  }),
]

export const oracleCommands: Command<Toy>[] = [
  oracle({
    ...anyone,
    name: 'stop',
    summary: 'stops',
    urgent: true,
    examples: [['!stop', 'stopped']],
    run: async () => 'stopped',
  }),
]

/** A stage with all toy bots, on which olga is owner, otto operator and mia member. The caller closes it. */
export async function openToyStage(): Promise<{ stage: Stage; toy: Toy }> {
  const stage = await Stage.open()
  const toy = newToy()
  await stage.bot('admin', adminCommands, toy, { front: true })
  await stage.bot('scribe', scribeCommands, toy)
  await stage.bot('oracle', oracleCommands, toy)
  await stage.role('olga', 'owner')
  await stage.role('otto', 'operator')
  await stage.role('mia', 'member')
  return { stage, toy }
}
