import { mergeTurns, openTurnsIn, type Turn } from '../../../core/ledger/oracle/turns.ts'
import type { Tx } from '../../../core/ledger/tx.ts'

const sameAsker = (one: Turn, other: Turn): boolean =>
  (one.by.network === other.by.network && one.by.user === other.by.user) ||
  (one.by.person !== null && one.by.person === other.by.person)

/**
 * What the same person asked meanwhile is answered together with a turn that is taken up, where that is wished; with one of
 * which an earlier process said something it is not.
 */
export function mergeWaiting(tx: Tx, turn: Turn, followUps: 'queue' | 'merge'): void {
  if (followUps === 'queue' || turn.answer !== null) return
  const waiting = openTurnsIn(tx, turn.lane).filter(
    other => other.id !== turn.id && other.state === 'queued' && other.merged === null && sameAsker(turn, other),
  )
  if (waiting.length > 0) {
    mergeTurns(
      tx,
      turn.id,
      waiting.map(({ id }) => id),
    )
  }
}
