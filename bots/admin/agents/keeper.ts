import type { configSchema } from '../../../config/schema.ts'
import { type Agent, agents, settleAgent } from '../../../core/agent.ts'
import type { BotContext } from '../../../core/bot.ts'
import { scrubMark } from '../../../core/command/answer.ts'
import { follow } from '../../../core/consumer.ts'
import { asChanopError } from '../../../core/error.ts'
import { cursorOf } from '../../../core/ledger/consumers.ts'
import { states } from '../../../core/ledger/deliveries.ts'
import { getMeta } from '../../../core/ledger/ledger.ts'
import { place as placeOrder } from '../../../core/ledger/orders.ts'
import { type Db, sql } from '../../../core/ledger/sqlite.ts'
import { tellOps } from '../ops.ts'
import { endBatches } from './batch.ts'
import { forgetOldClaims } from './claims.ts'
import { revokeRecord, suspension } from './revoke.ts'
import { consumer, Watch } from './watch.ts'

const lookMs = 1000

type Context = BotContext<typeof configSchema>

/** Ends engagements whose time is over. */
export function expire(db: Db, context: Context, nowMs: number): void {
  const over = ({ state, expiresMs }: Agent): boolean =>
    (state === 'active' || state === 'rotating') && expiresMs !== null && expiresMs <= nowMs
  for (const agent of agents(db).filter(over)) {
    const key = `expired.${agent.expiresMs}`
    revokeRecord(db, agent, 'its engagement is over', nowMs)
    placeOrder(db, suspension(agent, 'your engagement is over', key), nowMs)
    const line = `the engagement of ${agent.name} is over: it is suspended; restore ${agent.name} for=30d takes it back`
    tellOps(db, context, line, `agent.${agent.name}.${key}`)
  }
}

/**
 * Brings records and orders together, whatever was left: a record that waits for an order that is not open any more is ended
 * as that order ended. Orders that are open go on by themselves. Returns what was repaired.
 */
export function repair(db: Db, nowMs: number): readonly string[] {
  const rows = sql(
    db,
    `SELECT a.name, a.network, a.state, o.state AS ended, o.args ->> 'agent' AS step, o.error FROM agent a
     LEFT JOIN orders o ON o.id = (SELECT max(n.id) FROM orders n WHERE n.network = a.network
       AND n.args ->> 'account' = a.name AND n.args ->> 'agent' IN ('register', 'rotate', 'drop'))
     WHERE a.state IN ('registering', 'rotating', 'deleted') AND (o.state IS NULL OR o.state >= 10)`,
  ).all()
  const steps = { registering: 'register', rotating: 'rotate', deleted: 'drop' }
  for (const row of rows) {
    const step = steps[row['state'] as keyof typeof steps]
    const order = { network: row['network'] as string, account: row['name'] as string, step }
    const done = row['step'] === step && row['ended'] === states.sent
    settleAgent(db, order, { done, why: String(row['error'] ?? 'its order is gone') }, nowMs)
  }
  return rows.map(row => `${row['name'] as string} was ${row['state'] as string}`)
}

/** What goes on with agents while nobody types: engagements are held to and end, batches are told. */
export async function keepAgents(context: Context): Promise<void> {
  const { ledger, bus, log, signal } = context
  const found = await ledger.write(db => repair(db, Date.now()))
  for (const line of found) log.warn({ agent: line }, 'a record was repaired')
  let busy = false
  const look = (): void => {
    if (busy || signal.aborted) return
    busy = true
    endBatches(context)
      .catch((error: unknown) => log.error({ error }, asChanopError(error).message))
      .finally(() => (busy = false))
  }
  const tick = (): void => {
    look()
    scrub(context)
      .then(() => sweep(context))
      .catch((error: unknown) => log.error({ error }, asChanopError(error).message))
  }
  const timer = setInterval(tick, lookMs)
  const off = [bus.onRing(look), ledger.onCommit(look)]
  const watch = new Watch(context)
  const from = await ledger.write(db => cursorOf(db, consumer, newestSeq(db)))
  await follow({ ledger, bus, log, from, take: batch => watch.take(batch) }, signal)
  clearInterval(timer)
  for (const stop of off) stop()
}

/** Takes what was wiped out of the ledger's files. The mark stays until that is done, whoever dies meanwhile. */
async function scrub({ ledger }: Context): Promise<void> {
  const mark = await ledger.read(db => getMeta(db, scrubMark))
  if (mark === null || !ledger.scrub()) return
  await ledger.write(db => sql(db, 'DELETE FROM meta WHERE key = ? AND value = ?').run(scrubMark, mark))
}

/** Writes only when there is something to write: an idle system does nothing. */
async function sweep(context: Context): Promise<void> {
  const due = await context.ledger.read(db =>
    sql(
      db,
      `SELECT 1 FROM agent WHERE state IN ('active', 'rotating') AND expires_ms <= @now
       UNION ALL SELECT 1 FROM claim WHERE kind = 'agent' AND until_ms <= @now LIMIT 1`,
    ).get({ now: Date.now() }),
  )
  if (!due) return
  await context.ledger.write(db => {
    expire(db, context, Date.now())
    forgetOldClaims(db, Date.now())
  })
}

const newestSeq = (db: Db): number => Number(sql(db, 'SELECT coalesce(max(seq), 0) AS seq FROM event').get()?.['seq'])
