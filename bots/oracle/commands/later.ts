import type { CommandContext } from '../../../core/command/command.ts'
import { asChanopError } from '../../../core/error.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { deadline, sleep } from '../../../core/retry.ts'
import { say } from '../../../core/say.ts'
import { parseInline } from '../../../core/text.ts'
import type { OracleServices } from './services.ts'

/** What came of asking a model. `effect` as that of an answer. */
export interface Found {
  readonly lines: readonly string[]
  readonly effect?: (tx: Tx) => void
  readonly committed?: () => Promise<void>
}

/** A command is answered within ten seconds; a model that is being loaded takes longer. */
const patienceMs = 7000
const mostMs = 180_000

/** Answers with what came of it; what takes longer is said where it was asked, when it has come. */
export async function soonOrLater(
  context: CommandContext<OracleServices>,
  what: string,
  work: (signal: AbortSignal) => Promise<Found>,
): Promise<Found> {
  const working = work(deadline(mostMs, context.services.context.signal))
  const over = new AbortController()
  const first = await Promise.race([working, sleep(patienceMs, over.signal).then(() => null)]).finally(() =>
    over.abort(),
  )
  if (first) return first
  working
    .then(
      found => report(context, found),
      error => report(context, { lines: [asChanopError(error).message] }),
    )
    .catch((error: unknown) => {
      context.services.context.log.error({ error }, `what came of ${what} could not be said`)
    })
  return { lines: [`${what} takes a while; what came of it is said here`] }
}

async function report({ caller, event, services }: CommandContext<OracleServices>, found: Found): Promise<void> {
  const { ledger, rooms, name } = services.context
  const hall = { name: caller.room, places: rooms.from(caller.place).places }
  const content = { segments: parseInline(found.lines.join('\n')) }
  await ledger.write(tx => {
    found.effect?.(tx)
    say(tx, { bot: name, content, in: hall, key: `${name}.${event.seq}.later`, replySeq: event.seq }, Date.now())
  })
  await found.committed?.()
}
