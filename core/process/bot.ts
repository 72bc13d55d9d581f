import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import { BothBuses } from '../bus/both.ts'
import type { Bus } from '../bus/bus.ts'
import { DirectBus } from '../bus/direct.ts'
import { RedisBus } from '../bus/redis.ts'
import { asChanopError, ChanopError } from '../error.ts'
import { Ledger } from '../ledger/ledger.ts'
import { instanceId } from '../ledger/meta.ts'
import { createLog, isLevel, type Log } from '../log.ts'
import { bellFolder, locations, redisSocketPath } from '../paths.ts'
import { sleep } from '../retry.ts'
import { Rooms, type RoomsConfig } from '../rooms.ts'
import { Settings } from '../settings/settings.ts'
import { followSettings } from '../settings/settings-following.ts'
import { hop, traceHops } from '../trace.ts'
import { resolveSecret, Vault } from '../vault/secrets.ts'
import { stateFile, untilAlone } from './alone.ts'
import { Compiling } from './compilers.ts'
import { Rest } from './rest.ts'
import { noteReady } from './starts.ts'

/** What every bot's process has. */
export interface BotContext<S extends z.ZodType = z.ZodType> {
  readonly name: string
  readonly log: Log
  readonly ledger: Ledger
  readonly bus: Bus
  readonly settings: Settings<S>
  /** As the settings have them now. */
  readonly rooms: Rooms
  readonly vault: Vault
  /** This installation's own id. */
  readonly instance: string
  readonly dataDir: string
  /** Aborts when the process is asked to stop: finish what is under way, take nothing new. */
  readonly signal: AbortSignal
  /** Resolves `env:NAME` and `secret:NAME`. */
  secret(reference: string): Promise<string>
  /** Everything is up: PM2 and `npm start` hear it. */
  ready(): void
}

/** What the schema of the configuration must offer to run any bot. */
interface Common {
  readonly redis: { readonly url: string | null }
  readonly rooms: RoomsConfig
  readonly logLevel: string
}

export interface BotOptions<S extends z.ZodType<Common>> {
  readonly name: string
  readonly schema: S
  /** This bot checks the whole ledger when that is due, before anything is done with it. One bot is enough. */
  readonly checksLedger?: true
  /** This bot's commits are put on the disk beside its thread: it prepares meanwhile what goes out. */
  readonly commitsAside?: true
  /** Works until `context.signal` aborts, then cleans up and resolves. A rejection ends the process for a restart. */
  readonly main: (context: BotContext<S>) => Promise<void>
}

