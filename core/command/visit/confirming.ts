import type { MessageEvent } from '../../event.ts'
import type { Asker } from '../../ledger/out/confirmations.ts'
import { bySeq, type Stored } from '../../ledger/record/events.ts'
import type { Tx } from '../../ledger/tx.ts'
import type { Answer, Command, CommandContext, CommandSettings, Preview } from '../command.ts'
import type { Assigned } from '../parse/args.ts'
import { keepPending, pendingOf } from '../state/confirm.ts'
import type { Visit } from './visit.ts'

/** A command that waits for its yes: its arguments as they were read, and what its asker was shown. */
interface Kept {
  readonly name: string
  readonly assigned: Assigned
  readonly preview: Preview
}

/** What is confirmed: by which code, and what was shown. */
export interface Confirmed {
  readonly code: string
  readonly preview: Preview
}

/** What a command wants confirmed now; null: it may run. */
export async function previewOf<S>(
  command: Command<S>,
  args: Record<string, unknown>,
  context: CommandContext<S>,
): Promise<Preview | null> {
  if (!command.confirm) return null
  if (command.confirm === true) return { text: `${command.name}: sure?` }
  const preview = await command.confirm(args, context)
  return typeof preview === 'string' ? { text: preview } : preview
}

/** Whether a yes to `shown` is one to `now`: by the names it is about where it has some. */
export const isSame = (shown: Preview, now: Preview): boolean =>
  shown.of && now.of ? JSON.stringify(shown.of) === JSON.stringify(now.of) : shown.text === now.text

/** Asks to confirm: nothing is done yet. */
export function asking<S>(
  bot: string,
  { stored, caller, published, assigned }: Visit<S>,
  preview: Preview,
  { prefix, confirmSeconds }: CommandSettings,
  nowMs: number,
): Answer {
  const kept: Kept = { name: published.name, assigned, preview }
  const { place, account } = caller
  const effect = (db: Tx): string[] => {
    const pending = { bot, place, account, seq: stored.seq, line: JSON.stringify(kept) }
    const code = keepPending(db, pending, nowMs + confirmSeconds * 1000, nowMs)
    return [`${preview.text} · ${prefix}yes ${code} within ${confirmSeconds} s, or ${prefix}no`]
  }
  return { effect }
}

/** The command a code stands for, and the message that asked for it; a string says why there is none. */
export function waiting(
  db: Tx,
  code: string,
  asker: Asker,
  nowMs: number,
): (Kept & { readonly first: Stored<MessageEvent> }) | string {
  const pending = pendingOf(db, code, asker, nowMs)
  if (typeof pending === 'string') return pending
  const first = bySeq(db, pending.seq) as Stored<MessageEvent> | null
  if (!first) return 'the message that asked for it is gone: say the command again'
  return { ...(JSON.parse(pending.line) as Kept), first }
}
