import type { AuditEntry } from '../audit.ts'
import type { Assigned } from './args.ts'
import type { Answer } from './command.ts'

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
  /** A confirmation that this uses up. */
  readonly code?: string
}

/** An outcome that is one line. */
export const outcomeOf = (
  line: string,
  rest: Omit<Outcome, 'answer' | 'reply'> & { reply?: 'public' | 'private' },
): Outcome => ({ reply: 'public', ...rest, answer: { lines: line === '' ? [] : [line] } })

/** What a command that held a secret is overwritten with. */
export const wiping = ({ name }: { name: string }, { secret, masked }: Pick<Assigned, 'secret' | 'masked'>) =>
  secret ? { wipe: `${name} ${masked}` } : {}
