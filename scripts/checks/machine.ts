import { lstat, readdir, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { folders } from '../../adapters/irc/server/settings.ts'
import { makeFolder } from '../../core/files.ts'
import { type DataPaths, redisSocketPath, shortFolder } from '../../core/paths.ts'
import { type Instance, quoted } from '../instance.ts'
import { bad, type Finding, good } from './check.ts'

const oldestNode = 24
const leastFreeBytes = 64 * 1024 * 1024
const longestPm2HomeBytes = 98

export function checkNode(version: string = process.versions.node): Finding {
  const fits = Number(version.split('.')[0]) >= oldestNode
  if (fits) return good('node', `Node.js ${version}`)
  return bad('node', `Node.js ${version} is too old`, `run it by npm (npm start), which brings version ${oldestNode}`)
}

/** Makes the data folder when it is missing, and writes a file there: modes alone tell nothing to root. */
export async function checkDataFolder({ data }: DataPaths): Promise<Finding> {
  const probe = join(data, `.probe-${process.pid}`)
  try {
    await makeFolder(data)
    await writeFile(probe, 'chanop\n', { mode: 0o600 })
    await rm(probe)
    return good('data folder', data)
  } catch (error) {
    await rm(probe, { force: true }).catch(() => undefined)
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    if (code === 'ENOSPC' || code === 'EDQUOT') return full(data)
    return bad(
      'data folder',
      `${data} can not be made or written (${code})`,
      'give the folder to the user who runs this, or name another with CHANOP_DATA',
    )
  }
}

const full = (data: string): Finding =>
  bad('disk', `the disk of ${data} is full`, 'make room, or name another folder with CHANOP_DATA')

export async function checkDisk({ data }: DataPaths): Promise<Finding> {
  const disk = await statfs(data)
  const freeBytes = disk.bavail * disk.bsize
  if (freeBytes < leastFreeBytes) return full(data)
  return good('disk', `${(freeBytes / 1024 ** 3).toFixed(1)} GB free`)
}

/** A clock that stands before our newest write would make events, leases and certificates wrong. */
export async function checkClock({ ledger }: DataPaths, nowMs: number = Date.now()): Promise<Finding> {
  const newestMs = (await stat(ledger).catch(() => null))?.mtimeMs ?? 0
  const fix = "set the system's clock (NTP)"
  if (nowMs < Date.UTC(2026, 0, 1)) return bad('clock', `the clock says ${new Date(nowMs).toISOString()}`, fix)
  if (nowMs < newestMs - 60_000) return bad('clock', 'the clock stands before the newest write of the ledger', fix)
  return good('clock', new Date(nowMs).toISOString())
}

/** PM2's sockets lie in its home: with a longer path its daemon dies, or stays behind at full speed. */
export function checkPm2Home({ pm2Home }: Instance): Finding {
  const sizeBytes = Buffer.byteLength(pm2Home)
  if (sizeBytes <= longestPm2HomeBytes) return good('PM2 home', pm2Home)
  return bad(
    'PM2 home',
    `PM2's folder ${pm2Home} has ${sizeBytes} bytes, ${longestPm2HomeBytes} are possible`,
    'set PM2_HOME to a shorter path',
  )
}

/** Everything below the data folder belongs to us alone. Programs and caches hold no secret and are left out. */
export async function checkModes({ data }: DataPaths): Promise<Finding> {
  const open = await openToOthers(data)
  if (open.length === 0) return good('file modes', 'folders 0700, files 0600')
  return bad('file modes', `${open.length} paths are open to others, first ${open[0]}`, `chmod -R go= ${quoted(data)}`)
}

async function openToOthers(folder: string): Promise<string[]> {
  const found = ((await stat(folder)).mode & 0o077) === 0 ? [] : [folder]
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (!['bin', 'debian', 'apt', 'cache', 'home'].includes(entry.name)) found.push(...(await openToOthers(path)))
    } else if (entry.isFile() && ((await lstat(path)).mode & 0o077) !== 0) found.push(path)
  }
  return found
}

/** The folder of sockets that lie outside of the data folder: in /tmp anyone could have made it first. */
export async function checkSocketFolder({ data }: DataPaths): Promise<Finding> {
  const folder = shortFolder(data)
  const used = [redisSocketPath(data), folders(data).socket].some(path => dirname(path) === folder)
  if (!used) return good('socket folder', data)
  await makeFolder(folder)
  const found = await lstat(folder)
  const ours = found.isDirectory() && found.uid === (process.getuid?.() ?? found.uid) && (found.mode & 0o077) === 0
  if (ours) return good('socket folder', folder)
  return bad('socket folder', `${folder} is not ours alone`, 'remove it, or set CHANOP_DATA to a shorter path')
}
