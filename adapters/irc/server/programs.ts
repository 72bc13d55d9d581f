/**
 * Which IRC servers this machine can run, and where their parts are. Bootstrapping writes what it chose to
 * `data/run/programs.json`; nothing here downloads or installs anything.
 */
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'

const run = promisify(execFile)

const ergoProgram = z.strictObject({ server: z.literal('ergo'), version: z.string(), path: z.string() })

const inspircdProgram = z.strictObject({
  server: z.literal('inspircd'),
  version: z.string(),
  ircd: z.string(),
  /** The folder that holds `m_*.so`. */
  ircdModules: z.string(),
  anope: z.string(),
  /** The parent of Anope's `modules/`. */
  anopeModules: z.string(),
  anopeLocale: z.string(),
  /** Folders for LD_LIBRARY_PATH: those of an unpacked Debian tree, none for installed packages. */
  libraries: z.array(z.string()),
})

export const programSchema = z.discriminatedUnion('server', [ergoProgram, inspircdProgram])
export type ServerProgram = z.output<typeof programSchema>
export type ErgoProgram = z.output<typeof ergoProgram>
export type InspircdProgram = z.output<typeof inspircdProgram>

export interface Programs {
  /** Usable ones, the preferred first. */
  readonly found: readonly ServerProgram[]
  /** Why a server, or a program that looked like it, can't be used: one line each. */
  readonly refused: readonly { readonly server: 'ergo' | 'inspircd'; readonly reason: string }[]
}

type Refusal = { server: 'ergo' | 'inspircd'; reason: string }
type Env = Readonly<Record<string, string | undefined>>

export const oldestErgo = [2, 19, 1] as const

/** Looks at ERGO_BIN, PATH and `data/bin` for Ergo; at `data/debian`, CHANOP_DEBIAN and the system for InspIRCd with Anope. */
export async function findPrograms(dataDir: string, env: Env = process.env): Promise<Programs> {
  const refused: Refusal[] = []
  const found: ServerProgram[] = []
  const ergo = await findErgo(dataDir, env, refused)
  if (ergo) found.push(ergo)
  const inspircd = await findInspircd(debianTrees(dataDir, env), refused)
  if (inspircd) found.push(inspircd)
  return { found, refused }
}

/** Folders in which unpacked Debian packages may lie; `/` stands for installed ones and comes last. */
export function debianTrees(dataDir: string, env: Env): readonly string[] {
  const cache = env['XDG_CACHE_HOME'] ?? (env['HOME'] ? join(env['HOME'], '.cache') : undefined)
  const named = env['CHANOP_DEBIAN'] ? [resolve(env['CHANOP_DEBIAN'])] : []
  return [...named, resolve(dataDir, 'debian'), ...(cache ? [join(cache, 'chanop', 'debian')] : []), '/']
}

async function findErgo(dataDir: string, env: Env, refused: Refusal[]): Promise<ErgoProgram | null> {
  const named = env['ERGO_BIN']
  const onPath = (env['PATH'] ?? '').split(delimiter).filter(isAbsolute)
  const candidates = named
    ? [resolve(named)]
    : [...onPath.map(folder => join(folder, 'ergo')), resolve(dataDir, 'bin', 'ergo')]
  for (const path of candidates) {
    if (!(await runnable(path))) continue
    const version = parseErgoVersion(await output(path, ['--version']))
    if (version === null)
      refused.push({
        server: 'ergo',
        reason: `${path} is not the IRC server (Debian's package ergo is a chemistry program)`,
      })
    else if (!atLeast(version, oldestErgo))
      refused.push({ server: 'ergo', reason: `${path} is Ergo ${version}; 2.19.1 or newer is needed` })
    else return { server: 'ergo', version, path }
  }
  if (!refused.some(({ server }) => server === 'ergo')) {
    refused.push({
      server: 'ergo',
      reason: named ? `ERGO_BIN names ${named}, which can not be run` : 'no Ergo in ERGO_BIN, PATH or data/bin',
    })
  }
  return null
}

async function findInspircd(trees: readonly string[], refused: Refusal[]): Promise<InspircdProgram | null> {
  let reason = 'no InspIRCd with Anope in data/debian or installed'
  for (const tree of trees) {
    const part = (...names: string[]): string => join(tree, 'usr', ...names)
    const program = {
      server: 'inspircd' as const,
      ircd: part('sbin', 'inspircd'),
      ircdModules: part('lib', 'inspircd', 'modules'),
      anope: part('sbin', 'anope'),
      anopeModules: part('lib', 'anope'),
      anopeLocale: part('share', 'anope', 'locale'),
      libraries: tree === '/' ? [] : libraryFolders(tree),
    }
    if (!(await runnable(program.ircd))) continue
    const checked = await checkInspircd(program)
    if (typeof checked === 'string') reason = checked
    else return { ...program, version: checked.version }
  }
  refused.push({ server: 'inspircd', reason })
  return null
}

async function checkInspircd(program: Omit<InspircdProgram, 'version'>): Promise<{ version: string } | string> {
  const env = libraryEnv(program.libraries)
  const version = /^InspIRCd-(\d+\.\d+\.\d+)/.exec(await output(program.ircd, ['--version'], env))?.[1]
  if (!version) return `${program.ircd} does not run: unpack its libraries beside it or install the package inspircd`
  if (!version.startsWith('3.')) return `${program.ircd} is InspIRCd ${version}; only version 3 is known`
  if (!(await runnable(program.anope)))
    return `InspIRCd is there but not Anope (${program.anope}): add the package anope`
  const anope = /^Anope-(\d+\.\d+\.\d+)/.exec(await output(program.anope, ['--version'], env))?.[1]
  if (!anope) return `${program.anope} does not run: unpack its libraries beside it or install the package anope`
  if (!anope.startsWith('2.0.')) return `${program.anope} is Anope ${anope}; only version 2.0 is known`
  for (const file of [
    join(program.ircdModules, 'm_ssl_gnutls.so'),
    join(program.anopeModules, 'modules', 'inspircd3.so'),
  ]) {
    if (!(await exists(file))) return `${file} is missing: unpack the package again`
  }
  return { version }
}

const triplets = ['x86_64-linux-gnu', 'aarch64-linux-gnu', 'arm-linux-gnueabihf', 'riscv64-linux-gnu', 'i386-linux-gnu']

export const libraryFolders = (tree: string): string[] =>
  triplets.flatMap(triplet => [join(tree, 'usr', 'lib', triplet), join(tree, 'lib', triplet)])

/** The whole environment of a server: nothing of ours is inherited, so no secret can be. */
export const libraryEnv = (libraries: readonly string[]): Record<string, string> => ({
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  ...(libraries.length === 0 ? {} : { LD_LIBRARY_PATH: libraries.join(':') }),
})

export const parseErgoVersion = (printed: string): string | null =>
  /^ergo-(\d+\.\d+\.\d+)\S*\s*$/.exec(printed)?.[1] ?? null

export function atLeast(version: string, oldest: readonly number[]): boolean {
  const parts = version.split('.').map(Number)
  const differing = oldest.findIndex((part, index) => parts[index] !== part)
  return differing === -1 || (parts[differing] ?? 0) > (oldest[differing] ?? 0)
}

async function output(path: string, args: string[], env: Record<string, string> = libraryEnv([])): Promise<string> {
  // Anope's --version exits with 255, so that a failure's output counts as well.
  const { stdout } = await run(path, args, { env, timeout: 5000 }).catch((failure: { stdout?: string }) => ({
    stdout: failure.stdout ?? '',
  }))
  return stdout
}

export async function runnable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
