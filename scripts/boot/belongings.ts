/** What an instance has outside of its checkout, and how it is removed. */
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { lstat, readdir, readlink, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ChanopError } from '../../core/error.ts'
import { shortFolder } from '../../core/paths.ts'
import { count } from '../../core/text/text.ts'
import { unpackings } from '../backup/put-back.ts'
import type { Instance } from '../instance.ts'
import { sharedCache } from '../programs/places.ts'
import { lives } from './hold.ts'

export interface Belonging {
  readonly what: 'data' | 'restore' | 'config' | 'sockets' | 'cache'
  readonly path: string
  readonly about: string
}

const cached = 'programs, fetched again by other instances of yours; stays while one of them runs'

/** What a data folder of ours holds one of. More than a name: many a folder has a `run`. */
const marks = ['ledger.db', 'keys/vault.key', 'run/instance.json', 'run/config.json', 'ircd/server.json']
/** All that a start leaves which got no further. */
const firstFolders = ['run', 'logs', 'bin', 'home']

const realOf = (path: string): string => (existsSync(path) ? realpathSync(path) : path)

/** Throws `setup-failed` where `CHANOP_DATA` names a folder that is more than an instance's data. */
export function refuseStrange({ paths: { data }, root, home, config }: Instance): void {
  const real = realOf(data)
  const within = (path: string, folder: string): boolean => `${path}/`.startsWith(folder === '/' ? '/' : `${folder}/`)
  const holds = (path: string): boolean => within(path, data) || within(realOf(path), real)
  if (holds(root) || holds(home))
    throw new ChanopError(
      'setup-failed',
      `${data} holds ${holds(root) ? root : home}: that is more than data, nothing was removed`,
    )
  if (existsSync(data) && !looksOurs(data))
    throw new ChanopError(
      'setup-failed',
      `${data} does not look like data of Chanop: nothing was removed, CHANOP_DATA names another`,
    )
  if (existsSync(config) && !statSync(config).isFile())
    throw new ChanopError('setup-failed', `${config} is no file: nothing was removed, CHANOP_CONFIG names one`)
}

function looksOurs(data: string): boolean {
  const names = statSync(data).isDirectory() ? readdirSync(data) : []
  const unfinished = names.includes('run') && names.every(name => firstFolders.includes(name))
  return unfinished || marks.some(name => existsSync(join(data, name)))
}

/** `cache`: with the programs that all instances of a user share. */
export async function belongings({ paths, config, env }: Instance, cache: boolean): Promise<Belonging[]> {
  const saved = (await readdir(paths.backups).catch(() => [])).filter(name => name.endsWith('.age')).length
  const real = realOf(paths.data)
  const halves = (await unpackings(real)).filter(({ pid }) => !lives(pid))
  const place = real === paths.data ? '' : `it is in ${real}; `
  const all = `${place}all that was said, accounts, keys${saved > 0 ? `, and ${count(saved)} backups: copy those first` : '; npm run backup saves it'}`
  const found: Belonging[] = [
    { what: 'data', path: paths.data, about: all },
    ...halves.map(({ path }) => ({ what: 'restore' as const, path, about: 'left by a restore that was killed' })),
    { what: 'config', path: config, about: '' },
    { what: 'sockets', path: shortFolder(paths.data), about: '' },
    ...(cache ? [{ what: 'cache' as const, path: sharedCache(env), about: cached }] : []),
  ]
  return found.filter(({ path }) => existsSync(path))
}

/**
 * Says what it did. The cache stays while a program of it runs: another instance has it. Only the data, whose real place
 * was judged before, goes where a link leads to it: a link in `/tmp` may be another user's.
 */
export async function remove({ what, path }: Belonging): Promise<string> {
  const real = realOf(path)
  if (what === 'cache' && (await runsFrom(real))) return `kept ${path}: another instance runs programs of it`
  const isLink = (await lstat(path).catch(() => null))?.isSymbolicLink()
  if (what === 'data') await rm(real, { recursive: true, force: true })
  await rm(path, { recursive: true, force: true })
  if (!isLink) return `removed ${path}`
  return what === 'data' ? `removed ${real} and the link ${path}` : `removed the link ${path}; ${real} stays`
}

async function runsFrom(folder: string): Promise<boolean> {
  const pids = (await readdir('/proc').catch(() => [])).filter(name => /^\d+$/.test(name))
  const programs = await Promise.all(pids.map(pid => readlink(`/proc/${pid}/exe`).catch(() => '')))
  return programs.some(path => path.startsWith(`${folder}/`))
}
