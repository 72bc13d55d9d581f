import type { ErrorCode } from '../../error.ts'
import type { MessageEvent } from '../../event.ts'
import { given } from '../../given.ts'
import { type AuditEntry, audit } from '../../ledger/audit/audit.ts'
import type { Stored } from '../../ledger/record/events.ts'
import type { Tx } from '../../ledger/tx.ts'
import type { Answer, Caller, Command } from '../command.ts'
import type { Assigned } from '../parse/args.ts'

/** What became of a command, before it is committed. */
export interface Outcome {
  readonly answer: Answer
  readonly reply: 'public' | 'private'
  readonly decision: AuditEntry['decision']
  readonly command: string
  /** As typed, secrets masked. */
  readonly args: string
  /** For the audit; the first line that was said when it is absent. */
  readonly result?: string
  /** The message held a secret: its words are overwritten with this. */
  readonly wipe?: string
  /** It changed nothing, and anybody may ask for it. */
  readonly reads?: true
  /** A confirmation that this uses up. */
  readonly code?: string
}

export const outcomeOf = (
  line: string,
  { fault, ...rest }: Omit<Outcome, 'answer' | 'reply'> & { reply?: 'public' | 'private'; fault?: ErrorCode },
): Outcome => ({
  reply: 'public',
  ...rest,
  answer: { lines: line === '' ? [] : [line], ...given({ fault }) },
})

/** Nothing is lost when a power cut takes an answer that changed nothing: it is looked up again. */
export const onlyLooked = ({ answer, code, decision, wipe }: Outcome): boolean =>
  decision === 'allowed' &&
  !answer.effect &&
  !answer.orders &&
  !answer.secret &&
  !answer.committed &&
  code === undefined &&
  wipe === undefined

/** What a command that held a secret is overwritten with. */
export const wiping = ({ name }: { name: string }, { secret, masked }: Pick<Assigned, 'secret' | 'masked'>) =>
  secret ? { wipe: `${name} ${masked}` } : {}

/** What a command that ran answers. It only reads when that is nothing but words, and anybody may have them. */
export function allowed(
  { role, mutates, reply }: Pick<Command<never>, 'role' | 'mutates' | 'reply'>,
  answer: Answer,
  base: Pick<Outcome, 'command' | 'args' | 'wipe' | 'code'>,
): Outcome {
  const outcome = { ...base, decision: 'allowed' as const, answer, reply: answer.reply ?? reply }
  const words = !answer.orders?.length && answer.secret === undefined && onlyLooked(outcome)
  return role === 'guest' && !mutates && words ? { ...outcome, reads: true } : outcome
}

interface Done {
  readonly bot: string
  readonly stored: Stored<MessageEvent>
  readonly caller: Caller
  readonly outcome: Outcome
  /** The first line that was said. */
  readonly said: string
  readonly ms: number
}

/** Leaves the line of the audit that says what became of a command. */
export function auditOutcome(db: Tx, { bot, stored, caller, outcome, said, ms }: Done, nowMs: number): void {
  const { event, seq } = stored
  audit(db, {
    atMs: nowMs,
    bot,
    event: seq,
    network: event.place.network,
    channel: event.place.channel,
    account: event.sender.id,
    name: event.sender.name,
    role: caller.role,
    command: outcome.command,
    args: outcome.args,
    decision: outcome.decision,
    result: (outcome.result ?? said).slice(0, 300),
    ms,
    ...(outcome.reads ? { reads: true as const } : {}),
  })
}
