/** The ends of the audit, kept beside the ledger: who cuts lines off it has to find and change these too. */

import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere } from '../../core/files.ts'
import { type AuditHead, auditHead, stillHas } from '../../core/ledger/audit/audit.ts'
import type { Ledger } from '../../core/ledger/ledger.ts'

/** A line that was the last one once and is not as it was. */
export interface Missing {
  readonly head: AuditHead
  readonly atMs: number
  readonly file: string
}

export const headsFile = (dataDir: string): string => join(dataDir, 'audit-heads.txt')

const mostLineBytes = 128
const line = /^(\d+) (\d+) ([0-9a-f]{64})$/

async function kept(file: string): Promise<{ readonly atMs: number; readonly head: AuditHead }[]> {
  const text = (await readIfThere(file)) ?? ''
  return text.split('\n').flatMap(each => {
    const [, atMs, id, hash] = line.exec(each) ?? []
    return hash === undefined ? [] : [{ atMs: Number(atMs), head: { id: Number(id), hash } }]
  })
}

/** Adds the end of the audit as it is now: `<Unix ms> <number> <hash>`, unless it stands there as the last one. */
export async function keepHead(ledger: Ledger, dataDir: string, nowMs = Date.now()): Promise<void> {
  const head = await ledger.read(auditHead)
  if (!head) return
  await using handle = await open(headsFile(dataDir), 'a+', 0o600)
  const { size } = await handle.stat()
  const lastBytes = Buffer.alloc(Math.min(size, mostLineBytes))
  await handle.read(lastBytes, 0, lastBytes.length, size - lastBytes.length)
  const end = ` ${head.id} ${head.hash}\n`
  if (!lastBytes.toString().endsWith(end)) await handle.appendFile(`${nowMs}${end}`)
}

/** The first of the ends that were kept which the audit does not have as it was; null: it has them all. */
export async function missingHead(ledger: Ledger, dataDir: string): Promise<Missing | null> {
  const file = headsFile(dataDir)
  const all = await kept(file)
  const lost = await ledger.read(tx => all.find(({ head }) => !stillHas(tx, head)))
  return lost ? { ...lost, file } : null
}
