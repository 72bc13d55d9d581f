/** What of a data folder belongs into a backup: all but what is made anew or fetched again. */

import { join } from 'node:path'
import { entriesOf } from '../../core/files.ts'

/**
 * Left out, by their names in the data folder: programs, Redis (a doorbell), logs and the index (made anew from the ledger),
 * exports and other backups.
 */
const leftOut = new Set([
  'bin',
  'debian',
  'apt',
  'cache',
  'home',
  'redis',
  'logs',
  'search.db',
  'exports',
  'backups',
  'run',
])

/** Of `run` only the values of `env:NAME` references: nobody could make them anew. */
const kept = ['run/env']

/** Beside a database, and of it: its copy is whole without them. */
const besideDatabase = /-(wal|shm|journal)$/

/**
 * Copied first, in this order: ends of the audit are those of lines that the ledger had by then; a file of media that the ledger
 * names was there before it, and goes away only when no ledger names it. One that is not there is passed over.
 */
const first = ['audit-heads.txt', 'ledger.db']

/** Paths of the plain files to save, from the data folder, with `/`, in the order in which they are to be copied. */
export async function filesToSave(data: string): Promise<string[]> {
  const found = [...(await filesBelow(data, '', name => leftOut.has(name.replace(besideDatabase, ''))))]
  const known = await filesBelow(join(data, 'run'), 'run/', () => false)
  const all = [...found, ...known.filter(path => kept.includes(path))].sort()
  return [...first, ...all.filter(path => !first.includes(path))]
}

async function filesBelow(folder: string, prefix: string, skipped: (name: string) => boolean): Promise<string[]> {
  const found: string[] = []
  for (const entry of await entriesOf(folder)) {
    const path = `${prefix}${entry.name}`
    if (skipped(entry.name) || isPassing(path)) continue
    if (entry.isDirectory()) found.push(...(await filesBelow(join(folder, entry.name), `${path}/`, () => false)))
    else if (entry.isFile()) found.push(path)
  }
  return found
}

/** Files that are being written aside, and what belongs to an open database. */
const isPassing = (path: string): boolean =>
  path === 'media/incoming' ||
  besideDatabase.test(path) ||
  /(^|\/)\.[^/]+\.tmp$/.test(path) ||
  /^\.probe-\d+$/.test(path)
