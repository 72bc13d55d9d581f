import { getMeta, setMeta } from '../meta.ts'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'
import { audit } from './audit.ts'
import { type AuditRun, keepRun, pruneCommand, vouching } from './audit-runs.ts'

/** Up to which line all that is old was looked at: what stays there stays for ever. */
const cursor = 'audit.pruned'

/**
 * Looks at the next `limit` lines of the audit and takes out those that tell of reading. A line that vouches for the runs
 * they were is added to the chain. Does nothing, and says null, before so many lines are older than `beforeMs`.
 */
export function dropAuditReads(
  tx: Tx,
  { beforeMs, limit, bot }: { readonly beforeMs: number; readonly limit: number; readonly bot: string },
  nowMs: number,
): number | null {
  const rows = sql(tx, 'SELECT id, at_ms, reads, previous, hash FROM audit WHERE id > ? ORDER BY id LIMIT ?').all(
    Number(getMeta(tx, cursor) ?? 0),
    limit,
  )
  const last = rows.at(-1)
  if (last === undefined || rows.length < limit || Number(last['at_ms']) >= beforeMs) return null
  setMeta(tx, cursor, String(last['id']))
  const runs = runsIn(rows)
  if (runs.length === 0) return 0
  const line = vouch(tx, runs, bot, nowMs)
  let dropped = 0
  for (const run of runs) {
    keepRun(tx, run, line)
    dropped += sql(tx, 'DELETE FROM audit WHERE id BETWEEN ? AND ?').run(run.first, run.last).changes
  }
  return dropped
}

function runsIn(rows: readonly Row[]): AuditRun[] {
  const runs: AuditRun[] = []
  for (const row of rows) {
    if (row['reads'] !== 1) continue
    const [id, hash] = [Number(row['id']), row['hash'] as string]
    const before = runs.at(-1)
    if (before?.last === id - 1) runs[runs.length - 1] = { ...before, last: id, hash }
    else runs.push({ first: id, last: id, previous: row['previous'] as string, hash })
  }
  return runs
}

function vouch(tx: Tx, runs: readonly AuditRun[], bot: string, nowMs: number): number {
  return audit(tx, {
    atMs: nowMs,
    bot,
    event: null,
    network: '',
    channel: '',
    account: bot,
    name: bot,
    role: 'owner',
    command: pruneCommand,
    args: vouching(runs),
    decision: 'allowed',
    result: 'lines of commands that only read are old and were taken out',
    ms: 0,
  })
}
