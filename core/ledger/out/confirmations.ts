/** What waits for `yes CODE`. The row names the bot, so exactly one process answers a code, used or not. */
import type { Place, UserId } from '../../event.ts'
import { sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

export interface Asker {
  readonly place: Place
  readonly account: UserId
}

export interface Confirmation {
  readonly network: string
  readonly channel: string
  readonly account: string
  /** '' once it was used or dropped. */
  readonly line: string
  readonly untilMs: number
}

/** False when the code is taken. */
export const addConfirmation = (
  tx: Tx,
  code: string,
  bot: string,
  { place, account }: Asker,
  line: string,
  untilMs: number,
): boolean =>
  sql(tx, 'INSERT INTO pending VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING').run(
    code,
    bot,
    place.network,
    place.channel,
    account,
    line,
    untilMs,
  ).changes === 1

/** The bot a code belongs to, while it is remembered. */
export const pendingBot = (tx: Tx, code: string): string | null =>
  (sql(tx, 'SELECT bot FROM pending WHERE code = ?').get(code)?.['bot'] as string | undefined) ?? null

export function confirmationAt(tx: Tx, code: string): Confirmation | null {
  const row = sql(tx, 'SELECT network, channel, account, line, until_ms FROM pending WHERE code = ?').get(code)
  if (!row) return null
  return {
    network: row['network'] as string,
    channel: row['channel'] as string,
    account: row['account'] as string,
    line: row['line'] as string,
    untilMs: Number(row['until_ms']),
  }
}

/** The codes that wait for this asker here, or everywhere on the network when they ask in private; newest last. */
export const openCodes = (tx: Tx, { place, account }: Asker, nowMs: number): string[] =>
  sql(
    tx,
    `SELECT code FROM pending WHERE network = ? AND account = ? AND (channel = ? OR ?) AND line <> '' AND until_ms >= ?
     ORDER BY until_ms`,
  )
    .all(place.network, account, place.channel, place.private ? 1 : 0, nowMs)
    .map(row => String(row['code']))

/** Uses a code up; false when somebody was faster. */
export const usePending = (tx: Tx, code: string): boolean =>
  sql(tx, "UPDATE pending SET line = '' WHERE code = ? AND line <> ''").run(code).changes > 0

/** Drops what waits for this asker here, or everywhere on the network when they ask in private; how many. */
export const dropPending = (tx: Tx, { place, account }: Asker, code: string | undefined): number =>
  sql(
    tx,
    `UPDATE pending SET line = '' WHERE network = ? AND account = ? AND (channel = ? OR ?) AND line <> ''
     AND (? IS NULL OR code = ?)`,
  ).run(place.network, account, place.channel, place.private ? 1 : 0, code ?? null, code ?? null).changes

export function forgetConfirmations(tx: Tx, beforeMs: number): void {
  sql(tx, 'DELETE FROM pending WHERE until_ms < ?').run(beforeMs)
}
