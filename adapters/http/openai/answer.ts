import { type CompletionPart, completionAt, type Ending, partsAfter } from '../../../core/ledger/oracle/completions.ts'
import { stopTurns, turnOfFact } from '../../../core/ledger/oracle/turns.ts'
import { decisionOf } from '../../../core/ledger/record/decisions.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { deadline } from '../../../core/retry.ts'
import type { Holder } from '../door/access.ts'
import type { House } from '../house.ts'
import { Problem, statusOf } from '../problem.ts'

/** What was asked, and where its answer is found. */
export interface Asking {
  readonly id: string
  readonly key: string
  /** The number of the fact that asks; null: it is none of the record. */
  readonly seq: number | null
}

/** What came since the last look: pieces, and the end once there is one. */
export interface News {
  readonly parts: readonly CompletionPart[]
  readonly n: number
  readonly ending: Ending | null
}

/** What is answered by itself is taken up at once, or not at all. */
const notTakenMs = 20_000

const nothing = { inputTokens: 0, cachedTokens: 0, outputTokens: 0 }
const failed = (code: string, message: string): Ending => ({ finish: 'failed', ...nothing, error: { code, message } })

const notKept = failed('not-found', 'this answer is not kept any more: ask again, under another Idempotency-Key if any')

/** How an answer ended that was never written, or is no more: it was refused, stopped before it began, its turn failed, or long ago. */
function endOf(tx: Tx, seq: number): Ending | null {
  const decision = decisionOf(tx, seq)
  if (decision && !decision.answers)
    return failed(/no model/.test(decision.reason) ? 'model-missing' : 'denied', `no answer: ${decision.reason}`)
  const turn = turnOfFact(tx, seq)
  if (!turn || turn.settledMs === null) return null
  if (turn.state === 'failed') return failed('model-failed', turn.error ?? 'the answer failed')
  return turn.state === 'stopped' ? { finish: 'aborted', ...nothing } : notKept
}

function newsOf(tx: Tx, { key, seq }: Asking, n: number): News | null {
  const completion = completionAt(tx, key)
  if (!completion) return { parts: [], n, ending: notKept }
  if (seq === null && completion.state === 'queued' && Date.now() - completion.createdMs > notTakenMs)
    return {
      parts: [],
      n,
      ending: failed('network-down', 'nobody takes this up: the oracle is away or has too much to do'),
    }
  const fresh = partsAfter(tx, completion.id, n)
  const ending =
    completion.ending ?? (completion.state === 'stopped' ? { finish: 'aborted' as const, ...nothing } : null)
  const end = ending ?? (seq === null ? null : endOf(tx, seq))
  if (fresh.length === 0 && end === null) return null
  return { parts: fresh.map(({ part }) => part), n: fresh.at(-1)?.n ?? n, ending: fresh.length < 500 ? end : null }
}

/** Follows an answer as it comes in. Ends with its ending, or without one when `signal` aborts. */
export async function* follow(house: House, asking: Asking, signal: AbortSignal): AsyncGenerator<News> {
  const { interior, waiting } = house
  let n = 0
  while (!signal.aborted) {
    const news = await waiting.until(() => interior.ledger.readNow(tx => newsOf(tx, asking, n)), signal)
    if (news === null) return
    n = news.n
    yield news
    if (news.ending) return
  }
}

type Reading = Pick<House, 'interior' | 'waiting' | 'closing'>

const hungUp = ({ name }: Holder): string => `${name} (hung up)`

/** Nobody waits for an answer of the oracle any more: it costs nothing more either, also when it is not begun yet. */
export async function giveUp(house: Reading, seq: number, holder: Holder): Promise<void> {
  const { waiting, closing } = house
  const { ledger } = house.interior
  await waiting.until(() => ledger.readNow(tx => decisionOf(tx, seq)), deadline(notTakenMs, closing))
  await ledger.write(tx => stopTurns(tx, { fact: seq }, hungUp(holder), Date.now()))
}

/** Whether the answer to a fact was given up so: the same request again is asked anew. What somebody stopped stays stopped. */
export const wasGivenUp = (tx: Tx, seq: number, holder: Holder): boolean =>
  turnOfFact(tx, seq)?.stoppedBy === hungUp(holder)

const statuses: Readonly<Record<string, number>> = { usage: 400, 'context-length': 400, stopped: 403 }

/** An ending that is none of an answer, as a problem. */
export function problemOf({ error }: Ending): Problem | null {
  if (!error) return null
  const { code, message, afterMs } = error
  const status = statuses[code] ?? statusOf(code)
  const wait = afterMs === undefined ? {} : { 'retry-after': `${Math.ceil(afterMs / 1000)}` }
  // What somebody stopped is not asked again by itself.
  const headers = code === 'stopped' ? { 'x-should-retry': 'false' } : wait
  return new Problem(status, code, message, { headers, ...(code === 'context-length' ? { param: 'messages' } : {}) })
}
