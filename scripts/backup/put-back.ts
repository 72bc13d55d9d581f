/** Brings a backup back as the data folder of an instance that has none. */

import { existsSync } from 'node:fs'
import { readdir, readFile, readlink, realpath, rename, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { ChanopError } from '../../core/error.ts'
import { entriesOf, makeFolder, onDisk, readIfThere, removedAfter, writeWhole } from '../../core/files.ts'
import { Ledger } from '../../core/ledger/ledger.ts'
import { setMeta } from '../../core/ledger/meta.ts'
import { failAllCompletions } from '../../core/ledger/oracle/completions.ts'
import { failOpenTurns } from '../../core/ledger/oracle/turns.ts'
import { Vault } from '../../core/vault/secrets.ts'
import { lives } from '../boot/hold.ts'
import { ownApps } from '../boot/pm2.ts'
import { processesOf } from '../boot/strays.ts'
import { type Instance, quoted, shown } from '../instance.ts'
import { unpack } from './archive.ts'
import { configName, examine } from './examine.ts'
import type { Manifest } from './manifest.ts'
import { type Opener, unseal } from './seal.ts'

export interface PutBack {
  readonly manifest: Manifest
  /** False: there was one already, the same or one to keep. */
  readonly config: boolean
  /** Why the vault is locked; null when its key fits. */
  readonly vault: string | null
}

/** Throws before anything is changed. The data folder appears whole, in one rename, as the last thing. */
export async function putBack(instance: Instance, file: string, opener: Opener, keepConfig: boolean): Promise<PutBack> {
  const data = await placeOf(instance.paths.data)
  await refuseRunning(instance)
  await refuseData(instance, data)
  await makeFolder(dirname(data))
  const work = await workFolder(data)
  await using _gone = removedAfter(work)
  await unpack(unseal(file, opener), work)
  const manifest = await examine(work)
  const vault = await settle(join(work, 'data'))
  const config = await restoreConfig(instance, join(work, configName), keepConfig)
  await syncTree(join(work, 'data'))
  await refuseRunning(instance)
  await moveInto(instance, join(work, 'data'), data)
  return { manifest, config, vault }
}

async function refuseRunning(instance: Instance): Promise<void> {
  const listed = (await ownApps(instance)).filter(app => app.pid > 0).map(app => app.name)
  const others = listed.length > 0 ? [] : await processesOf(instance)
  if (listed.length + others.length === 0) return
  const who = listed.length > 0 ? listed.join(', ') : `process ${others.join(', ')}`
  throw new ChanopError('conflict', `this instance is running (${who}): npm stop first; nothing was changed`)
}

/** Where a link leads to, also when nothing is there yet: the link stays. */
async function placeOf(data: string): Promise<string> {
  if (existsSync(data)) return await realpath(data)
  return await readlink(data).then(
    to => resolve(dirname(data), to),
    () => data,
  )
}

async function refuseData(instance: Instance, data: string): Promise<void> {
  const found = await readdir(data).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    if (error.code === 'ENOTDIR') return [basename(data)]
    throw error
  })
  if (found.length > 0) throw dataIsThere(instance)
  const [own, around] = await Promise.all([stat(data), stat(dirname(data))].map(look => look.catch(() => null)))
  if (own && own.dev !== around?.dev) throw diskOfItsOwn(instance)
}

/** A disk's own root can't be put in place by one rename. */
function diskOfItsOwn({ paths: { data } }: Instance): ChanopError {
  const below = quoted(join(data, 'data'))
  const message = `${data} is a disk of its own, and the data has to be a folder on it: export CHANOP_DATA=${below} and try again, then npm start with the same`
  return new ChanopError('setup-failed', message)
}

function dataIsThere(instance: Instance): ChanopError {
  const data = shown(instance, instance.paths.data)
  const message = `${data} holds data, and that is not written over: move it away (mv ${quoted(data)} ${quoted(`${data}.old`)}), or name another folder with CHANOP_DATA; nothing was changed`
  return new ChanopError('conflict', message)
}

const unpacking = '.restoring-'

/** What restores unpacked beside a data folder: those at work, and those that were killed. */
export async function unpackings(data: string): Promise<{ readonly path: string; readonly pid: number }[]> {
  const prefix = `${basename(data)}${unpacking}`
  const names = (await entriesOf(dirname(data))).map(({ name }) => name).filter(name => name.startsWith(prefix))
  return names.map(name => ({ path: join(dirname(data), name), pid: Number(name.slice(prefix.length)) }))
}

/** Beside the data folder, on its disk. What a killed restore left is removed; one that lives is not disturbed. */
async function workFolder(data: string): Promise<string> {
  for (const { path, pid } of await unpackings(data)) {
    if (lives(pid))
      throw new ChanopError('conflict', `another restore is at work (${basename(path)}): wait for it to end`)
    await rm(path, { recursive: true, force: true })
  }
  const work = `${data}${unpacking}${process.pid}`
  await makeFolder(work)
  return work
}

/**
 * Opens the ledger as a start would, with its migrations. What stands as queued there may have been sent after the backup:
 * the bridge takes it as it does after the machine was restarted, and sends nothing twice. What was still being answered may have
 * been answered then: it is not asked of a model again by itself.
 */
async function settle(data: string): Promise<string | null> {
  using ledger = Ledger.open(join(data, 'ledger.db'), { check: true })
  const vault = await Vault.open(join(data, 'keys', 'vault.key'), ledger)
  const nowMs = Date.now()
  await ledger.write(db => {
    setMeta(db, 'boot', 'restored')
    failOpenTurns(db, interrupted, nowMs)
    failAllCompletions(db, interrupted, nowMs)
  })
  return vault.locked
}

const interrupted = 'it was interrupted by a restore: ask again'

async function restoreConfig(instance: Instance, from: string, keep: boolean): Promise<boolean> {
  const text = await readIfThere(from)
  const there = await readIfThere(instance.config)
  if (text === null || there === text || (keep && there !== null)) return false
  if (there !== null) {
    const file = shown(instance, instance.config)
    throw new ChanopError(
      'conflict',
      `${file} is there and is another one than in the backup: move it away, or say --keep-config to keep it; nothing was changed`,
    )
  }
  await makeFolder(dirname(instance.config))
  await writeWhole(instance.config, await readFile(from, 'utf8'))
  return true
}

/** An empty folder makes room; one in which something appeared meanwhile stays. */
async function moveInto(instance: Instance, from: string, data: string): Promise<void> {
  await rmdir(data).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') throw dataIsThere(instance)
    if (error.code === 'EBUSY') throw diskOfItsOwn(instance)
    if (error.code !== 'ENOENT') throw error
  })
  await rename(from, data)
  await onDisk(dirname(data))
}

/** Brings a folder, and all that is below it, onto the disk. */
async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    await (entry.isDirectory() ? syncTree(path) : onDisk(path))
  }
  await onDisk(folder)
}
