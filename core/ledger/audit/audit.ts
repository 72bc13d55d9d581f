import { createHash } from 'node:crypto'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'
import { type AuditRun, pruneCommand, runsBetween, runsOf, vouching } from './audit-runs.ts'

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
  /** A command for everybody that changed nothing: such lines are taken out when they are old. */
  readonly reads?: true
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
        ...(entry.reads ? ['reads'] : []),
      ]),
    )
    .digest('hex')

/** Adds a line; each holds the hash of the one before it, so that a changed line is found. Its id. */
export function audit(tx: Tx, entry: AuditEntry): number {
  const last = sql(tx, 'SELECT hash FROM audit ORDER BY id DESC LIMIT 1').get()
  const previous = (last?.['hash'] as string | undefined) ?? ''
  // SQLite keeps no lone surrogates: what is hashed must be what will be read.
  const whole = Object.entries(entry).map(([key, value]) => [
    key,
    typeof value === 'string' ? value.toWellFormed() : value,
  ])
  const kept = { ...(Object.fromEntries(whole) as AuditEntry), ms: Math.round(entry.ms * 10) / 10 }
  const done = sql(
    tx,
    `INSERT INTO audit (at_ms, bot, event, network, channel, account, name, role, command, args, decision, result, ms,
     previous, hash, reads) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
    kept.reads ? 1 : 0,
  )
  return Number(done.lastInsertRowid)
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
  ...(row['reads'] === 1 ? { reads: true as const } : {}),
  hash: row['hash'] as string,
})

export interface AuditFilter {
  /** An account, with its network or without, or a name; case does not matter. */
  readonly account?: string
  readonly command?: string
  /** A command whose lines are left out where it was allowed. */
  readonly without?: string
  readonly decision?: string
  readonly sinceMs?: number
}

/** The newest lines that match, newest first. */
export function readAudit(tx: Tx, filter: AuditFilter, limit: number): AuditRow[] {
  return sql(
    tx,
    `SELECT * FROM audit WHERE (@account IS NULL OR account = @account COLLATE NOCASE OR name = @account COLLATE NOCASE
       OR network || ':' || account = @account COLLATE NOCASE) AND (@command IS NULL OR command LIKE @command || '%')
     AND (@decision IS NULL OR decision = @decision) AND at_ms >= @sinceMs
     AND NOT (command = @without AND decision = 'allowed') ORDER BY id DESC LIMIT @limit`,
  )
    .all({
      account: filter.account ?? null,
      command: filter.command ?? null,
      decision: filter.decision ?? null,
      sinceMs: filter.sinceMs ?? 0,
      without: filter.without ?? '',
      limit,
    })
    .map(rowOf)
}

/** The line of what failed under an id that its asker was told, e.g. `i3f02ab`. */
export function incidentLine(tx: Tx, id: string): AuditRow | null {
  const row = sql(tx, "SELECT * FROM audit WHERE decision = 'failed' AND result LIKE '%(' || ? || ')%' LIMIT 1").get(id)
  return row ? rowOf(row) : null
}

/** The last line, by number and hash: kept elsewhere too, it proves that no line up to it was cut off. */
export interface AuditHead {
  readonly id: number
  readonly hash: string
}

/** null: nothing was ever asked for. */
export function auditHead(tx: Tx): AuditHead | null {
  const row = sql(tx, 'SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1').get()
  return row ? { id: Number(row['id']), hash: row['hash'] as string } : null
}

/** Whether a line that was the last one once is as it was, or was taken out as one of commands that only read. */
export function stillHas(tx: Tx, { id, hash }: AuditHead): boolean {
  const row = sql(tx, 'SELECT hash FROM audit WHERE id = ?').get(id)
  if (row) return row['hash'] === hash
  const run = runsBetween(tx, 0, id).find(({ last }) => last >= id)
  return run !== undefined && (run.last > id || run.hash === hash)
}

/** How far the chain was walked. */
export interface Proof {
  readonly lines: number
  /** Lines in between that were taken out when they were old, and are vouched for. */
  readonly dropped: number
  readonly lastId: number
  readonly hash: string
  /** The id of the first line that does not fit its hash or its predecessor, or that is missing at the end. */
  readonly broken: number | null
  /** Nothing is left to be walked. */
  readonly done: boolean
}

export const unproved: Proof = { lines: 0, dropped: 0, lastId: 0, hash: '', broken: null, done: false }

const brokenAt = (proof: Proof, id: number): Proof => ({ ...proof, broken: id, done: true })

function overRun(proof: Proof, { first, last, previous, hash }: AuditRun): Proof {
  const dropped = last - first + 1
  if (first !== proof.lastId + 1 || dropped < 1 || previous !== proof.hash) return brokenAt(proof, first)
  return { ...proof, dropped: proof.dropped + dropped, lastId: last, hash }
}

function overLine(tx: Tx, proof: Proof, row: AuditRow, previous: string): Proof {
  const { id, hash } = row
  // Numbers have no holes: a line that was cut off leaves its number unused.
  const follows = id === proof.lastId + 1
  const fits = follows && previous === proof.hash && hash === hashOf(previous, row)
  const vouches = row.command === pruneCommand && row.event === null
  if (!fits || (vouches && row.args !== vouching(runsOf(tx, id)))) return brokenAt(proof, id)
  return { ...proof, lines: proof.lines + 1, lastId: id, hash }
}

/** Walks on along the chain by up to `limit` lines, and hands over each line, and each run taken out, that holds. */
export function prove(
  tx: Tx,
  from: Proof,
  limit: number,
  each: (link: AuditRow | AuditRun, previous: string) => void = () => {},
): Proof {
  const rows = sql(tx, 'SELECT * FROM audit WHERE id > ? ORDER BY id LIMIT ?').all(from.lastId, limit)
  const until = Number(rows.at(-1)?.['id'] ?? 0)
  const runs = runsBetween(tx, from.lastId, until)
  const links = [...rows.map(row => ({ at: Number(row['id']), row })), ...runs.map(run => ({ at: run.first, run }))]
  let proof = from
  for (const link of links.sort((a, b) => a.at - b.at)) {
    const before = proof.hash
    const entry = 'run' in link ? link.run : rowOf(link.row)
    proof =
      'run' in link ? overRun(proof, link.run) : overLine(tx, proof, entry as AuditRow, link.row['previous'] as string)
    if (proof.broken !== null) return proof
    each(entry, before)
  }
  if (rows.length === limit) return proof
  // SQLite remembers the highest id that was ever given out.
  const given = Number(sql(tx, "SELECT seq FROM sqlite_sequence WHERE name = 'audit'").get()?.['seq'] ?? 0)
  return { ...proof, broken: given > proof.lastId ? proof.lastId + 1 : null, done: true }
}

/** The whole chain at once; `prove` leaves room for other work. */
export function verifyAudit(tx: Tx): { lines: number; broken: number | null } {
  let proof = unproved
  while (!proof.done) proof = prove(tx, proof, 10_000)
  return { lines: proof.lines, broken: proof.broken }
}
