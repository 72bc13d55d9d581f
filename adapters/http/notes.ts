import type { FastifyRequest } from 'fastify'
import { type AuditEntry, audit } from '../../core/ledger/audit/audit.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import type { House } from './house.ts'

type Place = Pick<House, 'interior' | 'log' | 'network'>

/** Writes what a power cut may take, with whatever else is written in this turn of the event loop. */
export function writeLater({ interior, log }: Place, work: (tx: Tx) => unknown): void {
  interior.ledger
    .write(work, { durable: false })
    .catch((error: unknown) => log.error({ error }, 'a request could not be noted'))
}

/** A line of the audit about a request that was no command. */
export function note(
  house: Place,
  entry: Pick<AuditEntry, 'account' | 'name' | 'command' | 'result'> & Partial<AuditEntry>,
): void {
  const usual = {
    atMs: Date.now(),
    bot: 'bridge',
    event: null,
    network: house.network,
    channel: '',
    role: '',
    args: '',
    decision: 'denied' as const,
    ms: 0,
  }
  writeLater(house, tx => audit(tx, { ...usual, ...entry }))
}

/** Leaves word of a request by a key, under the name of its owner. */
export function noteRequest(
  house: Place,
  { holder, method, routeOptions }: Pick<FastifyRequest, 'holder' | 'method' | 'routeOptions'>,
  entry: Pick<AuditEntry, 'result'> & Partial<AuditEntry>,
): void {
  if (!holder) return
  const { account, name, agent } = holder
  const command = `${method} ${routeOptions.url ?? ''}`
  note(house, { account, name, command, ...(agent ? { role: 'agent' } : {}), ...entry })
}
