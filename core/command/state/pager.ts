import type { Asker } from '../../ledger/out/confirmations.ts'
import { keepPage, type Page } from '../../ledger/record/pages.ts'
import type { Tx } from '../../ledger/tx.ts'

const pageMs = 15 * 60_000

/** Keeps an answer for `more`: one for each account and place, for 15 minutes. */
export const keepForMore = (tx: Tx, asker: Asker, page: Page, nowMs: number): void =>
  keepPage(tx, asker, page, nowMs + pageMs, nowMs)

/** The lines from `from`, and on the last of them where it stands: `… · 4/12 · !more`. */
export function pageLines(lines: readonly string[], from: number, size: number, prefix: string): string[] {
  const shown = lines.slice(from, from + size)
  const until = from + shown.length
  if (until >= lines.length) return shown
  return [...shown.slice(0, -1), `${shown.at(-1)} · ${until}/${lines.length} · ${prefix}more`]
}
