import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../../config/context.ts'
import { asChanopError } from '../../core/error.ts'
import { audit } from '../../core/ledger/audit/audit.ts'
import { type Ended, endRoles, rolesEnd } from '../../core/ledger/people/roles.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import { tellOps } from '../../core/ops.ts'
import { sleep } from '../../core/retry.ts'
import { keepHead } from './audit-heads.ts'
import { ChannelWatch } from './channels/watch.ts'
import { tellOfLogins } from './logins.ts'
import { rotateLogs } from './logs.ts'

const everyMs = 1000
const logsEveryMs = 60_000
const mostLogBytes = 20_000_000

/** What time does by itself: roles and channels end. Resolves when the process stops. */
export async function upkeep(context: Context): Promise<void> {
  const { log, signal } = context
  const channels = new ChannelWatch(context)
  const following = channels.follow()
  let said = ''
  let logsMs = 0
  while (!signal.aborted) {
    try {
      await endTimedRoles(context)
      await channels.sweep()
      await tellOfLogins(context)
      if (Date.now() - logsMs > logsEveryMs) {
        logsMs = Date.now()
        await keepLogsSmall(context)
        await keepHead(context.ledger, context.dataDir)
        if (await context.vault.endChange(context.ledger)) log.info({}, 'the old key of the vault is gone')
      }
      said = ''
    } catch (thrown) {
      const { message } = asChanopError(thrown)
      if (!signal.aborted && message !== said) log.error({ error: thrown }, `what is due waits: ${message}`)
      said = message
    }
    await sleep(everyMs, signal)
  }
  await following
}

async function keepLogsSmall({ dataDir, log }: Context): Promise<void> {
  const folder = join(dataDir, 'logs')
  if (!existsSync(folder)) return
  for (const name of await rotateLogs(folder, mostLogBytes)) log.info({ name }, 'a process log was rotated')
}

/** Ends roles whose time is over, tells the operators, and leaves it in the audit. */
export async function endTimedRoles(context: Context, nowMs = Date.now()): Promise<void> {
  const { ledger } = context
  const due = await ledger.read(tx => rolesEnd(tx, nowMs))
  if (!due) return
  await ledger.write(db => {
    for (const ended of endRoles(db, nowMs)) tell(db, context, ended, nowMs)
  })
}

function tell(tx: Tx, context: Context, { person, room, role, untilMs, by, stays }: Ended, nowMs: number): void {
  const where = room === '' ? '' : ` in ${room}`
  const then = stays === null ? '' : `, ${stays} again`
  const line = `${person.name} is not ${role}${where} any more: the time that ${by} gave is over${then}`
  tellOps(tx, context, line, `role.ended.${person.id}.${room}.${untilMs}`)
  audit(tx, {
    atMs: nowMs,
    bot: context.name,
    event: null,
    network: '',
    channel: '',
    account: context.name,
    name: context.name,
    role: 'owner',
    command: 'role revoke',
    args: `${person.name}${room === '' ? '' : ` in=${room}`}`,
    decision: 'allowed',
    result: line,
    ms: 0,
  })
}
