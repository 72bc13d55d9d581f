import { asChanopError } from '../../error.ts'
import { newestBefore, type Stored } from '../../ledger/record/events.ts'
import { advanceTo, forgetHandled, isHandled, markHandled } from '../../ledger/settings/consumers.ts'
import type { Tx } from '../../ledger/tx.ts'
import type { BotContext } from '../../process/bot.ts'
import { consume } from '../../process/consumer.ts'
import { backoffMs, sleep } from '../../retry.ts'
import type { CommandMessage, Router } from '../router.ts'
import { freshMs } from './gate.ts'

type Context = Pick<BotContext, 'name' | 'ledger' | 'bus' | 'log' | 'signal'>
const most = 500
/** What fails so often for a reason that is not the ledger's fails for ever: nothing else waits for it. */
const mostTries = 3

/**
 * Reads facts for ever and gives the router those that may be commands. Several may be under way at once: the cursor
 * passes only what is finished up to there, and what is finished beyond it is noted one by one.
 */
export async function serveCommands<S>(context: Context, router: Router<S>): Promise<void> {
  const { ledger, log, signal } = context
  const consumer = `${context.name}.commands`
  const newest = ledger.newestSeq()
  const flying = new Set<number>()
  let read = 0

  const passed = (done?: number): number => {
    let least = read + 1
    for (const seq of flying) if (seq !== done && seq < least) least = seq
    return least - 1
  }
  const finish = (seq: number) => (db: Tx) => {
    const upTo = passed(seq)
    if (upTo < seq) markHandled(db, consumer, seq)
    else forgetHandled(db, consumer, upTo)
    advanceTo(db, consumer, upTo)
  }
  const attend = async (asked: CommandMessage): Promise<void> => {
    const { seq } = asked.stored
    let unfit = 0
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        if (unfit < mostTries) await router.handle(asked, finish(seq))
        else await ledger.write(finish(seq))
        break
      } catch (error) {
        if (signal.aborted) return
        const { code, message } = asChanopError(error)
        if (!code.startsWith('ledger-')) unfit++
        log.error({ error, seq }, `a command ${unfit < mostTries ? 'waits' : 'is passed over'}: ${message}`)
        await sleep(backoffMs({ firstMs: 200, maxMs: 10_000 }, failures), signal)
      }
    }
    flying.delete(seq)
  }
  const take = async (batch: readonly Stored[]): Promise<void> => {
    for (const stored of batch) {
      const asked = router.asked(stored)
      const again = asked !== null && stored.seq <= newest
      if (asked && !(again && (await ledger.read(db => isHandled(db, consumer, stored.seq))))) {
        flying.add(stored.seq)
        void attend(asked)
      }
      read = stored.seq
    }
    while (flying.size > most && !signal.aborted) await sleep(5, signal)
  }
  const begin = (from: number): void => void (read = from)
  // What was asked while it came up for the first time waits for it.
  const first = (tx: Tx): number => newestBefore(tx, Date.now() - freshMs)
  await consume(context, { name: consumer, first, begin, take, passed })
}
