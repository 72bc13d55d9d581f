import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { ChanopError } from '../core/error.ts'
import { type DataPaths, dataPaths } from '../core/paths.ts'
import { isBotName } from '../core/process/bots.ts'

type Env = Readonly<Record<string, string | undefined>>

/** One installation that runs: a checkout with a configuration, a data folder and a PM2 home. All paths are absolute. */
export interface Instance {
  readonly root: string
  readonly version: string
  /** The Node.js that runs this script runs the bots. */
  readonly node: string
  readonly config: string
  readonly paths: DataPaths
  readonly home: string
  readonly pm2Home: string
  /** The shell's environment: never handed to a process that stays. */
  readonly env: Env
}

/** `CHANOP_CONFIG`, `CHANOP_DATA` and `PM2_HOME` name another instance; relative ones count from the checkout. */
export function instanceOf(env: Env = process.env): Instance {
  const root = resolve(import.meta.dirname, '..')
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const home = env['HOME'] || homedir()
  return {
    root,
    version,
    node: process.execPath,
    config: resolve(root, env['CHANOP_CONFIG'] || 'config/chanop.yaml'),
    paths: dataPaths(resolve(root, env['CHANOP_DATA'] || 'data')),
    home,
    pm2Home: resolve(root, env['PM2_HOME'] || join(home, '.pm2')),
    env,
  }
}

/** In the order in which they start; they stop the other way round. */
export const apps = ['redis', 'ircd', 'bridge', 'admin', 'oracle', 'scribe'] as const
export type App = (typeof apps)[number]
export const bots = apps.filter(isBotName)

/** How a person would write it: relative to the checkout where that is shorter. */
export const shown = ({ root }: Instance, path: string): string =>
  path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path

/** As one word of a shell's line, to be copied as it stands. */
export const quoted = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`

/** Throws `not-found` where no `npm start` was yet: opening a ledger makes one. */
export function demandLedger(instance: Instance): void {
  if (existsSync(instance.paths.ledger)) return
  throw new ChanopError(
    'not-found',
    `there is no ledger in ${shown(instance, instance.paths.data)} yet: npm start makes it`,
  )
}
