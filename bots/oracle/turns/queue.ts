import type { JobQueue, JobWorker, QueueConnection } from '../../../core/bus/queues.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { openTurns } from '../../../core/ledger/oracle/turns.ts'
import type { Runner } from './runner.ts'

export interface TurnQueue {
  /** Tells the others that a turn waits. Never waits, never rejects. */
  offer(id: number): void
  close(): Promise<void>
}

interface Ends {
  readonly queue: JobQueue
  readonly worker: JobWorker
}

/**
 * BullMQ's queue `turns`: it wakes oracles, on whatever host. A job is no more than a knock: who answers is decided by the
 * turn's row and its lease, and a knock that is lost is made good by the next look. `atOnce`: it is opened now, else with the first
 * knock, since an oracle without a model needs none of it.
 */
export function openTurnQueue(
  connection: QueueConnection,
  ledger: Ledger,
  runner: Runner,
  { atOnce }: { readonly atOnce: boolean },
): TurnQueue {
  let ends: Promise<Ends> | null = atOnce ? openEnds(connection, ledger, runner) : null
  return {
    offer: id => {
      ends ??= openEnds(connection, ledger, runner)
      ends
        .then(({ queue }) => queue.add(id))
        .catch((error: unknown) => connection.log.debug({ error, turn: id }, 'no knock for a turn that waits'))
    },
    close: async () => {
      const open = await ends
      await Promise.all([open?.queue.close(), open?.worker.close()])
    },
  }
}

async function openEnds(connection: QueueConnection, ledger: Ledger, runner: Runner): Promise<Ends> {
  const { openQueue, openWorker } = await import('../../../core/bus/queues.ts')
  const queue = openQueue('turns', connection)
  const worker = openWorker('turns', {
    ...connection,
    concurrency: 8,
    process: async () => runner.look(),
    open: async () => {
      const open = await ledger.read(openTurns)
      return open.filter(({ state }) => state === 'queued').map(({ id }) => id)
    },
  })
  return { queue, worker }
}
