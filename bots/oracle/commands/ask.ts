import { z } from 'zod'
import type { Answer, CommandContext } from '../../../core/command/command.ts'
import { rest } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { lastTurnOf, type Turn } from '../../../core/ledger/oracle/turns.ts'
import { currentOf } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { turnOfMessage } from '../../../core/stop.ts'
import { plain } from '../../../core/text/text.ts'
import { modeOf } from '../talk/decide.ts'
import { declare, type OracleServices } from './services.ts'

type Context = CommandContext<OracleServices>

/** Makes a turn of a command; its answer comes by itself. */
function turnOf({ services, event }: Context, reason: string, wordsOf: (tx: Tx) => string): Answer {
  const { ear } = services
  let outcome: ReturnType<typeof ear.ask> = null
  return {
    lines: [],
    effect: tx => {
      if (!event.event.place.private && modeOf(event, services.context.settings.current) === 'off')
        throw new ChanopError('denied', 'the oracle is off in this room')
      outcome = ear.ask(tx, event, reason, wordsOf(tx))
      return []
    },
    committed: () => ear.follow(outcome),
  }
}

const ask = declare({
  name: 'ask',
  summary: 'asks the oracle',
  role: 'guest',
  reply: 'public',
  args: z.object({ words: rest().max(20_000).describe('the question') }),
  examples: [
    ['!ask what is up?', /^I can't answer yet: no model is configured/, "I can't answer yet: no model is configured."],
  ],
  run: async (context, { words }) => turnOf(context, 'it was asked by command', () => words),
})

/** The turn that a command means: the one that is replied to, else the asker's last one here. */
export function turnMeant(tx: Tx, { caller, event }: Context): Turn | null {
  const { place, content } = event.event
  const replied = turnOfMessage(tx, place, content.replyTo)
  return replied ?? lastTurnOf(tx, { network: caller.network, user: caller.account }, event.room)
}

/** What was asked. */
export function wordsOf(tx: Tx, turn: Turn): string {
  if (turn.words) return turn.words
  const content = currentOf(tx, turn.asked)?.content
  return content ? plain(content).trim() : ''
}

const retry = declare({
  name: 'retry',
  summary: 'asks your last question here once more, or the one that is replied to',
  role: 'guest',
  reply: 'public',
  args: z.object({}),
  examples: [['!retry', 'you asked nothing here yet']],
  run: async context =>
    turnOf(context, 'it was asked once more', tx => {
      const turn = turnMeant(tx, context)
      const words = turn ? wordsOf(tx, turn) : ''
      if (words === '') throw new ChanopError('not-found', 'you asked nothing here yet')
      if (turn?.settledMs === null) throw new ChanopError('conflict', 'that is still being answered')
      return words
    }),
})

export const askCommands = [ask, retry]
