import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ChanopError } from '../../core/error.ts'
import { makeFolder, nameFile, onDisk, removedAfter } from '../../core/files.ts'
import { countsIn } from '../../core/ledger/snapshot.ts'
import { hold } from '../boot/hold.ts'
import { demandLedger, type Instance } from '../instance.ts'
import { pack, unpack } from './archive.ts'
import { copyOne } from './copy.ts'
import { configName, examine, ledgerName } from './examine.ts'
import { describeFiles, type Manifest, manifestName } from './manifest.ts'
import { filesToSave } from './rules.ts'
import { type Lock, seal, unseal } from './seal.ts'

export interface Taken {
  readonly path: string
  readonly sizeBytes: number
  readonly sha256: string
  /** Whose key opens it; null: its passphrase does. */
  readonly recipient: string | null
  /** As it was read back from the finished file. */
  readonly manifest: Manifest
}

const workPrefix = '.work-'
const taken = (path: string): ChanopError => new ChanopError('conflict', `${path} exists already: choose another name`)

/** `out`: where to, or null for a file in `data/backups`. `lock` is asked once nobody else makes one. Nothing has this name before the file was opened on trial. */
export async function takeBackup(instance: Instance, lock: () => Promise<Lock>, out: string | null): Promise<Taken> {
  const { paths } = instance
  demandLedger(instance)
  await makeFolder(paths.backups)
  await using _lock = await hold(join(paths.backups, 'lock'), 'npm run backup')
  await clearLeftovers(paths.backups)
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '')
  return await takeTo(instance, await lock(), out ?? join(paths.backups, `chanop-${stamp}Z.tar.gz.age`))
}

async function takeTo(instance: Instance, lock: Lock, path: string): Promise<Taken> {
  if (existsSync(path)) throw taken(path)
  if (!existsSync(dirname(path)))
    throw new ChanopError('not-found', `there is no folder ${dirname(path)}: make it, or name another place`)
  const work = await mkdtemp(join(instance.paths.backups, workPrefix))
  await using _work = removedAfter(work)
  const draft = `${path}.${process.pid}.part`
  await using _draft = removedAfter(draft)
  const staged = join(work, 'staged')
  await mkdir(staged, { mode: 0o700 })
  await stage(instance, staged)
  const { sizeBytes, sha256, opener } = await seal(pack(staged, [manifestName, 'config', 'data']), draft, lock)
  await rm(staged, { recursive: true })
  const opened = join(work, 'opened')
  await mkdir(opened, { mode: 0o700 })
  await unpack(unseal(draft, opener), opened)
  const manifest = await examine(opened)
  if (!(await nameFile(draft, path))) throw taken(path)
  await onDisk(dirname(path))
  return { path, sizeBytes, sha256, manifest, recipient: 'recipient' in lock ? lock.recipient : null }
}

/** Copies all files, in their order, and writes down what they are. */
async function stage({ paths, config, version }: Instance, staged: string): Promise<void> {
  const saved: string[] = []
  for (const path of await filesToSave(paths.data)) {
    const name = `data/${path}`
    if (await copyOne(join(paths.data, path), join(staged, name), path.startsWith('media/'))) saved.push(name)
  }
  await mkdir(join(staged, 'config'), { mode: 0o700 })
  if (existsSync(config)) {
    await copyFile(config, join(staged, configName))
    saved.push(configName)
  }
  const counts = countsIn(join(staged, ledgerName))
  const manifest: Manifest = {
    format: 1,
    version,
    atMs: Date.now(),
    counts,
    files: await describeFiles(staged, saved),
  }
  await writeFile(join(staged, manifestName), JSON.stringify(manifest), { mode: 0o600 })
}

/** What a backup left that was killed: nobody is at work, we hold the lock. */
async function clearLeftovers(backups: string): Promise<void> {
  for (const name of await readdir(backups)) {
    if (name.startsWith(workPrefix) || name.endsWith('.part'))
      await rm(join(backups, name), { recursive: true, force: true })
  }
}
