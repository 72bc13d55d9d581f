import { createHash } from 'node:crypto'
import { dirname, join, resolve } from 'node:path'

/** Longest path in bytes that a unix socket can have everywhere (sun_path holds 104 bytes on macOS, 108 on Linux). */
export const longestSocketBytes = 100

/** Locations given by the environment, made absolute: `CHANOP_CONFIG` and `CHANOP_DATA`. */
export function locations(env: NodeJS.ProcessEnv = process.env): { config: string; dataDir: string } {
  return {
    config: resolve(env['CHANOP_CONFIG'] || 'config/chanop.yaml'),
    dataDir: resolve(env['CHANOP_DATA'] || 'data'),
  }
}

/** The well-known paths below the data folder. Folders are 0700, files 0600. */
export interface DataPaths {
  readonly data: string
  /** The ledger: one SQLite database, with `-wal` and `-shm` beside it. */
  readonly ledger: string
  /** The vault's key: apart from the ledger, so that a copy of one does not open the other. */
  readonly vaultKey: string
  /** Programs that were fetched (`ergo`). */
  readonly bin: string
  /** What `npm run backup` wrote, and copies of the ledger before a migration. */
  readonly backups: string
  /** Standard output and error of every PM2 app. */
  readonly logs: string
  /** What a start leaves for the processes and for the next start. */
  readonly run: string
  /** `{ redis, irc }`: which programs were found, JSON. */
  readonly programs: string
  /** What this instance is made of (paths, apps), JSON; ecosystem.config.cjs reads it. */
  readonly instance: string
  /** Values of the variables that `env:NAME` references name, JSON object; the processes' own environment holds none. */
  readonly env: string
  /** `{ pid, since }` of the start or stop that is at work, JSON. */
  readonly startLock: string
  readonly redis: string
  readonly redisConfig: string
  readonly redisLog: string
  /** Held by flock(1) while Redis lives, so that two never share an append-only file. */
  readonly redisLock: string
  /** One line `account=… password=…` of the owner on the managed IRC server. */
  readonly ownerLogin: string
}

/** `dataDir` may be relative; every path that comes back is absolute. */
export function dataPaths(dataDir: string): DataPaths {
  const data = resolve(dataDir)
  const run = join(data, 'run')
  const redis = join(data, 'redis')
  return {
    data,
    ledger: join(data, 'ledger.db'),
    vaultKey: join(data, 'keys', 'vault.key'),
    bin: join(data, 'bin'),
    backups: join(data, 'backups'),
    logs: join(data, 'logs'),
    run,
    programs: join(run, 'programs.json'),
    instance: join(run, 'instance.json'),
    env: join(run, 'env'),
    startLock: join(run, 'start.lock'),
    redis,
    redisConfig: join(redis, 'redis.conf'),
    redisLog: join(redis, 'redis.log'),
    redisLock: join(redis, 'lock'),
    ownerLogin: join(data, 'owner-login'),
  }
}

/**
 * Where a unix socket `name` of the folder `near` (relative to the data folder) listens: there, or in a short folder of
 * its own (0700, made by `npm start`) when that path is too long for a socket, or has a space, which not every server
 * bears. /tmp by name, because TMPDIR differs between a shell and PM2's children.
 */
export function socketPath(dataDir: string, near: string, name: string): string {
  const data = resolve(dataDir)
  const path = join(data, near, name)
  if (Buffer.byteLength(path) <= longestSocketBytes && !/\s/.test(path)) return path
  return join(shortFolder(data), name)
}

/** Where the sockets lie that can not be in the data folder. */
export function shortFolder(dataDir: string): string {
  const instance = createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 12)
  return join('/tmp', `chanop-${process.getuid?.() ?? 0}-${instance}`)
}

/** Of a name in `bellFolder`: `.<bot>-<pid>.bell`. */
const longestBell = '.a-bot-of-24-characters--4194304.bell'

/** Where each process of an instance has a socket on which the others ring it (0700). */
export const bellFolder = (dataDir: string): string => dirname(socketPath(dataDir, join('run', 'bell'), longestBell))

/** Where the managed Redis listens. */
export const redisSocketPath = (dataDir: string): string => socketPath(dataDir, 'redis', 'redis.sock')
