/** Tries a configuration with the server itself before the real files are touched. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ChanopError } from '../../../core/error.ts'
import { makeFolder, writeWhole } from '../../../core/files.ts'
import { deadline } from '../../../core/retry.ts'
import { anopeConfig } from './anope.ts'
import { ergoConfig } from './ergo.ts'
import { inspircdConfig } from './inspircd.ts'
import { type Launch, launches, start } from './launch.ts'
import { freePorts } from './ports.ts'
import { libraryEnv } from './programs.ts'
import type { Folders, Settings } from './settings.ts'

const badConfig = (program: string, reason: string): ChanopError =>
  new ChanopError(
    'config-invalid',
    `${program} refuses its configuration: ${reason}; look at networks.irc in the configuration`,
  )

/** Resolves with the settings to use: without history on disk if this build of Ergo can't do that. */
export async function validate(settings: Settings, at: Folders): Promise<Settings> {
  const probe = join(at.ircd, `try-${process.pid}`)
  const there: Folders = {
    ircd: at.ircd,
    ergo: join(probe, 'e'),
    inspircd: join(probe, 'i'),
    anope: join(probe, 'a'),
    socket: join(dirname(at.socket), 'try.sock'),
    logins: at.logins,
  }
  try {
    if (settings.program.server === 'inspircd') {
      await tryInspircd(settings, there)
      return { ...settings, diskHistory: false }
    }
    const refusal = await tryErgo(settings.program.path, settings, there)
    if (refusal === null) return settings
    if (!settings.diskHistory || !/sqlite/i.test(refusal)) throw badConfig('Ergo', refusal)
    const inMemory = { ...settings, diskHistory: false }
    const again = await tryErgo(settings.program.path, inMemory, there)
    if (again !== null) throw badConfig('Ergo', again)
    return inMemory
  } finally {
    await rm(probe, { recursive: true, force: true })
    await rm(there.socket, { force: true })
  }
}

async function elsewhere(settings: Settings): Promise<Settings> {
  const [plain = 0, tls = 0, httpPort = 0, linkPort = 0] = await freePorts(4)
  const host = '127.0.0.1'
  return { ...settings, httpPort, linkPort, plain: { host, port: plain }, tls: { host, port: tls } }
}

/** `run --smoke` on an empty database: null when it is content, else its last word. */
async function tryErgo(path: string, settings: Settings, there: Folders): Promise<string | null> {
  await makeFolder(there.ergo)
  const file = join(there.ergo, 'ircd.yaml')
  // It opens its listeners even so: other ports keep it out of the way of the server that may be running.
  await writeWhole(file, ergoConfig(await elsewhere(settings), there))
  return new Promise(resolve => {
    execFile(
      path,
      ['run', '--smoke', '--conf', file],
      { env: libraryEnv([]), cwd: there.ergo, timeout: 10_000 },
      (error, _stdout, stderr) => {
        resolve(
          error
            ? (stderr.trim().split('\n').at(-1) ?? error.message).replace(/^.*?did not load successfully:\s*/, '')
            : null,
        )
      },
    )
  })
}

/** There is no check mode: a copy on other ports has to come up. */
async function tryInspircd(settings: Settings, there: Folders): Promise<void> {
  for (const folder of ['data', 'log', 'run']) await makeFolder(join(there.inspircd, folder))
  await mkdir(there.anope, { recursive: true })
  const copy = await elsewhere(settings)
  await writeWhole(join(there.inspircd, 'inspircd.conf'), inspircdConfig(copy, there))
  await writeWhole(join(there.anope, 'services.conf'), anopeConfig(copy, there))
  const launch = launches(copy, there)[0] as Launch
  const child = await start({
    ...launch,
    args: [...launch.args, '--nopid', '--nolog'],
    lock: join(dirname(there.inspircd), 'lock'),
  })
  const said: string[] = []
  const output = deadline(10_000)
  try {
    await new Promise<void>((resolve, reject) => {
      child.stderr?.resume()
      child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
        said.push(chunk)
        if (said.join('').includes('InspIRCd is now running')) resolve()
      })
      child.once('exit', () => reject(badConfig('InspIRCd', inspircdReason(said.join('')))))
      child.once('error', reject)
      output.addEventListener('abort', () => reject(badConfig('InspIRCd', 'it did not come up within 10 s')), {
        once: true,
      })
    })
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      // It has nothing to save, and its orderly end would wait for the next second.
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
}

const inspircdReason = (printed: string): string =>
  printed
    .split('\n')
    .map(line => line.trim())
    .find(line => /^(?!.*Loading module).*(Unable|Cannot|cannot|Failed|failed|error|at .*:\d+:\d+)/.test(line)) ??
  'it exited without a reason'
