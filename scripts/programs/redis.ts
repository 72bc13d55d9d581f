import { chmod, readlink, rm, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { atLeast, debianTrees, libraryFolders, runnable } from '../../adapters/irc/server/programs.ts'
import { ChanopError } from '../../core/error.ts'
import { makeFolder, writeIfChanged } from '../../core/files.ts'
import { quoted } from '../instance.ts'
import { hasApt, treeOf, unpackDebian } from './debian.ts'
import { installCommand, onPath } from './path.ts'
import type { Places } from './places.ts'
import { run } from './run.ts'

export interface RedisProgram {
  readonly version: string
  readonly path: string
}

/** BullMQ's advice; older ones lack commands that it uses when it can. */
const oldestRedis = [6, 2, 0] as const
const inTree = join('usr', 'bin', 'redis-check-rdb')

/** REDIS_SERVER, PATH, or a tree of unpacked packages; null with the reasons in `refused`. */
export async function findRedis({ bin, env, data }: Places, refused: string[] = []): Promise<RedisProgram | null> {
  const named = env['REDIS_SERVER']
  const there = [await onPath('redis-server', env['PATH']), await onPath('valkey-server', env['PATH'])]
  for (const path of named ? [resolve(named)] : there) {
    const found = path ? await check(path, refused) : null
    if (found) return found
  }
  for (const tree of debianTrees(data, env)) {
    if (tree === '/' || !(await runnable(join(tree, inTree)))) continue
    const found = await check(await wrap(tree, bin), refused)
    if (found) return found
  }
  return null
}

/** As `findRedis`, and fetches Debian's package when there is none. Throws `setup-failed` with the ways out. */
export async function obtainRedis(places: Places): Promise<RedisProgram> {
  const refused: string[] = []
  const found = await findRedis(places, refused)
  if (found) return found
  const { PATH: path } = places.env
  if (await hasApt(path)) {
    const wanted = { packages: ['redis-tools', 'libjemalloc2', 'liblzf1'], programs: [inTree] }
    try {
      await unpackDebian(places.cache, wanted, () => runnable(join(treeOf(places.cache), inTree)))
      const unpacked = await check(await wrap(treeOf(places.cache), places.bin), refused)
      if (unpacked) return unpacked
    } catch (error) {
      refused.push((error as Error).message)
    }
  }
  const command = await installCommand('redis', path, { 'apt-get': 'redis-server', pacman: 'valkey' })
  throw new ChanopError(
    'setup-failed',
    `no redis-server of version 6.2 or newer (${refused.join('; ') || 'none on PATH'}): ${command}, or name one with REDIS_SERVER, or set redis.url in the configuration`,
  )
}

/**
 * Debian's redis-tools carries the server: the program is one for all, and its name says what it is. The wrapper gives it
 * that name and its libraries, and becomes it, so that whoever started the wrapper has Redis's own process.
 */
async function wrap(tree: string, bin: string): Promise<string> {
  const named = join(bin, 'redis', 'redis-server')
  const target = join(tree, inTree)
  await makeFolder(join(bin, 'redis'))
  if ((await readlink(named).catch(() => null)) !== target) {
    await rm(named, { force: true })
    await symlink(target, named)
  }
  const wrapper = join(bin, 'redis-server')
  const script = `#!/bin/sh\nLD_LIBRARY_PATH=${quoted(libraryFolders(tree).join(':'))} exec ${quoted(named)} "$@"\n`
  await writeIfChanged(wrapper, script)
  await chmod(wrapper, 0o700)
  return wrapper
}

async function check(path: string, refused: string[]): Promise<RedisProgram | null> {
  const printed = await run(path, ['--version'], { timeout: 5000 }).then(
    ({ stdout }) => stdout,
    (error: Error) => error.message,
  )
  const version = /^(?:Redis|Valkey) server v=(\d+\.\d+\.\d+)/.exec(printed)?.[1]
  if (!version) refused.push(`${path} is no Redis that runs`)
  else if (!atLeast(version, oldestRedis)) refused.push(`${path} is Redis ${version}`)
  else return { version, path }
  return null
}
