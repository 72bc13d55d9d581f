/** The managed Redis: its configuration, the command that runs it, and whether it answers. */
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { makeFolder, writeIfChanged } from '../../core/files.ts'
import { type DataPaths, redisSocketPath } from '../../core/paths.ts'
import { deadline } from '../../core/retry.ts'
import { onPath } from '../programs/path.ts'

/** Redis's own quoting: within double quotes, backslash and quote are escaped (redis.conf, sdssplitargs). */
const quote = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`

/** Everything on disk within a second, nothing ever evicted, and no port: only our own user reaches the socket. */
export const redisConfig = (paths: DataPaths): string =>
  [
    'port 0',
    `unixsocket ${quote(redisSocketPath(paths.data))}`,
    'unixsocketperm 700',
    `dir ${quote(paths.redis)}`,
    `logfile ${quote(paths.redisLog)}`,
    'daemonize no',
    'appendonly yes',
    'appendfsync everysec',
    // Its command line then names this file, and its environment, by which `npm stop` knows it, stays readable.
    'set-proc-title no',
    'save ""',
    'maxmemory-policy noeviction',
    '',
  ].join('\n')

/** True when the configuration is another than before. */
export async function writeRedisConfig(paths: DataPaths): Promise<boolean> {
  await makeFolder(paths.redis)
  await makeFolder(dirname(redisSocketPath(paths.data)))
  return writeIfChanged(paths.redisConfig, redisConfig(paths))
}

/**
 * setpriv lets Redis end with PM2's daemon, flock keeps a second one off the same append-only file; both become Redis.
 * Where they are missing (macOS) Redis runs bare.
 */
export async function redisCommand(program: string, paths: DataPaths, path: string | undefined): Promise<string[]> {
  const [setpriv, flock] = [await onPath('setpriv', path), await onPath('flock', path)]
  return [
    ...(setpriv ? [setpriv, '--pdeathsig', 'TERM', '--'] : []),
    ...(flock ? [flock, '-n', '-F', paths.redisLock] : []),
    program,
    paths.redisConfig,
  ]
}

/** PONG, or the reason why not. Asked by hand: a client of a library would try again for ever. */
export function pingRedis(socketPath: string, timeoutMs = 500): Promise<string> {
  return new Promise(resolve => {
    const socket = connect(socketPath)
    const finish = (answer: string): void => {
      socket.destroy()
      resolve(answer)
    }
    deadline(timeoutMs).addEventListener('abort', () => finish('no answer'), { once: true })
    socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message))
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (answer: Buffer) => finish(answer.toString('latin1').replace(/^[+-]/, '').trim()))
  })
}
