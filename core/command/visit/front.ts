import { z } from 'zod'
import { given } from '../../given.ts'
import { dropPending } from '../../ledger/out/confirmations.ts'
import { pageOf } from '../../ledger/record/pages.ts'
import { anybody, type Command, type CommandContext, commandsOf } from '../command.ts'
import { codeOf, whichCode } from '../state/confirm.ts'

const most = 40

function amount(typed: string | undefined, left: number, usual: number): number {
  if (typed === undefined) return usual
  return Math.min(most, typed.toLowerCase() === 'all' ? left : Number(typed))
}

const code = (about: string) => z.string().min(1).max(10).optional().describe(about)

const asker = ({ caller: { place, account } }: CommandContext<unknown>) => ({ place, account })

/** `more`, `yes` and `no`: of the one bot that answers for all. */
export function frontCommands<S>(bot: string): Command<S>[] {
  const command = commandsOf<S>(bot)
  return [
    command({
      name: 'more',
      summary: 'the next lines of the last answer',
      ...anybody,
      reply: 'public',
      args: z.object({
        lines: z
          .string()
          .regex(/^([1-9]\d?|all)$/i, 'write a number of lines, or all')
          .optional()
          .describe('how many, or all'),
      }),
      examples: [['!more', 'nothing more to show']],
      run: async (context, { lines }) => {
        const page = await context.ledger.read(db => pageOf(db, asker(context), context.atMs))
        if (!page) return 'nothing more to show'
        const size = amount(lines, page.lines.length - page.shown, context.settings.lines)
        return { lines: page.lines, reply: page.reply, page: { from: page.shown, size, ...given({ bot: page.bot }) } }
      },
    }),
    command({
      name: 'yes',
      aliases: ['y'],
      summary: 'confirms what was asked to be confirmed',
      ...anybody,
      reply: 'public',
      args: z.object({ code: code('the code that was shown; not needed while one alone waits') }),
      examples: [
        ['!yes zzz', 'nothing of yours waits here for zzz'],
        ['!yes', 'nothing of yours waits here'],
      ],
      run: async (context, { code }) =>
        code === undefined
          ? context.ledger.read(db => whichCode(db, asker(context), context.atMs))
          : `nothing of yours waits here for ${codeOf(code).replace(/[^a-z0-9]/g, '')}`,
    }),
    command({
      name: 'no',
      summary: 'drops what was asked to be confirmed',
      ...anybody,
      reply: 'public',
      args: z.object({ code: code('the code that was shown; all without') }),
      examples: [['!no', 'nothing was waiting']],
      run: async (context, { code }) => ({
        effect: db => {
          const dropped = dropPending(db, asker(context), code === undefined ? undefined : codeOf(code))
          return [dropped > 0 ? `dropped: nothing was done` : 'nothing was waiting']
        },
      }),
    }),
  ]
}
