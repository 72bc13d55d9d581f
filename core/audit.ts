import { createHash } from 'node:crypto'
import { type Db, type Row, sql } from './ledger/sqlite.ts'

/** One line of the audit: who asked for what, where, and what came of it. `args` has its secrets masked already. */
export interface AuditEntry {
  readonly atMs: number
  readonly bot: string
  /** Sequence number of the fact that carried the command. */
  readonly event: number | null
  readonly network: string
  readonly channel: string
  readonly account: string
  readonly name: string
  readonly role: string
  readonly command: string
  readonly args: string
  readonly decision: 'allowed' | 'denied' | 'ignored' | 'failed'
  readonly result: string
  /** How long it took, in ms. */
  readonly ms: number
}

export interface AuditRow extends AuditEntry {
  readonly id: number
  readonly hash: string
}

const hashOf = (previous: string, entry: AuditEntry): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        previous,
        entry.atMs,
        entry.bot,
        entry.event,
        entry.network,
        entry.channel,
        entry.account,
        entry.name,
        entry.role,
        entry.command,
        entry.args,
        entry.decision,
        entry.result,
        entry.ms,
      ]),
    )
    .digest('hex')

/** Adds a line; each holds the hash of the one before it, so that a changed line is found. */
export function audit(db: Db, entry: AuditEntry): void {
  const last = sql(db, 'SELECT hash FROM audit ORDER BY id DESC LIMIT 1').get()
  const previous = (last?.['hash'] as string | undefined) ?? ''
  // SQLite keeps no lone surrogates: what is hashed must be what will be read.
  const whole = Object.entries(entry).map(([key, value]) => [
    key,
    typeof value === 'string' ? value.toWellFormed() : value,
  ])
  const kept = { ...(Object.fromEntries(whole) as AuditEntry), ms: Math.round(entry.ms * 10) / 10 }
  sql(
    db,
    `INSERT INTO audit (at_ms, bot, event, network, channel, account, name, role, command, args, decision, result, ms,
     previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    kept.atMs,
    kept.bot,
    kept.event,
    kept.network,
    kept.channel,
    kept.account,
    kept.name,
    kept.role,
    kept.command,
    kept.args,
    kept.decision,
    kept.result,
    kept.ms,
    previous,
    hashOf(previous, kept),
  )
}

const rowOf = (row: Row): AuditRow => ({
  id: Number(row['id']),
  atMs: Number(row['at_ms']),
  bot: row['bot'] as string,
  event: row['event'] === null ? null : Number(row['event']),
  network: row['network'] as string,
  channel: row['channel'] as string,
  account: row['account'] as string,
  name: row['name'] as string,
  role: row['role'] as string,
  command: row['command'] as string,
  args: row['args'] as string,
  decision: row['decision'] as AuditEntry['decision'],
  result: row['result'] as string,
  ms: Number(row['ms']),
  hash: row['hash'] as string,
})

export interface AuditFilter {
  readonly account?: string
  readonly command?: string
  readonly decision?: string
  readonly sinceMs?: number
}

/** The newest lines that match, newest first. */
export function readAudit(db: Db, filter: AuditFilter, limit: number): AuditRow[] {
  return sql(
    db,
    `SELECT * FROM audit WHERE (? IS NULL OR account = ? OR name = ?) AND (? IS NULL OR command LIKE ? || '%')
     AND (? IS NULL OR decision = ?) AND at_ms >= ? ORDER BY id DESC LIMIT ?`,
  )
    .all(
      filter.account ?? null,
      filter.account ?? null,
      filter.account ?? null,
      filter.command ?? null,
      filter.command ?? null,
      filter.decision ?? null,
      filter.decision ?? null,
      filter.sinceMs ?? 0,
      limit,
    )
    .map(rowOf)
}

/** The id of the first line that does not fit its hash or its predecessor, or that is missing at the end; null when all is whole. */
export function verifyAudit(db: Db): { lines: number; broken: number | null } {
  let previous = ''
  let lines = 0
  let lastId = 0
  for (const row of db.prepare('SELECT * FROM audit ORDER BY id').iterate() as IterableIterator<Row>) {
    const entry = rowOf(row)
    if (row['previous'] !== previous || row['hash'] !== hashOf(previous, entry)) return { lines, broken: entry.id }
    previous = entry.hash
    lastId = entry.id
    lines++
  }
  // SQLite remembers the highest id that was ever given out.
  const given = Number(sql(db, "SELECT seq FROM sqlite_sequence WHERE name = 'audit'").get()?.['seq'] ?? 0)
  return { lines, broken: given > lastId ? lastId + 1 : null }
}
