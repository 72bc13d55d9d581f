import { openQueue, openWorker, type QueueConnection } from '../../../core/bus/queues.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { openTurns } from '../../../core/ledger/oracle/turns.ts'
import type { Runner } from './runner.ts'

export interface TurnQueue {
  /** Tells the others that a turn waits. Never waits, never rejects. */
  offer(id: number): void
  close(): Promise<void>
}

/**
 * BullMQ's queue `turns`: it wakes oracles, on whatever host. A job is no more than a knock: who answers is decided by the
 * turn's row and its lease, and a knock that is lost is made good by the next look.
 */
export function openTurnQueue(connection: QueueConnection, ledger: Ledger, runner: Runner): TurnQueue {
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
  return {
    offer: id => {
      queue
        .add(id)
        .catch((error: unknown) => connection.log.debug({ error, turn: id }, 'no knock for a turn that waits'))
    },
    close: async () => {
      await Promise.all([queue.close(), worker.close()])
    },
  }
}
