import { z } from 'zod'
import type { Answer } from '../../../core/command/command.ts'
import { rest } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { lastTurnOf, type NewTurn, type Turn } from '../../../core/ledger/oracle/turns.ts'
import { decisionOf, lastDecided } from '../../../core/ledger/record/decisions.ts'
import { currentOf, messageOf } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { turnOfMessage } from '../../../core/stop.ts'
import { plain } from '../../../core/text/text.ts'
import { modeOf, programRefusal } from '../talk/decide.ts'
import { type Context, declare } from './services.ts'

/** Makes a turn of a command; its answer comes by itself. */
function turnOf(
  { services, event }: Context,
  reason: string,
  questionOf: (tx: Tx) => Pick<NewTurn, 'words' | 'again'>,
): Answer {
  const { ear } = services
  let outcome: ReturnType<typeof ear.ask> = null
  const config = services.context.settings.current
  return {
    effect: tx => {
      if (!event.event.place.private && modeOf(event, config) === 'off')
        throw new ChanopError('denied', 'the oracle is off in this room')
      const cut = programRefusal(tx, event, { strong: true }, config, Date.now())
      if (cut) throw new ChanopError('denied', cut.reason)
      outcome = ear.ask(tx, event, reason, questionOf(tx))
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
  run: async (context, { words }) => turnOf(context, 'it was asked by command', () => ({ words })),
})

/** A question: its message, and its turn if it became one. */
interface Question {
  readonly seq: number
  readonly turn: Turn | null
}

/** The question that a command means: the one that is replied to, else the asker's last one here, whether or not it was answered. */
export function questionMeant(tx: Tx, { caller: { network, account }, event, settings }: Context): Question | null {
  const { place, content } = event.event
  const replied = turnOfMessage(tx, place, content.replyTo)
  if (replied) return { seq: replied.asked, turn: replied }
  const above = content.replyTo === undefined ? null : messageOf(tx, place, content.replyTo)
  if (above && decisionOf(tx, above.seq)) return { seq: above.seq, turn: null }
  const turn = lastTurnOf(tx, { network, user: account }, event.room)
  const decided = lastDecided(tx, event.room, network, account)
  // What a command asked for is in no text.
  const said = decided === null || decided <= (turn?.asked ?? 0) ? '' : textOf(tx, decided)
  if (decided !== null && said !== '' && !said.startsWith(settings.prefix)) return { seq: decided, turn: null }
  return turn && { seq: turn.asked, turn }
}

export const wordsOf = (tx: Tx, turn: Turn): string => turn.words ?? textOf(tx, turn.asked)

function textOf(tx: Tx, seq: number): string {
  const content = currentOf(tx, seq)?.content
  return content ? plain(content).trim() : ''
}

const retry = declare({
  name: 'retry',
  summary: 'asks your last question here once more, or the one that is replied to',
  role: 'guest',
  reply: 'public',
  examples: [['!retry', 'you asked nothing here yet']],
  run: async context =>
    turnOf(context, 'it was asked once more', tx => {
      const { seq = 0, turn } = questionMeant(tx, context) ?? {}
      const words = turn ? wordsOf(tx, turn) : textOf(tx, seq)
      if (words === '') throw new ChanopError('not-found', 'you asked nothing here yet')
      if (turn?.settledMs === null) throw new ChanopError('conflict', 'that is still being answered')
      return { words, again: turn?.again ?? seq }
    }),
})

export const askCommands = [ask, retry]
