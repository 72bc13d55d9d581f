import { once } from 'node:events'
import { Queue, Worker } from 'bullmq'
import { asChanopError, ChanopError } from '../error.ts'
import type { Log } from '../log.ts'
import { deadline } from '../retry.ts'
import { connectRedis, type RedisAddress, retryDelayMs } from './redis.ts'

/** All queues there are. Hyphens in a name, never colons: BullMQ divides its keys by those. */
export const queueNames = ['turns', 'tools', 'schedule', 'exports'] as const
export type QueueName = (typeof queueNames)[number]

/** A job names a row of the ledger, where its content and its state are. Redis may lose it at any time. */
interface Job {
  readonly rowId: number
}

export interface QueueConnection {
  readonly address: RedisAddress
  /** This installation's own id: several share one Redis. */
  readonly instance: string
  readonly log: Log
}

export interface JobQueue {
  /** Asks a worker to take a row. A row that waits already is not added twice. Rejects `bus-down` while Redis is away. */
  add(rowId: number, options?: { readonly delayMs?: number }): Promise<void>
  close(): Promise<void>
}

export interface WorkerOptions extends QueueConnection {
  /** Rows carried out at the same time. */
  readonly concurrency?: number
  /**
   * Carries out one row. It may be called again for a row that is done or under way elsewhere (at least once): look at
   * the row first, and claim it there. `signal` aborts when the worker closes or has lost the job. What it rejects with
   * is logged; the row is offered again when `open` still names it.
   */
  process(rowId: number, signal: AbortSignal): Promise<void>
  /** The rows of the ledger that still are to be carried out: jobs are made anew from it on start and now and then. */
  open(): Promise<readonly number[]>
  /** How often `open` is asked. */
  readonly rebuildMs?: number
}

export interface JobWorker {
  /** Makes the jobs anew that Redis does not have; by itself on start and every `rebuildMs`. */
  rebuild(): Promise<void>
  /** Takes nothing new and resolves when what is under way has ended, or has been given up after `drainMs`. */
  close(drainMs?: number): Promise<void>
}

/** A job that nobody carries on (its process died) is taken again after this. */
const lockMs = 10_000
const stalledLookMs = 5000
const defaultRebuildMs = 5000
const defaultDrainMs = 5000

/** How long an addition waits for a connection that is just being made. */
const addWaitMs = 300

/** BullMQ refuses ids that are numbers. */
const jobId = (rowId: number): string => `row-${rowId}`

const prefixOf = ({ instance }: QueueConnection): string => `chanop-${instance}`

/** BullMQ throws in its own callbacks when nobody listens for errors. One line for each outage. */
function listener(log: Log, name: QueueName): { failed(error: unknown): void; back(): void } {
  let complained = false
  return {
    failed: error => {
      if (!complained) log.warn({ error, queue: name }, 'the queue does not answer: its jobs wait in the ledger')
      complained = true
    },
    back: () => {
      complained = false
    },
  }
}

/** The end of a queue that adds. */
export function openQueue(name: QueueName, connection: QueueConnection): JobQueue {
  const said = listener(connection.log, name)
  const client = connectRedis(connection.address, { maxRetriesPerRequest: 1 })
  // Before the queue does: it takes a first refusal for final.
  client.connect().catch(error => said.failed(error))
  const queue = new Queue<Job>(name, {
    prefix: prefixOf(connection),
    connection: client,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  })
  queue.on('error', error => said.failed(error))
  return {
    add: async (rowId, { delayMs } = {}) => {
      if (client.status !== 'ready')
        await once(client, 'ready', { signal: deadline(addWaitMs) }).catch(error => said.failed(error))
      if (client.status !== 'ready')
        throw new ChanopError('bus-down', 'Redis does not answer: the job waits in the ledger')
      await queue.add(name, { rowId }, { jobId: jobId(rowId), ...(delayMs ? { delay: delayMs } : {}) })
      said.back()
    },
    close: async () => {
      // Disconnected first, the queue would report the end of a connection that works; last, it would wait for one that does not.
      if (client.status !== 'ready') client.disconnect()
      await queue.close().catch(error => said.failed(error))
      client.disconnect()
    },
  }
}

/** The end of a queue that works, and that makes lost jobs anew. */
export function openWorker(name: QueueName, options: WorkerOptions): JobWorker {
  const { log } = options
  const said = listener(log, name)
  const queue = openQueue(name, options)
  const underWay = new Map<number, Promise<void>>()
  const stop = new AbortController()

  const carryOut = async (rowId: number, signal: AbortSignal): Promise<void> => {
    // After a FLUSHALL a job may come back while its row is still being carried out here.
    if (underWay.has(rowId)) return
    const work = options.process(rowId, AbortSignal.any([signal, stop.signal])).catch((error: unknown) => {
      log.error({ error, queue: name, row: rowId }, asChanopError(error).message)
    })
    underWay.set(rowId, work)
    await work.finally(() => underWay.delete(rowId))
  }

  const worker = new Worker<Job>(
    name,
    (job, _token, signal) => carryOut(job.data.rowId, signal ?? new AbortController().signal),
    {
      prefix: prefixOf(options),
      connection: { ...options.address, retryStrategy: retryDelayMs, connectTimeout: 3000 },
      concurrency: options.concurrency ?? 1,
      lockDuration: lockMs,
      stalledInterval: stalledLookMs,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    },
  )
  worker.on('error', error => said.failed(error))
  worker.on('active', () => said.back())

  const rebuild = async (): Promise<void> => {
    for (const rowId of await options.open()) if (!underWay.has(rowId)) await queue.add(rowId)
  }
  const look = (): void => void rebuild().catch(error => said.failed(error))
  const timer = setInterval(look, options.rebuildMs ?? defaultRebuildMs)
  worker.once('ready', look)
  return {
    rebuild,
    close: async (drainMs = defaultDrainMs) => {
      clearInterval(timer)
      const giveUp = setTimeout(() => stop.abort(), drainMs)
      await worker.pause(true)
      await Promise.all(underWay.values())
      clearTimeout(giveUp)
      await worker.close(true)
      await queue.close()
    },
  }
}
