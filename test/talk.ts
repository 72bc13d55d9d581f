/** Talking to the bots of a house, one answer at a time. */
import type { MemoryPlatform } from '../adapters/memory/platform.ts'
import { sql } from '../core/ledger/sqlite.ts'
import type { Tx } from '../core/ledger/tx.ts'
import { deadline, sleep } from '../core/retry.ts'
import type { House } from './house.ts'

export interface AuditLine {
  readonly account: string
  readonly command: string
  readonly args: string
  readonly decision: string
  readonly result: string
}

export const auditLines = (house: House): Promise<AuditLine[]> =>
  house.ledger.read(
    (db: Tx) => sql(db, 'SELECT account, command, args, decision, result FROM audit ORDER BY id').all() as never,
  )

/** The line of audit that a command brought, once it is there. */
export async function audited(house: House, fits: (line: AuditLine) => boolean, what: string): Promise<AuditLine> {
  const end = deadline(10_000)
  for (;;) {
    const found = (await auditLines(house)).findLast(fits)
    if (found) return found
    if (end.aborted) throw new Error(`no line of audit: ${what}\n${JSON.stringify(await auditLines(house), null, 1)}`)
    await sleep(5, end)
  }
}

export interface Ask {
  readonly in?: string
  /** Where the answer is due, when not where it was asked. */
  readonly at?: string
}

/** Anything but what tells in a room that the answer is in the asker's direct conversation. */
const noTrace = /^(?!.* → in your DM$)/s

/** Somebody's way of talking: says it, and resolves with the text of the next answer of our bots in that place. */
export const asker =
  (server: MemoryPlatform, name: string) =>
  async (said: string, { in: where = '#general', at = where }: Ask = {}): Promise<string> => {
    const user = server.user(name)
    const { seq } = user.say(where, said)
    return (await user.hears(at, noTrace, seq)).text
  }

export const firstLine = (answer: string): string => answer.split('\n')[0] ?? ''
