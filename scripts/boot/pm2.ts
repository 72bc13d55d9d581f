/** PM2, called as the program it is: nothing of it is ever loaded into a process of ours. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { z } from 'zod'
import { ChanopError } from '../../core/error.ts'
import type { Instance } from '../instance.ts'
import { run } from '../programs/run.ts'

const listed = z.array(
  z.object({
    name: z.string(),
    pm_id: z.int(),
    pid: z.int().default(0),
    pm2_env: z.object({
      namespace: z.string().default('default'),
      status: z.string(),
      restart_time: z.int().default(0),
      pm_uptime: z.number().default(0),
      pm_cwd: z.string().default(''),
      env: z.record(z.string(), z.unknown()).default({}),
    }),
  }),
)

export interface Pm2App {
  readonly id: number
  readonly name: string
  readonly namespace: string
  readonly status: string
  readonly pid: number
  readonly restarts: number
  readonly startedAtMs: number
  readonly cwd: string
  /** Whose it is: the data folder of its instance; empty for an app that is none of Chanop's. */
  readonly dataDir: string
}

/** The whole environment of PM2 and of everything below it: PM2 keeps it in a file, so nothing secret may be in it. */
export const cleanEnv = ({ env, node, home, pm2Home, config, paths }: Instance): Record<string, string> => ({
  PATH: [dirname(node), env['PATH'] ?? '/usr/bin:/bin'].join(delimiter),
  HOME: home,
  PM2_HOME: pm2Home,
  PM2_DISABLE_VERSION_CHECK: '1',
  // An app that ran for 5 s is no crash loop: the next time it ends it comes back at once. PM2 looks every 10 s.
  EXP_BACKOFF_RESET_TIMER: '5000',
  PM2_WORKER_INTERVAL: '10000',
  // Its daemon only waits: without compilers it takes 11 MB less.
  PM2_NODE_OPTIONS: '--max-semi-space-size=1 --no-sparkplug --no-maglev --no-opt',
  // Who only asks PM2 leaves no data folder behind: a restore wants none there.
  ...(existsSync(paths.run) ? { NODE_COMPILE_CACHE: join(paths.run, 'compile-cache') } : {}),
  CHANOP_CONFIG: config,
  CHANOP_DATA: paths.data,
  ...(env['LANG'] ? { LANG: env['LANG'] } : {}),
  ...(env['TZ'] ? { TZ: env['TZ'] } : {}),
})

const pm2Program = ({ root }: Instance): string => join(root, 'node_modules', '.bin', 'pm2')

/** Whether a daemon answers: every command of PM2's own would start one. */
export function daemonLives({ pm2Home }: Pick<Instance, 'pm2Home'>): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(join(pm2Home, 'rpc.sock'))
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

export async function listApps(instance: Instance): Promise<readonly Pm2App[]> {
  if (!(await daemonLives(instance))) return []
  const printed = await pm2(instance, ['jlist'])
  // A daemon of another release makes PM2 print a notice before the list.
  const line = printed.split('\n').findLast(text => text.startsWith('['))
  const parsed = listed.safeParse(line === undefined ? null : JSON.parse(line))
  if (!parsed.success) throw new ChanopError('setup-failed', `PM2 gave no list of its apps: look at 'npx pm2 ls'`)
  return parsed.data.map(({ name, pm_id, pid, pm2_env }) => ({
    id: pm_id,
    name,
    namespace: pm2_env.namespace,
    status: pm2_env.status,
    pid,
    restarts: pm2_env.restart_time,
    startedAtMs: pm2_env.pm_uptime,
    cwd: pm2_env.pm_cwd,
    dataDir: typeof pm2_env.env['CHANOP_DATA'] === 'string' ? pm2_env.env['CHANOP_DATA'] : '',
  }))
}

export const isOwn = ({ namespace, dataDir }: Pm2App, { paths }: Instance): boolean =>
  namespace === 'chanop' && dataDir === paths.data

export const ownApps = async (instance: Instance): Promise<readonly Pm2App[]> =>
  (await listApps(instance)).filter(app => isOwn(app, instance))

/** Runs one command to its end and resolves with what it printed. Throws `setup-failed` with PM2's own last line. */
export async function pm2(instance: Instance, args: readonly string[]): Promise<string> {
  const options = { cwd: instance.root, env: cleanEnv(instance), maxBuffer: 64 * 1024 * 1024, timeout: 120_000 }
  try {
    const { stdout } = await run(instance.node, [pm2Program(instance), ...args], options)
    return stdout
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    const said = `${stdout}\n${stderr}`.trim().split('\n').findLast(Boolean) ?? String(error)
    throw new ChanopError('setup-failed', `PM2 could not do '${args[0]}' (${said.trim()}): look at 'npx pm2 ls'`, {
      cause: error,
    })
  }
}

export interface Pm2Command {
  /** Resolves when the command has ended well, and else never. */
  readonly done: Promise<void>
  /** Rejects with `setup-failed` when it ends otherwise; never resolves. */
  readonly failure: Promise<never>
  end(): void
}

/** Begins a command that is not waited for: PM2's `start` stays until every app has said that it is ready. */
export function beginPm2(instance: Instance, args: readonly string[]): Pm2Command {
  const { root, node } = instance
  const child = spawn(node, [pm2Program(instance), ...args], {
    cwd: root,
    env: cleanEnv(instance),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const { promise: done, resolve } = Promise.withResolvers<void>()
  const { promise: failure, reject } = Promise.withResolvers<never>()
  child.once('error', reject).once('close', code => {
    const line = said.trim().split('\n').at(-1) ?? ''
    if (code === 0) resolve()
    else reject(new ChanopError('setup-failed', `PM2 could not start its apps (${line}): look at 'npx pm2 ls'`))
  })
  return { done, failure, end: () => child.kill() }
}
