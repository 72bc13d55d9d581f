/** What operators hear of logins: guesses that were locked, and accounts that their network has no more. Once for each. */

import type { Context } from '../../config/context.ts'
import type { LoginLock } from '../../core/adapter.ts'
import { text } from '../../core/event.ts'
import { getMeta, setMeta } from '../../core/ledger/meta.ts'
import { networkStatuses, type StoredStatus } from '../../core/ledger/settings/networks.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import { tellOps } from '../../core/ops.ts'
import { alertRoomOf } from '../../core/rooms.ts'
import { say } from '../../core/say.ts'
import { count, duration, truncate, visible } from '../../core/text/text.ts'

const metaKey = 'logins.told'
/** More at once are counted, not listed. */
const mostLines = 3
const minuteMs = 60_000

/** What was said already: for a lock until when it holds, for a lost account when it was said, Unix ms. */
type Told = Readonly<Record<string, number>>

interface News {
  readonly lines: readonly string[]
  readonly told: Told
}

const lockKey = (network: string, { account, address }: LoginLock): string => `lock ${network} ${account} ${address}`
const goneKey = (network: string, account: string): string => `gone ${network} ${account}`

/** What is new, and what was said after it. Pure. */
export function loginNews(statuses: readonly StoredStatus[], before: Told, prefix: string, nowMs: number): News {
  const told: Record<string, number> = {}
  const locked: string[] = []
  const gone: string[] = []
  for (const { network, locks = [], gone: names = [] } of statuses) {
    for (const lock of locks.filter(({ untilMs }) => untilMs > nowMs)) {
      const key = lockKey(network, lock)
      if ((before[key] ?? 0) <= nowMs) locked.push(lockLine(lock, prefix, nowMs))
      told[key] = lock.untilMs
    }
    for (const name of names) {
      const key = goneKey(network, name)
      if (before[key] === undefined) gone.push(goneLine(network, name, prefix))
      told[key] = before[key] ?? nowMs
    }
  }
  return { lines: [...few(locked, 'logins were locked'), ...few(gone, 'accounts are gone')], told }
}

/** All of few, some and the number of many. */
const few = (lines: readonly string[], what: string): string[] =>
  lines.length <= mostLines
    ? [...lines]
    : [...lines.slice(0, mostLines), `${count(lines.length - mostLines)} more ${what}`]

function lockLine({ account, address, wrong, untilMs }: LoginLock, prefix: string, nowMs: number): string {
  const [name, from, times] = [shown(account), shown(address), `${count(wrong)} wrong passwords`]
  const time = duration(Math.ceil((untilMs - nowMs) / minuteMs) * minuteMs)
  if (account === '')
    return `${times} from ${from}: logins from there are slowed down for ${time} · ${prefix}unlock ${from}`
  if (address === '')
    return `${times} for ${name} from several addresses: its logins are slowed down for ${time} · ${prefix}unlock ${name}`
  return `${times} for ${name} from ${from}: logins to it from there are refused for ${time} · ${prefix}unlock ${name}`
}

const goneLine = (network: string, name: string, prefix: string): string =>
  `the account ${shown(name)} is gone from ${network}, deleted by nobody here: ${prefix}rotate or ${prefix}person passwd makes it anew`

/** Whoever guesses writes whatever they want for a name. */
const shown = (name: string): string => visible(truncate(name, 40))

/** Says what is new, and remembers that in the same transaction. */
export async function tellOfLogins(context: Context, nowMs = Date.now()): Promise<void> {
  const { ledger } = context
  const look = (tx: Tx): { before: Told; news: News } => {
    const before = JSON.parse(getMeta(tx, metaKey) ?? '{}') as Told
    return { before, news: loginNews(networkStatuses(tx), before, context.settings.current.commands.prefix, nowMs) }
  }
  const { before, news } = await ledger.read(look)
  if (JSON.stringify(before) === JSON.stringify(news.told)) return
  await ledger.write(db => {
    const again = look(db)
    setMeta(db, metaKey, JSON.stringify(again.news.told))
    for (const [index, line] of again.news.lines.entries()) alert(db, context, line, `logins.${nowMs}.${index}`)
  })
}

/** In the alert room; where there is none, to the operators as anything else. */
function alert(db: Tx, context: Context, line: string, key: string): void {
  const room = alertRoomOf(context.rooms, context.settings.current)
  if (room) say(db, { bot: context.name, content: text(line), in: room, key }, Date.now())
  else tellOps(db, context, line, key)
}
