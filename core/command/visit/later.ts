/** What a command finds out after it was answered. */

import { asChanopError } from '../../error.ts'
import type { Tx } from '../../ledger/tx.ts'
import type { BotContext } from '../../process/bot.ts'
import { deadline, sleep } from '../../retry.ts'
import { say } from '../../say.ts'
import { parseInline } from '../../text/text.ts'
import { voiceOf } from '../answer.ts'
import type { CommandContext } from '../command.ts'
import { messageLine } from '../failure.ts'

/** What came of it. `effect` and `committed` as those of an answer. */
export interface Found {
  readonly lines: readonly string[]
  readonly effect?: (tx: Tx) => void
  readonly committed?: () => Promise<void>
}

type Speaker = Pick<BotContext, 'name' | 'ledger' | 'log' | 'rooms' | 'signal'>

/** Which command of which bot speaks, and whether to its asker alone. */
export interface Later {
  readonly bot: Speaker
  readonly context: CommandContext<unknown>
  readonly reply: 'public' | 'private'
}

/** A command is answered within ten seconds; others take longer to answer us. */
const patienceMs = 7000
const mostMs = 180_000

/** Answers with what came of it; what takes longer is said where it was asked, when it has come. */
export async function soonOrLater(
  later: Later,
  what: string,
  work: (signal: AbortSignal) => Promise<Found>,
): Promise<Found> {
  const working = work(deadline(mostMs, later.bot.signal))
  const over = new AbortController()
  const first = await Promise.race([working, sleep(patienceMs, over.signal).then(() => null)]).finally(() =>
    over.abort(),
  )
  if (first) return first
  working
    .then(
      found => sayLater(later, found),
      error => sayLater(later, { lines: [messageLine(asChanopError(error), later.context.settings.prefix)] }),
    )
    .catch((error: unknown) => {
      later.bot.log.error({ error }, `what came of ${what} could not be said`)
    })
  return { lines: [`${what} takes a while; what came of it is said here`] }
}

/** Says one thing more to a command that was answered: once for each `part`. What can't be done is said instead. */
export async function sayLater(
  { bot, context: { event, settings }, reply }: Later,
  { lines, effect, committed }: Found,
  part = 'later',
): Promise<void> {
  const { ledger, rooms, name } = bot
  const voice = voiceOf(event, reply, { bot: name, roomPlaces: place => rooms.with(place) })
  const tell = (tx: Tx, said: readonly string[]): void => {
    const content = { segments: parseInline(said.join('\n')) }
    if (said.length > 0) say(tx, { bot: name, content, ...voice, key: `${name}.${event.seq}.${part}` }, Date.now())
  }
  try {
    await ledger.write(tx => {
      effect?.(tx)
      tell(tx, lines)
    })
  } catch (thrown) {
    const error = asChanopError(thrown)
    if (error.audience !== 'user') throw error
    await ledger.write(tx => tell(tx, [messageLine(error, settings.prefix)]))
    return
  }
  await committed?.()
}
