/** A copy of the ledger before this release migrates it: an older release refuses it afterwards. */
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder, onDisk } from '../../core/files.ts'
import { Ledger } from '../../core/ledger/ledger.ts'
import { copyDatabase, olderSchemaOf } from '../../core/ledger/snapshot.ts'
import type { DataPaths } from '../../core/paths.ts'

const mostKept = 3
const ours = /^ledger-schema-\d+-\d{4}-\d\d-\d\dT\d{6}Z\.db$/

/** Resolves with the copy's path once it is on the disk; null when there is nothing to migrate. */
export async function keepBeforeMigration({ ledger, backups }: DataPaths, nowMs = Date.now()): Promise<string | null> {
  const sizeBytes = (await stat(ledger).catch(() => null))?.size ?? 0
  const schema = sizeBytes === 0 ? null : olderSchemaOf(ledger)
  if (schema === null) return null
  await makeFolder(backups)
  const stamp = new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '')
  const path = join(backups, `ledger-schema-${schema}-${stamp}Z.db`)
  const draft = `${path}.part`
  await rm(draft, { force: true })
  // For us alone before anything is in it.
  await (await open(draft, 'wx', 0o600)).close()
  await copyDatabase(ledger, draft)
  await onDisk(draft)
  await rename(draft, path)
  await onDisk(backups)
  await dropOld(backups)
  return path
}

/** For a program that may come before the first start of this release: keeps the copy that a start keeps, and says so. */
export async function openLedger(paths: DataPaths): Promise<Ledger> {
  const kept = await keepBeforeMigration(paths)
  if (kept !== null) process.stderr.write(`chanop: the ledger is migrated; as it was it is kept in ${kept}\n`)
  return Ledger.open(paths.ledger)
}

/** By the time in their names. */
async function dropOld(backups: string): Promise<void> {
  const when = (name: string): string => name.slice(-'2026-01-31T120000Z.db'.length)
  const kept = (await readdir(backups)).filter(name => ours.test(name))
  const old = kept.sort((a, b) => when(a).localeCompare(when(b))).slice(0, -mostKept)
  for (const name of old) await rm(join(backups, name))
}
