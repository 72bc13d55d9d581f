import type { Context } from '../../../config/context.ts'
import { asChanopError } from '../../../core/error.ts'
import { repairAgents } from '../../../core/ledger/agents/agent-steps.ts'
import { type Agent, agents, engagementsEnd } from '../../../core/ledger/agents/agents.ts'
import { dropMeta, getMeta } from '../../../core/ledger/meta.ts'
import { placeOrder } from '../../../core/ledger/out/orders.ts'
import { dropOldLogins, loginsEnd } from '../../../core/ledger/people/claims.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { scrubMark } from '../../../core/ledger/wipe.ts'
import { tellOps } from '../../../core/ops.ts'
import { consume } from '../../../core/process/consumer.ts'
import { endBatches } from './batch.ts'
import type { Signer } from './engagement.ts'
import { revokeRecord, suspension } from './record.ts'
import { Renewal } from './renewal.ts'
import { consumer, Watch } from './watch.ts'

const lookMs = 1000

/** Ends engagements whose time is over. */
export function expire(tx: Tx, context: Context, nowMs: number): void {
  const over = ({ state, expiresMs }: Agent): boolean =>
    (state === 'active' || state === 'rotating') && expiresMs !== null && expiresMs <= nowMs
  const { prefix } = context.settings.current.commands
  for (const agent of agents(tx).filter(over)) {
    const key = `expired.${agent.expiresMs}`
    revokeRecord(tx, agent, 'its engagement is over', nowMs)
    placeOrder(tx, suspension(agent, 'your engagement is over', key), nowMs)
    const line = `the engagement of ${agent.name} is over: it is suspended; ${prefix}restore ${agent.name} for=30d takes it back`
    tellOps(tx, context, line, `agent.${agent.name}.${key}`)
  }
}

/** What goes on with agents while nobody types: engagements are held to and end, batches are told. */
export async function keepAgents(context: Context, signer: Signer): Promise<void> {
  const { ledger, bus, log, signal } = context
  const found = await ledger.write(tx => repairAgents(tx, Date.now()))
  for (const line of found) log.warn({ agent: line }, 'a record was repaired')
  let busy = false
  const look = (): void => {
    if (busy || signal.aborted) return
    busy = true
    endBatches(context)
      .catch((error: unknown) => log.error({ error }, asChanopError(error).message))
      .finally(() => (busy = false))
  }
  const renewal = new Renewal(context, signer)
  const tick = (): void => {
    look()
    scrub(context)
      .then(() => sweep(context))
      .then(() => renewal.look(Date.now()))
      .catch((error: unknown) => log.error({ error }, asChanopError(error).message))
  }
  const timer = setInterval(tick, lookMs)
  const off = [bus.onRing(look), ledger.onCommit(look)]
  const watch = new Watch(context)
  await consume(context, { name: consumer, take: batch => watch.take(batch) })
  clearInterval(timer)
  for (const stop of off) stop()
}

/** Takes what was wiped out of the ledger's files. The mark stays until that is done, whoever dies meanwhile. */
async function scrub({ ledger }: Context): Promise<void> {
  const mark = await ledger.read(tx => getMeta(tx, scrubMark))
  if (mark === null || !ledger.scrub()) return
  await ledger.write(tx => dropMeta(tx, scrubMark, mark))
}

/** Writes only when there is something to write: an idle system does nothing. */
async function sweep(context: Context): Promise<void> {
  const nowMs = Date.now()
  const due = await context.ledger.read(tx => engagementsEnd(tx, nowMs) || loginsEnd(tx, nowMs))
  if (!due) return
  await context.ledger.write(tx => {
    expire(tx, context, nowMs)
    dropOldLogins(tx, nowMs)
  })
}
