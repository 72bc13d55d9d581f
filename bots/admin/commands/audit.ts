import { z } from 'zod'
import { moment, named, nameOf, whole } from '../../../core/command/parse/values.ts'
import { given } from '../../../core/given.ts'
import { type AuditRow, auditHead, type Proof, readAudit } from '../../../core/ledger/audit/audit.ts'
import { escapeInline, time } from '../../../core/text/text.ts'
import { keepHead, type Missing, missingHead } from '../audit-heads.ts'
import { exportAudit, proveAll } from '../audit-walk.ts'
import { declare } from '../services.ts'

const usual = 10

function line(row: AuditRow): string {
  const where = `${row.network}:${row.channel}`
  const what = `${row.command} ${row.args}`.trim()
  // What orders others is answered when they have ended.
  const became = row.result === '' ? row.decision : `${row.decision}: ${row.result}`
  return escapeInline(`${time(row.atMs)} ${row.name} (${row.account}) ${where} ${what} → ${became}`)
}

const show = declare({
  name: 'audit show',
  aliases: ['audit'],
  summary: 'who asked for what, and what came of it, denials included; who read it stands under cmd=audit',
  role: 'operator',
  reply: 'private',
  args: z.object({
    n: whole(1, 200).optional(),
    who: named(nameOf('person'), 'a name, an account, or network:account'),
    cmd: named(z.string(), 'how the command begins'),
    decision: named(z.enum(['allowed', 'denied', 'ignored', 'failed'])),
    since: named(moment('past')),
  }),
  examples: [['!audit show who=nobody', 'nothing of that kind']],
  async run({ ledger }, { n = usual, who, cmd, decision, since }) {
    const kind = cmd === undefined ? { without: 'audit show' } : { command: cmd }
    const filter = { ...kind, ...given({ account: who?.replace(/^@/, ''), decision, sinceMs: since }) }
    const rows = await ledger.read(db => readAudit(db, filter, n))
    return { lines: rows.length > 0 ? rows.map(line) : ['nothing of that kind'], data: rows }
  },
})

function verdict({ lines, dropped, broken }: Proof, missing: Missing | null): string {
  if (broken !== null) return `broken at line ${broken}: it or what stood before it was changed or taken out`
  const old = dropped > 0 ? `; ${dropped} old ones of commands that only read were taken out, vouched for` : ''
  if (missing === null) return `whole: ${lines} lines, each fits the one before${old}`
  const { head, atMs, file } = missing
  return `broken: line ${head.id}, as it was ${time(atMs)} by ${file}, is not there any more: it or what stood before it was changed or cut off`
}

const verify = declare({
  name: 'audit verify',
  summary: 'proves that no line of the audit was changed or taken out',
  role: 'operator',
  reply: 'private',
  examples: [['!audit verify', /^whole: \d+ lines/, 'whole: 214 lines, each fits the one before']],
  async run({ ledger, signal, services }) {
    const { dataDir } = services.context
    const missing = await missingHead(ledger, dataDir)
    const proof = await proveAll(ledger, signal)
    if (proof.broken === null && missing === null) await keepHead(ledger, dataDir)
    return escapeInline(verdict(proof, missing))
  },
})

const head = declare({
  name: 'audit head',
  summary: 'the last audit line by number and hash: noted elsewhere, it proves that none was cut off',
  role: 'operator',
  reply: 'public',
  examples: [['!audit head', 'the audit has no line yet']],
  async run({ ledger, services }) {
    const found = await ledger.read(auditHead)
    if (!found) return 'the audit has no line yet'
    await keepHead(ledger, services.context.dataDir)
    return `audit line ${found.id} · ${found.hash}`
  },
})

const exportAll = declare({
  name: 'audit export',
  summary: 'writes the whole audit to a file on the host, with what proves it',
  role: 'owner',
  reply: 'private',
  examples: [
    [
      '!audit export',
      /exports\/audit-\S+\.jsonl · \d+ lines\nSHA-256 [0-9a-f]{64}\nwhole: /,
      `/home/you/chanop/data/exports/audit-2026-04-01-214.jsonl · 214 lines\nSHA-256 ${'9f86d081'.repeat(8)}\nwhole: 214 lines, each fits the one before`,
    ],
  ],
  async run({ services, ledger, signal, atMs, event }) {
    const name = `${new Date(atMs).toISOString().slice(0, 10)}-${event.seq}`
    const { path, sha256, proof } = await exportAudit({ ledger, dataDir: services.context.dataDir }, name, signal)
    const missing = await missingHead(ledger, services.context.dataDir)
    const said = escapeInline(verdict(proof, missing))
    return { lines: [escapeInline(`${path} · ${proof.lines} lines`), `SHA-256 ${sha256}`, said] }
  },
})

export const auditCommands = [show, verify, head, exportAll]
