/** Programs from PyPI, each in a folder of its own: nothing is compiled, nothing installed on the system. */
import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ChanopError } from '../../core/error.ts'
import { removedAfter } from '../../core/files.ts'
import { onPath } from './path.ts'
import type { Places } from './places.ts'
import { run } from './run.ts'

const installMs = 600_000
/** Installs the same list in a tenth of pip's time. */
const uv = 'uv==0.13.8'
const wheels = ['--only-binary', ':all:']

export interface PythonProgram {
  /** What it is called where something is wrong. */
  readonly name: string
  readonly cache: string
  /** Where it will be, whole or not at all. */
  readonly home: string
  /** Arguments of `pip install`, one list for each call. What they need is put into a folder that goes away afterwards. */
  readonly steps: (python: string, folder: string) => Promise<readonly (readonly string[])[]>
  /** The first and the last minor version of Python 3 that can have it. */
  readonly minor: { readonly from: number; readonly to: number }
  /** Throws when it does not run. */
  readonly check: (python: string) => Promise<void>
}

export const pythonOf = (home: string): string => join(home, 'bin', 'python')

export const failed = (message: string): ChanopError => new ChanopError('setup-failed', message)

export const reasonOf = (error: unknown): string => {
  const { stderr, message } = error as Error & { stderr?: string }
  return (stderr || message).trim().split('\n').at(-1) ?? message
}

/** The Python that runs it; installs it before where it is not there. Throws `setup-failed` where no Python can have it. */
export async function obtainPython(program: PythonProgram, env: Places['env']): Promise<string> {
  const { home } = program
  // It is put there whole, after it was seen to run.
  if (!existsSync(pythonOf(home))) await install(program, await findPython(program, env))
  return pythonOf(home)
}

/** The first Python that fits, by the path of the program itself: wrappers look at the folder they are called in. */
async function findPython({ name: what, minor: { from, to } }: PythonProgram, env: Places['env']): Promise<string> {
  if (process.platform !== 'linux') throw failed(`there are no wheels of ${what} for ${process.platform}`)
  const refused: string[] = []
  const names = Array.from({ length: to - from + 1 }, (_, n) => `python3.${to - n}`)
  for (const name of ['python3', ...names]) {
    const path = await onPath(name, env['PATH'])
    if (!path) continue
    const ask = `import sys; print((3, ${from}) <= sys.version_info < (3, ${to + 1}), sys.executable)`
    const { stdout } = await run(path, ['-c', ask], { timeout: 20_000 }).catch(() => ({ stdout: '' }))
    const [fits, executable] = stdout.trim().split(' ')
    if (fits === 'True' && executable) return executable
    refused.push(stdout === '' ? `${path} does not run` : `${path} is of another version`)
  }
  throw failed(
    `no Python from 3.${from} to 3.${to} (${refused.join(', ') || 'none on PATH'}): apt-get install python3 python3-pip`,
  )
}

/** Built beside its place and moved there whole: of several at once one stays. */
async function install(program: PythonProgram, python: string): Promise<void> {
  const { cache, home, check } = program
  const folder = await mkdtemp(join(cache, '.python-'))
  await using _gone = removedAfter(folder)
  const made = join(folder, 'home')
  await withUv(program, folder, made, python).catch(() => withPip(program, folder, made, python))
  await check(pythonOf(made))
  await rename(made, home).catch(async (error: unknown) => {
    if (!existsSync(pythonOf(home))) throw error
  })
}

async function withUv({ steps }: PythonProgram, folder: string, home: string, python: string): Promise<void> {
  const tools = join(folder, 'uv')
  const options = { timeout: installMs, env: { ...process.env, ...(await sameIndex(python)) } }
  await run(python, ['-m', 'pip', 'install', '--quiet', ...wheels, '--target', tools, uv], options)
  const program = join(tools, 'bin', 'uv')
  const quiet = ['--quiet', '--no-config', '--no-python-downloads']
  await rm(home, { recursive: true, force: true })
  await run(program, ['venv', ...quiet, '--relocatable', '--python', python, home], options)
  for (const step of await steps(python, folder))
    await run(program, ['pip', 'install', ...quiet, ...wheels, '--python', pythonOf(home), ...step], options)
}

async function withPip({ name, steps }: PythonProgram, folder: string, home: string, python: string): Promise<void> {
  const options = { timeout: installMs, cwd: folder }
  await rm(home, { recursive: true, force: true })
  await run(python, ['-m', 'venv', '--without-pip', home], options).catch((error: unknown) => {
    throw failed(`no virtual environment can be made (${reasonOf(error)}): apt-get install python3-venv`)
  })
  for (const step of await steps(python, folder)) {
    const into = ['--python', pythonOf(home), 'install', '--quiet', ...wheels, ...step]
    await run(python, ['-m', 'pip', ...into], options).catch((error: unknown) => {
      throw failed(
        `${name} can not be installed (${reasonOf(error)}); where pip is missing: apt-get install python3-pip`,
      )
    })
  }
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
