import { execFile } from 'node:child_process'
import { access, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { lockFile, pythonIn, synapseHome, synapseVersion } from '../../adapters/matrix/testing/synapse-home.ts'
import { ChanopError } from '../../core/error.ts'
import { onPath } from './path.ts'
import type { Places } from './places.ts'

const run = promisify(execFile)
const installMs = 300_000
const pythons = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10']
/** Installs the same list in a tenth of pip's time. */
const uv = 'uv==0.13.8'
const wheels = ['--only-binary', ':all:']

const reasonOf = (error: unknown): string => {
  const { stderr, message } = error as Error & { stderr?: string }
  return (stderr || message).trim().split('\n').at(-1) ?? message
}

const failed = (message: string): ChanopError => new ChanopError('setup-failed', message)

/**
 * A Matrix homeserver for the suites, from PyPI, into the user's cache: nothing is compiled, nothing installed on the
 * system. Throws `setup-failed` where no Python can have it.
 */
export async function obtainSynapse({ cache, env }: Places): Promise<{ python: string; version: string }> {
  const named = env['SYNAPSE_PYTHON']
  if (named) {
    await check(named)
    return { python: named, version: synapseVersion }
  }
  const home = synapseHome(cache)
  // It is put there whole, after it was seen to run.
  if (!(await isThere(pythonIn(home)))) await install(cache, home, await findPython(env))
  return { python: pythonIn(home), version: synapseVersion }
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

async function check(python: string): Promise<void> {
  await run(python, ['-m', 'synapse.app.homeserver', '--help'], { timeout: 60_000 }).catch((error: unknown) => {
    throw failed(`Synapse does not run with ${python} (${reasonOf(error)})`)
  })
}

/** The first Python of at least 3.10, by the path of the program itself: wrappers look at the folder they are called in. */
async function findPython(env: Places['env']): Promise<string> {
  if (process.platform !== 'linux') throw failed(`there are no wheels of Synapse for ${process.platform}`)
  const refused: string[] = []
  for (const name of pythons) {
    const path = await onPath(name, env['PATH'])
    if (!path) continue
    const ask = 'import sys; print(sys.version_info >= (3, 10), sys.executable)'
    const { stdout } = await run(path, ['-c', ask], { timeout: 20_000 }).catch(() => ({ stdout: '' }))
    const [fits, executable] = stdout.trim().split(' ')
    if (fits === 'True' && executable) return executable
    refused.push(stdout === '' ? `${path} does not run` : `${path} is too old`)
  }
  throw failed(
    `no Python of 3.10 or newer (${refused.join(', ') || 'none on PATH'}): apt-get install python3 python3-pip`,
  )
}

/** Built beside its place and moved there whole: of several at once one stays. */
async function install(cache: string, home: string, python: string): Promise<void> {
  const folder = await mkdtemp(join(cache, '.synapse-'))
  const made = join(folder, 'home')
  try {
    await withUv(folder, made, python).catch(() => withPip(folder, made, python))
    await check(pythonIn(made))
    await rename(made, home).catch(async (error: unknown) => {
      if (!(await isThere(pythonIn(home)))) throw error
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function withUv(folder: string, home: string, python: string): Promise<void> {
  const tools = join(folder, 'uv')
  const options = { timeout: installMs, env: { ...process.env, ...(await sameIndex(python)) } }
  await run(python, ['-m', 'pip', 'install', '--quiet', ...wheels, '--target', tools, uv], options)
  const program = join(tools, 'bin', 'uv')
  const quiet = ['--quiet', '--no-config', '--no-python-downloads']
  await rm(home, { recursive: true, force: true })
  await run(program, ['venv', ...quiet, '--relocatable', '--python', python, home], options)
  await run(program, ['pip', 'sync', ...quiet, ...wheels, '--python', pythonIn(home), lockFile], options)
}

async function withPip(folder: string, home: string, python: string): Promise<void> {
  const options = { timeout: installMs, cwd: folder }
  await rm(home, { recursive: true, force: true })
  await run(python, ['-m', 'venv', '--without-pip', home], options).catch((error: unknown) => {
    throw failed(`no virtual environment can be made (${reasonOf(error)}): apt-get install python3-venv`)
  })
  const into = ['--python', pythonIn(home), 'install', '--quiet', ...wheels, '-r', lockFile]
  await run(python, ['-m', 'pip', ...into], options).catch((error: unknown) => {
    throw failed(`Synapse can not be installed (${reasonOf(error)}); where pip is missing: apt-get install python3-pip`)
  })
}

/** uv reads none of pip's settings: where packages come from is the same for both. */
async function sameIndex(python: string): Promise<Record<string, string>> {
  const { stdout } = await run(python, ['-m', 'pip', 'config', 'get', 'global.index-url']).catch(() => ({ stdout: '' }))
  const index = process.env['PIP_INDEX_URL'] ?? stdout.trim()
  const certificates = process.env['PIP_CERT']
  return {
    ...(index === '' ? {} : { UV_DEFAULT_INDEX: index }),
    ...(certificates === undefined ? {} : { SSL_CERT_FILE: certificates }),
  }
}
