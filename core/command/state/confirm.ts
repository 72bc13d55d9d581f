import { randomInt } from 'node:crypto'
import type { Place, UserId } from '../../event.ts'
import { type Db, sql } from '../../ledger/sqlite.ts'

/** Letters and digits that nobody confuses. */
const alphabet = 'acdefhjkmnpqrtuvwxyz234679'
/** A code is remembered this long after its end, so that the bot it belonged to can say what became of it. */
const rememberMs = 3_600_000

export interface Asker {
  readonly place: Place
  readonly account: UserId
}

/** What waits for `yes CODE`. The row names the bot, so exactly one process answers a code, used or not. */
export interface Pending extends Asker {
  readonly bot: string
  /** The message that asked, and its command line. */
  readonly seq: number
  readonly line: string
}

/** Keeps a command until its asker says yes. Returns the code. */
export function keepPending(db: Db, pending: Pending, untilMs: number, nowMs: number): string {
  sql(db, 'DELETE FROM pending WHERE until_ms < ?').run(nowMs - rememberMs)
  for (;;) {
    const code = Array.from({ length: 3 }, () => alphabet[randomInt(alphabet.length)]).join('')
    const { network, channel } = pending.place
    const line = `${pending.seq} ${pending.line}`
    const done = sql(db, 'INSERT INTO pending VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING').run(
      code,
      pending.bot,
      network,
      channel,
      pending.account,
      line,
      untilMs,
    )
    if (done.changes === 1) return code
  }
}

export const codeOf = (typed: string): string => typed.trim().toLowerCase().slice(0, 10)

/** The bot a code belongs to, while it is remembered. */
export const pendingBot = (db: Db, code: string): string | null =>
  (sql(db, 'SELECT bot FROM pending WHERE code = ?').get(code)?.['bot'] as string | undefined) ?? null

/**
 * What a code stands for; a string says why it can't be used. It is its asker's alone, in the place where they asked
 * or in a direct conversation with them.
 */
export function pendingOf(db: Db, code: string, asker: Asker, nowMs: number): { seq: number; line: string } | string {
  const row = sql(db, 'SELECT network, channel, account, line, until_ms FROM pending WHERE code = ?').get(code)
  const { place, account } = asker
  const here = row?.['channel'] === place.channel || place.private === true
  if (!row || row['network'] !== place.network || row['account'] !== account || !here) {
    return `nothing of yours waits here for ${code}`
  }
  const [, seq, line] = /^(\d+) ([^]*)$/.exec(row['line'] as string) ?? []
  if (seq === undefined || line === undefined) return `${code} was used or dropped already: say the command again`
  if (Number(row['until_ms']) < nowMs) return `${code} has run out: say the command again`
  return { seq: Number(seq), line }
}

/** Uses a code up; false when somebody was faster. */
export const usePending = (db: Db, code: string): boolean =>
  sql(db, "UPDATE pending SET line = '' WHERE code = ? AND line <> ''").run(code).changes > 0

/** Drops what waits for this asker here, or everywhere on the network when they ask in private; how many. */
export const dropPending = (db: Db, { place, account }: Asker, code: string | undefined): number =>
  sql(
    db,
    `UPDATE pending SET line = '' WHERE network = ? AND account = ? AND (channel = ? OR ?) AND line <> ''
     AND (? IS NULL OR code = ?)`,
  ).run(place.network, account, place.channel, place.private ? 1 : 0, code ?? null, code ?? null).changes