/** Variables that the configuration refers to, as `npm start` left them for the bots. */
function environment(dataDir: string): Record<string, string | undefined> {
  const file = join(dataDir, 'run', 'env')
  try {
    return { ...process.env, ...(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return process.env
    throw new ChanopError('config-invalid', `${file} can not be read: run npm start again`, { cause: error })
  }
}

/** Leaves word of how the bot is for `npm start` and `npm run doctor`: `data/run/<bot>.json`. */
function report(dataDir: string, name: string, state: 'starting' | 'ready' | 'failed', message = ''): void {
  const file = stateFile(dataDir, name)
  try {
    mkdirSync(join(dataDir, 'run'), { recursive: true, mode: 0o700 })
    const draft = `${file}.${process.pid}.new`
    writeFileSync(draft, `${JSON.stringify({ pid: process.pid, state, message, atMs: Date.now() })}\n`, { mode: 0o600 })
    renameSync(draft, file)
  } catch (error) {
    process.stderr.write(`${name}: ${file} can not be written: ${(error as Error).message}\n`)
  }
}

const heartbeatMs = 1000
/** Who carries out what the others commit. */
const deliverer = 'bridge'
const retryStartMs = 2000
/** A check of the whole file is no cheap try. */
const retryCorruptMs = 60_000
const drainMs = 6000

interface BusOptions {
  readonly dataDir: string
  readonly name: string
  readonly instance: string
  readonly log: Log
}

/** The bell between the processes, and Redis beside it. `url`: of a Redis that is not ours. */
function openBus(url: string | null, { dataDir, name, instance, log }: BusOptions): BothBuses {
  const redis = new RedisBus(url ? { url } : { path: redisSocketPath(dataDir) }, instance, log)
  const direct = new DirectBus(bellFolder(dataDir), name, log)
  direct.start()
  redis.start()
  return new BothBuses(direct, redis)
}

/** The variable wins over the configuration. */
function levelOf(configured: string): string {
  const wanted = process.env['CHANOP_LOG'] ?? ''
  return isLevel(wanted) ? wanted : configured
}

function beat(bus: Bus, name: string): void {
  bus.signal('heartbeat', { bot: name, pid: process.pid, atMs: Date.now(), rssBytes: process.memoryUsage.rss() })
}

function sayReady(dataDir: string, name: string, log: Log): void {
  report(dataDir, name, 'ready')
  noteReady(dataDir, name)
  log.info('ready')
  // The process manager may be gone by now: then nobody is there to hear it.
  process.send?.('ready', undefined, undefined, () => undefined)
}

async function openContext<S extends z.ZodType<Common>>(
  options: BotOptions<S>,
  log: Log,
  signal: AbortSignal,
): Promise<BotContext<S> & { close(): Promise<void> }> {
  const { config, dataDir } = locations()
  const ledger = Ledger.open(join(dataDir, 'ledger.db'), {
    check: options.checksLedger ? 'when-due' : false,
    aside: options.commitsAside ?? false,
  })
  try {
    const settings = await Settings.open(config, options.schema, ledger, join(dataDir, 'run', 'config.json'))
    const setLevel = ({ logLevel }: Common): void => void (log.level = levelOf(logLevel))
    setLevel(settings.current)
    settings.onChange(setLevel)
    const instance = await ledger.write(instanceId)
    const vault = await Vault.open(join(dataDir, 'keys', 'vault.key'), ledger)
    if (vault.locked) log.error(vault.locked)
    const env = environment(dataDir)
    const bus = openBus(settings.current.redis.url, { dataDir, name: options.name, instance, log })
    traceHops(dataDir, options.name)
    // Before anything else that this process does with a commit: the others begin meanwhile.
    ledger.onCommit((seq, first) => {
      hop('committed')
      bus.ring(seq, [deliverer, ...first])
    })
    const following = followSettings(settings, ledger, log)
    bus.onSignal('settings', () => void following.reload())
    const compiling = new Compiling()
    const rest = new Rest()
    const beats = setInterval(() => {
      for (const one of [compiling, rest, following]) void one.look()
      beat(bus, options.name)
    }, heartbeatMs)
    return {
      name: options.name,
      log,
      ledger,
      bus,
      settings,
      rooms: Rooms.of(settings),
      vault,
      instance,
      dataDir,
      signal,
      secret: reference => ledger.read(db => resolveSecret(db, vault, reference, env)),
      ready: () => {
        sayReady(dataDir, options.name, log)
        compiling.begin()
      },
      close: async () => {
        clearInterval(beats)
        await bus.close()
        ledger.close()
      },
    }
  } catch (error) {
    ledger.close()
    throw error
  }
}

/** Until it works: one line when the reason is new, then quiet tries, so that a lasting fault is no restart storm. */
async function openPatiently<S extends z.ZodType<Common>>(options: BotOptions<S>, log: Log, signal: AbortSignal) {
  const { dataDir } = locations()
  let said = ''
  while (!signal.aborted) {
    try {
      if (!(await untilAlone(dataDir, options.name, log, signal))) return null
      if (said === '') report(dataDir, options.name, 'starting')
      return await openContext(options, log, signal)
    } catch (thrown) {
      const error = asChanopError(thrown)
      if (error.code === 'internal') throw thrown
      if (error.message !== said) {
        report(dataDir, options.name, 'failed', error.message)
        log.error({ code: error.code }, error.message)
      }
      said = error.message
      await sleep(error.code === 'ledger-corrupt' ? retryCorruptMs : retryStartMs, signal)
    }
  }
  return null
}

/** Runs one bot as a process of its own: opens what it needs, runs `main`, and leaves in order when asked to. */
export async function runBot<S extends z.ZodType<Common>>(options: BotOptions<S>): Promise<void> {
  process.umask(0o077)
  const log = createLog(options.name)
  const stop = new AbortController()
  const ask = (reason: string) => (): void => {
    if (stop.signal.aborted) return
    log.info({ reason }, 'stopping')
    stop.abort()
    setTimeout(() => process.exit(0), drainMs).unref()
  }
  process.on('SIGINT', ask('SIGINT'))
  process.on('SIGTERM', ask('SIGTERM'))
  process.on('disconnect', ask('the process manager is gone'))
  process.on('uncaughtException', thrown => {
    if (isHangUp(thrown)) log.warn('a server hung up before its answer was read: what it sent is read on')
    else die(options.name, log, thrown)
  })
  try {
    const context = await openPatiently(options, log, stop.signal)
    if (context) {
      await options.main(context)
      await context.close()
    }
    process.exit(0)
  } catch (thrown) {
    die(options.name, log, thrown)
  }
}

/**
 * A server that ends the connection while its answer is read slowly trips an assertion of Node.js' own `fetch`, where nobody can
 * catch it (undici's issue 5360): anybody's server could end us. What came is read to its end all the same, or
 * the deadline of the request ends it.
 */
const isHangUp = (thrown: unknown): boolean =>
  thrown instanceof Error && /^AssertionError.*^\s+at Parser\.finish \([^\n]*undici/ms.test(thrown.stack ?? '')

/** Ends the process for a restart, with one line that says why; an unhandled rejection ends here too. */
function die(name: string, log: Log, thrown: unknown): never {
  log.fatal({ error: thrown }, asChanopError(thrown).message)
  report(locations().dataDir, name, 'failed', asChanopError(thrown).message)
  process.exit(1)
}
