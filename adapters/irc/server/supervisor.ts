/**
 * Holds the managed IRC server: Ergo, or InspIRCd with Anope. PM2 can't hold these directly: it stops with SIGINT, of
 * which InspIRCd dies without a word to anyone, and it knows nothing of the order of two.
 */

import { asChanopError, ChanopError } from '../../../core/error.ts'
import type { Log } from '../../../core/log.ts'
import { backoffMs, deadline, sleep } from '../../../core/retry.ts'
import { openGuard } from '../logins/guard.ts'
import { markFilled, restoreDatabase } from './database.ts'
import { Keeper } from './keeper.ts'
import { launches } from './launch.ts'
import { provision } from './provision.ts'
import { serving } from './ready.ts'
import { folders, readSettings, type Settings } from './settings.ts'

export interface Supervision {
  readonly dataDir: string
  readonly log: Log
  /** Logins are served, and the accounts and channels that must be there are there. Called after every start. */
  readonly ready: () => void
}

/** Resolves when `signal` has aborted and everything has ended in order. Rejects when `data/ircd` is unusable. */
export async function supervise(supervision: Supervision, signal: AbortSignal): Promise<void> {
  const guard = await openGuard(supervision.dataDir, supervision.log, signal)
  if (!guard) return
  try {
    await keepServers(supervision, signal)
  } finally {
    await guard.close()
  }
}

async function keepServers({ dataDir, log, ready }: Supervision, signal: AbortSignal): Promise<void> {
  const settings = await readSettings(dataDir)
  const at = folders(dataDir)
  const [first, services] = launches(settings, at)
  const hide = hiding(settings)
  if (!first) return
  const up = (ended: AbortSignal): Promise<void> => comeUp({ dataDir, log, ready }, settings, ended)
  if (!services)
    return new Keeper(first, log, { started: up, hide, cure: printed => movePorts(dataDir, printed, log) }).run(signal)

  const stopServer = new AbortController()
  const running = new Gate()
  const anope = new Keeper(services, log, {
    hide,
    before: async () => {
      // It ends at once when there is no server to link to; coming second, it is there 20 ms later.
      await running.open(deadline(5000, signal))
      const restored = await restoreDatabase(at.anope)
      if (restored) log.warn(`anope: the accounts were missing and are taken from the backup ${restored}`)
    },
    started: async ended => {
      await up(ended).catch(async (error: unknown) => {
        await server.end()
        throw error
      })
      await markFilled(at.anope)
    },
  })
  // Anope would look for its lost server once a second: started afresh it is there in 20 ms.
  const server = new Keeper(first, log, {
    hide,
    cure: printed => movePorts(dataDir, printed, log),
    started: ended => running.open(ended),
    printed: line => line.includes('InspIRCd is now running') && running.set(true),
    ended: () => {
      running.set(false)
      void anope.end().catch((error: unknown) => log.error({ error }, 'anope did not end'))
    },
  })
  const served = server.run(stopServer.signal)
  // Services first: they save what they know while the server still carries their words.
  await anope.run(signal)
  stopServer.abort()
  await served
}

/** Anope prints the name of the command that makes accounts whenever it is used. */
const hiding = ({ secrets: { accounts, ...others } }: Settings) => {
  const values = [...Object.values(accounts), ...Object.values(others)].filter(value => value !== '')
  return (line: string): string => values.reduce((shown, value) => shown.replaceAll(value, '[hidden]'), line)
}

/** The ports between our own parts may be any: when another program took one, others are chosen. */
async function movePorts(dataDir: string, printed: readonly string[], log: Log): Promise<boolean> {
  const settings = await readSettings(dataDir)
  const taken = (which: 'httpPort' | 'linkPort'): string | undefined =>
    printed.find(line => /address already in use/i.test(line) && line.includes(`:${settings[which]}:`))
  const which = (['httpPort', 'linkPort'] as const).find(taken)
  if (!which) return false
  const { renewPort } = await import('./prepare.ts')
  await renewPort(dataDir, which)
  log.warn(`a port between our own programs was taken, others are used now (${taken(which)})`)
  return true
}

/** Open while the IRC server runs. */
class Gate {
  #is = false
  #waiting: (() => void)[] = []

  set(open: boolean): void {
    this.#is = open
    if (open) for (const go of this.#waiting.splice(0)) go()
  }

  /** Resolves when it is open, or when `signal` aborts. */
  open(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      if (this.#is || signal.aborted) return resolve()
      this.#waiting.push(resolve)
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }
}

async function comeUp(
  { dataDir, log, ready }: Supervision,
  { plain, program }: Settings,
  ended: AbortSignal,
): Promise<void> {
  const sinceMs = performance.now()
  if (!(await serving(plain, deadline(30_000, ended)))) {
    throw new ChanopError(
      'network-down',
      `it runs and serves no logins after 30 s, so it is started again; see data/ircd`,
    )
  }
  const servingMs = Math.round(performance.now() - sinceMs)
  for (let attempt = 0; !ended.aborted; attempt += 1) {
    try {
      await provision(dataDir)
      // Another copy on this folder may have answered while ours was refused.
      if (ended.aborted) return
      log.info(
        { servingMs, readyMs: Math.round(performance.now() - sinceMs) },
        `${program.server} ${program.version} serves logins`,
      )
      return ready()
    } catch (error) {
      if (!ended.aborted) log.warn(`accounts and channels are not there yet: ${asChanopError(error).message}`)
      await sleep(backoffMs({ firstMs: 100, maxMs: 5000 }, attempt), ended)
    }
  }
}
