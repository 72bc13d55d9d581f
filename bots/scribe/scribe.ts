import { join } from 'node:path'
import type { Context } from '../../config/context.ts'
import { openDesk } from '../../core/command/visit/desk.ts'
import { sayLater } from '../../core/command/visit/later.ts'
import { asChanopError } from '../../core/error.ts'
import type { Stored } from '../../core/ledger/record/events.ts'
import { tellOps } from '../../core/ops.ts'
import { bots } from '../../core/process/bots.ts'
import { follow } from '../../core/process/consumer.ts'
import { sleep } from '../../core/retry.ts'
import { scribeCommands } from './commands/all.ts'
import { Ear } from './ear.ts'
import { Exports } from './export/exports.ts'
import { LogFiles } from './files/files.ts'
import { isDamage, SearchIndex } from './index/index.ts'
import type { ScribeServices } from './services.ts'

const batchSize = 500
/** What comes in meanwhile is taken together: a search looks for itself before it answers. */
const gatherMs = 50
const checkpointMs = 1000
const syncMs = 1000
const sweepMs = 3_600_000
const retryMs = 10_000

/** The record of everything that is said: search index, log files, exports, and answers about them. */
export async function runScribe(context: Context): Promise<void> {
  const { ledger, settings, dataDir, signal, log } = context
  const ear = new Ear({ prefix: () => settings.current.commands.prefix, bots })
  const index = SearchIndex.open(join(dataDir, 'search.db'), ear, () => void tellRemade(context))
  const exports = new Exports(ledger.path, signal)
  const services: ScribeServices = {
    index,
    exports,
    dataDir,
    rooms: context.rooms,
    report: (asked, lines) => sayLater({ bot: context, context: asked, reply: 'public' }, { lines }),
    fault: error => {
      log.error({ error }, asChanopError(error).message)
      if (isDamage(error)) void tellRemade(context)
    },
  }
  const { served } = await openDesk(context, { commands: scribeCommands, services })
  const checkpoints = every(context, checkpointMs, async () => ledger.checkpoint())
  context.ready()
  try {
    await Promise.all([served, keepIndex(context, index), keepFiles(context, ear)])
  } finally {
    clearInterval(checkpoints)
    await exports.idle()
    index.close()
  }
}

/** Does something again and again; what fails is said and tried again the next time. */
function every({ log }: Context, periodMs: number, work: () => Promise<unknown>): NodeJS.Timeout {
  return setInterval(() => {
    work().catch((error: unknown) => log.error({ error }, asChanopError(error).message))
  }, periodMs)
}

/** Throws away an index of another ledger, or one that can not even say which it is of. */
async function fit(context: Context, index: SearchIndex): Promise<void> {
  const { ledger, log } = context
  try {
    if (await ledger.read(db => index.fits(db))) return
    log.warn('the ledger is another one than was indexed: the search index is made anew')
    index.rebuild()
  } catch (error) {
    if (!isDamage(error)) throw error
    log.error({ error }, 'the search index is damaged: it is made anew')
    index.remake()
    void tellRemade(context)
  }
}

/** The operators hear it; searches find less until it is whole again. */
async function tellRemade(context: Context): Promise<void> {
  const nowMs = Date.now()
  const line = 'the search index was damaged and is made anew from the ledger: until that is done searches find less'
  try {
    await context.ledger.write(db => tellOps(db, context, line, `scribe.remade.${nowMs}`))
  } catch (error) {
    context.log.warn({ error }, 'that the index is made anew could not be told')
  }
}

/** Follows the ledger with the index; makes it anew when it does not fit the ledger or is damaged. */
async function keepIndex(context: Context, index: SearchIndex): Promise<void> {
  const { ledger, bus, log, signal } = context
  await fit(context, index)
  while (!signal.aborted) {
    const again = new AbortController()
    const take = async (batch: readonly Stored[]): Promise<void> => {
      try {
        await ledger.read(db => index.take(db, batch))
      } catch (error) {
        if (!isDamage(error)) throw error
        log.error({ error }, 'the search index is damaged: it is made anew')
        index.remake()
        void tellRemade(context)
      }
      // A search may have thrown the index away meanwhile: then this goes on from its beginning.
      if (index.cursor < (batch.at(-1)?.seq ?? 0)) again.abort()
      else await sleep(batch.length < batchSize ? gatherMs : 1, signal)
    }
    await follow(
      { ledger, bus, log, from: index.cursor, limit: batchSize, take },
      AbortSignal.any([signal, again.signal]),
    )
  }
}

async function openFiles(context: Context, ear: Ear): Promise<LogFiles | null> {
  const { ledger, settings, dataDir, log, signal } = context
  const options = {
    root: join(dataDir, 'logs'),
    ledger,
    config: () => settings.current.scribe.files,
    keepable: ear.keepable.bind(ear),
  }
  while (!signal.aborted) {
    try {
      return await LogFiles.open(options)
    } catch (error) {
      log.error({ error }, `no log files for now: ${asChanopError(error).message}`)
      await sleep(retryMs, signal)
    }
  }
  return null
}

/** Follows the ledger with the log files, and deletes those whose time is over. */
async function keepFiles(context: Context, ear: Ear): Promise<void> {
  const { ledger, bus, log, signal, settings } = context
  const files = await openFiles(context, ear)
  if (!files) return
  const clean = async (): Promise<void> => {
    const config = settings.current.scribe.files
    const removed = config ? await files.sweep(config.keepDays) : 0
    if (removed > 0) log.info({ removed }, 'old log files were deleted')
  }
  await clean().catch((error: unknown) => log.error({ error }, asChanopError(error).message))
  const timers = [every(context, sweepMs, clean), every(context, syncMs, () => files.sync())]
  const take = async (batch: readonly Stored[]): Promise<void> => {
    await files.take(batch)
    await sleep(batch.length < batchSize ? gatherMs : 1, signal)
  }
  await follow({ ledger, bus, log, from: files.cursor, limit: batchSize, take }, signal)
  for (const timer of timers) clearInterval(timer)
  await files.close()
}
