import type { Context } from '../../config/context.ts'
import { asChanopError } from '../../core/error.ts'
import { dropAuditReads } from '../../core/ledger/audit/audit-retention.ts'
import { type Aging, dropSettled } from '../../core/ledger/retention.ts'
import { sleep } from '../../core/retry.ts'
import { dayMs } from '../../core/text/text.ts'

const firstMs = 60_000
const everyMs = 3_600_000
/** As many rows as take a few ms: who wants to write meanwhile waits for no more than that. */
const atOnce = 250
const betweenMs = 20

/** Deletes what has passed its age, hour by hour. Resolves when the process stops. */
export async function keepLedgerSmall(context: Context): Promise<void> {
  const { log, signal } = context
  await sleep(firstMs, signal)
  while (!signal.aborted) {
    try {
      const dropped = await dropOld(context)
      if (Object.values(dropped).some(count => count > 0)) log.info(dropped, 'what had passed its age was deleted')
    } catch (thrown) {
      if (!signal.aborted) log.error({ error: thrown }, `old rows stay for now: ${asChanopError(thrown).message}`)
    }
    await sleep(everyMs, signal)
  }
}

/** One round: in small transactions, so that nobody waits long. `nowMs` is a parameter for tests. */
export async function dropOld(
  context: Context,
  nowMs = Date.now(),
): Promise<Record<'deliveries' | 'orders' | 'auditReads', number>> {
  const { deliveriesDays, ordersDays, auditReadsDays } = context.settings.current.retention
  const before = (days: number | null): number | null => (days === null ? null : nowMs - days * dayMs)
  return {
    deliveries: await dropRows(context, 'delivery', before(deliveriesDays)),
    orders: await dropRows(context, 'orders', before(ordersDays)),
    auditReads: await dropReads(context, before(auditReadsDays), nowMs),
  }
}

async function dropRows({ ledger, signal }: Context, table: Aging, beforeMs: number | null): Promise<number> {
  let count = 0
  let afterId: number | null = beforeMs === null ? null : 0
  while (afterId !== null && beforeMs !== null && !signal.aborted) {
    const from: number = afterId
    const { dropped, next } = await ledger.write(tx =>
      dropSettled(tx, table, { afterId: from, beforeMs, limit: atOnce }),
    )
    count += dropped
    afterId = next
    if (next !== null) await sleep(betweenMs, signal)
  }
  return count
}

/** Only so many lines at once: each time one is added that vouches for them. */
const auditAtOnce = 500

async function dropReads({ ledger, name, signal }: Context, beforeMs: number | null, nowMs: number): Promise<number> {
  let count = 0
  while (beforeMs !== null && !signal.aborted) {
    const old = { beforeMs, limit: auditAtOnce, bot: name }
    const dropped = await ledger.write(tx => dropAuditReads(tx, old, nowMs))
    if (dropped === null) break
    count += dropped
    await sleep(betweenMs, signal)
  }
  return count
}
