import { randomBytes } from 'node:crypto'
import { includes } from '../access/role.ts'
import { asChanopError, type ChanopError } from '../error.ts'
import { escapeInline } from '../text/text.ts'
import type { Caller } from './command.ts'
import { withPrefix } from './help/hint.ts'
import { Stopped } from './visit/timely.ts'
import type { RouterOptions } from './visit/visit.ts'

/**
 * An error's message as a line of an answer. The message is plain text, whatever a platform or person put into it, and names
 * commands with `!`: here alone it is escaped, and gets the prefix that holds.
 */
export const messageLine = ({ message }: Pick<ChanopError, 'message'>, prefix: string): string =>
  escapeInline(withPrefix(message, prefix))

/**
 * The one line about a command that failed. What was the asker's own mistake is said as it is; what went wrong inside has an
 * id under which the log has the rest. Throws on what is no failure of the command: the process stops, the ledger is away.
 */
export function failureLine(
  { bot, log, signal, settings }: Pick<RouterOptions<never>, 'bot' | 'log' | 'signal' | 'settings'>,
  name: string,
  caller: Caller,
  thrown: unknown,
): string {
  if (thrown instanceof Stopped || signal?.aborted) throw thrown
  const error = asChanopError(thrown)
  if (error.code.startsWith('ledger-')) throw error
  const theirs = error.audience === 'user' || includes(caller.globalRole, 'operator')
  if (error.code !== 'internal' && theirs) return messageLine(error, settings().prefix)
  const incident = `i${randomBytes(3).toString('hex')}`
  log.error({ error: thrown, incident, command: name }, 'a command failed')
  return `${name} failed (${incident}): nothing was changed, the log of ${bot} says why under that id`
}
