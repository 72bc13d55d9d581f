import { type Db, sql } from '../../ledger/sqlite.ts'
import type { Asker } from './confirm.ts'

/** What of an answer was not said yet. */
export interface Page {
  readonly lines: readonly string[]
  readonly reply: 'public' | 'private'
  readonly shown: number
}

const pageMs = 15 * 60_000

/** Keeps an answer for `more`: one for each account and place, for 15 minutes. */
export function keepPage(db: Db, { place, account }: Asker, { shown, ...kept }: Page, nowMs: number): void {
  sql(db, 'DELETE FROM page WHERE until_ms < ?').run(nowMs)
  sql(
    db,
    `INSERT INTO page VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (network, channel, account)
     DO UPDATE SET lines = excluded.lines, shown = excluded.shown, until_ms = excluded.until_ms`,
  ).run(place.network, place.channel, account, JSON.stringify(kept), shown, nowMs + pageMs)
}

export function pageOf(db: Db, { place, account }: Asker, nowMs: number): Page | null {
  const row = sql(
    db,
    'SELECT lines, shown FROM page WHERE network = ? AND channel = ? AND account = ? AND until_ms >= ?',
  ).get(place.network, place.channel, account, nowMs)
  return row ? { ...(JSON.parse(row['lines'] as string) as Omit<Page, 'shown'>), shown: Number(row['shown']) } : null
}

export function dropPage(db: Db, { place, account }: Asker): void {
  sql(db, 'DELETE FROM page WHERE network = ? AND channel = ? AND account = ?').run(
    place.network,
    place.channel,
    account,
  )
}

/** The lines from `from`, and on the last of them where it stands: `… · 4/12 · !more`. */
export function pageLines(lines: readonly string[], from: number, size: number, prefix: string): string[] {
  const shown = lines.slice(from, from + size)
  const until = from + shown.length
  if (until >= lines.length) return shown
  return [...shown.slice(0, -1), `${shown.at(-1)} · ${until}/${lines.length} · ${prefix}more`]
}
