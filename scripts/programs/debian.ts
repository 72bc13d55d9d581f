/** Debian's packages, unpacked into a folder of ours: nothing is installed, no service starts, no root is needed. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { libraryEnv, libraryFolders } from '../../adapters/irc/server/programs.ts'
import { ChanopError } from '../../core/error.ts'
import { makeFolder } from '../../core/files.ts'
import { hold } from '../boot/hold.ts'
import { onPath } from './path.ts'
import { run } from './run.ts'

const slowestMs = 180_000

export interface Wanted {
  /** Packages that carry the programs, with the libraries that no base system has. */
  readonly packages: readonly string[]
  /** Files below the tree that must find all their libraries. */
  readonly programs: readonly string[]
}

/** `<cache>/debian` is the tree, `<cache>/apt` what apt-get keeps for us. */
export const treeOf = (cache: string): string => join(cache, 'debian')

export const hasApt = async (path: string | undefined): Promise<boolean> =>
  (await onPath('apt-get', path)) !== null && (await onPath('dpkg', path)) !== null

/** Throws `setup-failed` when the packages can not be had; `done` is asked again once the folder is ours alone. */
export async function unpackDebian(cache: string, wanted: Wanted, done: () => Promise<boolean>): Promise<void> {
  const tree = treeOf(cache)
  await makeFolder(tree)
  await using _lock = await patiently(() => hold(join(cache, 'unpacking.lock'), 'unpacking packages'))
  if (await done()) return
  const apt = await prepareApt(join(cache, 'apt'))
  await apt.get(['-qq', 'update'])
  await apt.get(['download', ...wanted.packages], apt.archives)
  await unpackAll(apt.archives, tree, wanted.packages)
  if (await lacksLibrary(tree, wanted.programs)) {
    await apt.get(['-d', '-y', '--no-install-recommends', 'install', ...wanted.packages])
    await unpackAll(apt.archives, tree, null)
  }
}

/** Another start may be unpacking into the same cache: that is waited for. */
async function patiently<T>(take: () => Promise<T>): Promise<T> {
  const untilMs = Date.now() + slowestMs
  for (;;) {
    try {
      return await take()
    } catch (error) {
      if (!(error instanceof ChanopError) || Date.now() > untilMs) throw error
      await new Promise(resolve => setTimeout(resolve, 500))
    }
  }
}

interface Apt {
  readonly archives: string
  get(args: readonly string[], cwd?: string): Promise<void>
}

/** apt-get with package lists and archives of our own: those of the system may be empty and belong to root. */
async function prepareApt(folder: string): Promise<Apt> {
  const archives = join(folder, 'archives')
  for (const path of [join(folder, 'lists', 'partial'), join(archives, 'partial')]) await makeFolder(path)
  const own = [
    `Dir::State::Lists=${folder}/lists`,
    `Dir::Cache=${folder}`,
    `Dir::Cache::archives=${archives}`,
    'Debug::NoLocking=1',
    'Acquire::Retries=1',
    'Acquire::http::Timeout=10',
    'Acquire::https::Timeout=10',
    // Where nobody else can read our folder, root's usual step down to another user only makes a warning.
    ...(process.getuid?.() === 0 ? ['APT::Sandbox::User=root'] : []),
  ].flatMap(option => ['-o', option])
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' }
  const get = async (args: readonly string[], cwd = folder): Promise<void> => {
    try {
      await run('apt-get', [...own, ...args], { cwd, env, timeout: slowestMs, maxBuffer: 16 * 1024 * 1024 })
    } catch (error) {
      const { stderr = '' } = error as { stderr?: string }
      const said = stderr.split('\n').find(line => line.startsWith('E:')) ?? String(error).split('\n')[0]
      throw new ChanopError('setup-failed', `apt-get could not get packages (${said})`, { cause: error })
    }
  }
  return { archives, get }
}

/** `packages`: null for all that were fetched. */
async function unpackAll(archives: string, tree: string, packages: readonly string[] | null): Promise<void> {
  for (const file of await readdir(archives)) {
    if (!file.endsWith('.deb')) continue
    if (packages && !packages.includes(file.slice(0, file.indexOf('_')))) continue
    await run('dpkg', ['-x', join(archives, file), tree], { timeout: slowestMs })
  }
}

async function lacksLibrary(tree: string, programs: readonly string[]): Promise<boolean> {
  for (const program of programs) {
    const printed = await run('ldd', [join(tree, program)], { env: libraryEnv(libraryFolders(tree)) }).then(
      ({ stdout }) => stdout,
      () => '',
    )
    if (printed.includes('not found')) return true
  }
  return false
}
