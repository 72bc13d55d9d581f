/** The lines of long answers that `more` goes on with: one answer for each account and place. */
import type { Asker } from '../out/confirmations.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

/** What of an answer was not said yet. */
export interface Page {
  readonly lines: readonly string[]
  readonly reply: 'public' | 'private'
  /** Who answered, and goes on. */
  readonly bot?: string
  readonly shown: number
}

/** Keeps an answer, in place of an earlier one of that asker there; what is over goes. */
export function keepPage(
  tx: Tx,
  { place, account }: Asker,
  { shown, ...kept }: Page,
  untilMs: number,
  nowMs: number,
): void {
  sql(tx, 'DELETE FROM page WHERE until_ms < ?').run(nowMs)
  sql(
    tx,
    `INSERT INTO page VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (network, channel, account)
     DO UPDATE SET lines = excluded.lines, shown = excluded.shown, until_ms = excluded.until_ms`,
  ).run(place.network, place.channel, account, JSON.stringify(kept), shown, untilMs)
}

export function pageOf(tx: Tx, { place, account }: Asker, nowMs: number): Page | null {
  const row = sql(
    tx,
    'SELECT lines, shown FROM page WHERE network = ? AND channel = ? AND account = ? AND until_ms >= ?',
  ).get(place.network, place.channel, account, nowMs)
  return row ? { ...(JSON.parse(row['lines'] as string) as Omit<Page, 'shown'>), shown: Number(row['shown']) } : null
}

export function dropPage(tx: Tx, { place, account }: Asker): void {
  sql(tx, 'DELETE FROM page WHERE network = ? AND channel = ? AND account = ?').run(
    place.network,
    place.channel,
    account,
  )
}
