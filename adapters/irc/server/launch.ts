/** How a server's processes are started: argument lists, environment, and the wrappers that tie them to us. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { libraryEnv, runnable } from './programs.ts'
import { type Folders, type Settings } from './settings.ts'

export interface Launch {
  readonly name: 'ergo' | 'inspircd' | 'anope'
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Held while the process lives: no second copy works on one folder. */
  readonly lock: string
  readonly gid?: number
  /** It has ports of its own, and prints nothing that others wrote. */
  readonly listens: boolean
}

/** Exit code with which `flock` says that another process holds the lock. */
export const lockedExitCode = 75

/** In the order in which they must start: Anope links to a running InspIRCd 12 ms after its own start. */
export function launches(settings: Settings, at: Folders): readonly Launch[] {
  const { program } = settings
  if (program.server === 'ergo') {
    const args = ['run', '--quiet', '--conf', join(at.ergo, 'ircd.yaml')]
    return [
      {
        name: 'ergo',
        command: program.path,
        args,
        cwd: at.ergo,
        env: libraryEnv([]),
        lock: join(at.ergo, 'run.lock'),
        listens: true,
      },
    ]
  }
  const env = libraryEnv(program.libraries)
  const root = process.getuid?.() === 0
  return [
    {
      name: 'inspircd',
      command: program.ircd,
      args: ['--nofork', '--config', join(at.inspircd, 'inspircd.conf'), ...(root ? ['--runasroot'] : [])],
      cwd: join(at.inspircd, 'run'),
      env,
      lock: join(at.inspircd, 'run.lock'),
      listens: true,
    },
    {
      name: 'anope',
      command: program.anope,
      args: [
        '--nofork',
        `--confdir=${at.anope}`,
        `--dbdir=${join(at.anope, 'db')}`,
        `--logdir=${join(at.anope, 'log')}`,
        `--modulesdir=${program.anopeModules}`,
        `--localedir=${program.anopeLocale}`,
      ],
      cwd: at.anope,
      env,
      lock: join(at.anope, 'run.lock'),
      // It prints who comes and goes, with their real names.
      listens: false,
      // Started with user 0 and group 0 it sleeps for three seconds to warn of it; any other group avoids that.
      ...(root ? { gid: 65_534 } : {}),
    },
  ]
}

/** Starts it so that it dies with us (Linux), alone on its folder, and unable to leave a core file with passwords in it. */
export async function start(launch: Launch): Promise<ChildProcess> {
  const [setpriv, flock] = await Promise.all([runnable('/usr/bin/setpriv'), runnable('/usr/bin/flock')])
  const line = [
    ...(setpriv ? ['/usr/bin/setpriv', '--pdeathsig', 'TERM', '--'] : []),
    ...(flock ? ['/usr/bin/flock', '-n', '-E', String(lockedExitCode), '-F', launch.lock] : []),
    // PM2 sends SIGINT to children too, and InspIRCd would die of it at once: ignored, that stays with it over exec.
    // InspIRCd 3.15 crashes after its shutdown work when ssl_gnutls is loaded, and lifts the soft limit itself.
    '/bin/sh',
    '-c',
    'trap "" INT; ulimit -Hc 0; umask 077; exec "$0" "$@"',
    launch.command,
    ...launch.args,
  ]
  return spawn(line[0] as string, line.slice(1), {
    cwd: launch.cwd,
    env: launch.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: a Ctrl-C or PM2's SIGINT reaches only us, and the server gets the TERM that it understands.
    detached: true,
    ...(launch.gid === undefined ? {} : { gid: launch.gid }),
  })
}
