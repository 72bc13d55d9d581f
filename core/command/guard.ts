import type { MessageEvent } from '../event.ts'
import type { Tx } from '../ledger/tx.ts'
import type { Reader } from './reading.ts'
import { unknown } from './unknown.ts'

/** Whether a message is a command with a secret in it, or meant to be one: such words are not carried any further. */
export function holdsSecret(db: Tx, event: MessageEvent, reader: Reader): boolean {
  const heard = reader.hear(event)
  if (!heard) return false
  const { found, assigned } = reader.read(db, heard)
  return found.is === 'command' ? assigned?.secret === true : unknown(reader.catalogue, found, '').guarded
}
