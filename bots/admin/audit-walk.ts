import { createHash } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { exportsFolder, removedAfter } from '../../core/files.ts'
import { type AuditRow, type Proof, prove, unproved } from '../../core/ledger/audit/audit.ts'
import type { AuditRun } from '../../core/ledger/audit/audit-runs.ts'
import type { Ledger } from '../../core/ledger/ledger.ts'

/** As many lines as take a few ms: what is urgent comes between. */
const walkedAtOnce = 1000

type Line = (AuditRow | AuditRun) & { readonly previous: string }

/** Walks along the whole chain; `part` gets what holds, in order. Rejects when `signal` aborts. */
export async function proveAll(
  ledger: Ledger,
  signal: AbortSignal,
  part: (lines: readonly Line[]) => Promise<void> = async () => undefined,
): Promise<Proof> {
  let proof = unproved
  while (!proof.done) {
    signal.throwIfAborted()
    const from = proof
    const lines: Line[] = []
    proof = await ledger.read(db =>
      prove(db, from, walkedAtOnce, (link, previous) => lines.push({ ...link, previous })),
    )
    await part(lines)
    await setImmediate()
  }
  return proof
}

/**
 * Writes the audit as JSON lines, as far as its chain holds, to `<data>/exports/audit-<name>.jsonl` (0600). The file is
 * there whole or not at all. A line's `hash` is the SHA-256 of the JSON list of previous, atMs, bot, event, network,
 * channel, account, name, role, command, args, decision, result, ms, and "reads" where a line has `reads`. An object with
 * `first` and `last` stands for lines that were taken out: the chain goes on from its `previous` to its `hash`.
 */
export async function exportAudit(
  { ledger, dataDir }: { readonly ledger: Ledger; readonly dataDir: string },
  name: string,
  signal: AbortSignal,
): Promise<{ path: string; sha256: string; proof: Proof }> {
  const path = join(await exportsFolder(dataDir), `audit-${name}.jsonl`)
  const draft = `${path}.new`
  await rm(draft, { force: true })
  await using _gone = removedAfter(draft)
  await using file = await open(draft, 'wx', 0o600)
  const hash = createHash('sha256')
  const proof = await proveAll(ledger, signal, async lines => {
    const text = lines.map(line => `${JSON.stringify(line)}\n`).join('')
    hash.update(text)
    await file.write(text)
  })
  await file.sync()
  await rename(draft, path)
  return { path, sha256: hash.digest('hex'), proof }
}
