/**
 * A process that writes to a ledger, for tests: `testing-writer.ts <file> <first number> <how many> [batch]`.
 * Says `open`, then `ok <number>` once a message is committed (an `err <code>` when it was refused, and tries it again),
 * and `done` at the end.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { asChanopError } from '../error.ts'
import { Ledger } from './ledger.ts'
import { append } from './record/events.ts'
import { messageNumber } from './testing.ts'

const [file = '', first = '0', many = '1', size = '10'] = process.argv.slice(2)
const end = Number(first) + Number(many)
const say = (line: string): boolean => process.stdout.write(`${line}\n`)

const ledger = Ledger.open(file)
say('open')
for (let from = Number(first); from < end; from += Number(size)) {
  const batch = Array.from({ length: Math.min(Number(size), end - from) }, (_, i) => from + i)
  for (let missing = batch; missing.length > 0; ) {
    const results = await Promise.allSettled(
      missing.map(async n => {
        await ledger.write(db => append(db, messageNumber(n), 'general', n))
        say(`ok ${n}`)
      }),
    )
    const refused = results.find(result => result.status === 'rejected')
    if (refused) {
      say(`err ${asChanopError(refused.reason).code}`)
      await wait(50)
    }
    missing = missing.filter((_, i) => results[i]?.status === 'rejected')
  }
}
ledger.close()
say('done')
