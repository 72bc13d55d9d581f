import { includes, type Role } from './access/role.ts'
import { spenderOf } from './access/spender.ts'
import type { Caller } from './command/command.ts'
import { ChanopError } from './error.ts'
import type { MessageEvent, MessageId, Place } from './event.ts'
import { type AskedBy, openCompletions, stopCompletion } from './ledger/oracle/completions.ts'
import { type Asker, type StopScope, stopTurns, type Turn, turnOfFact, turnsIn } from './ledger/oracle/turns.ts'
import { currentOf, messageOf } from './ledger/record/events.ts'
import type { Tx } from './ledger/tx.ts'
import { duration, escapeInline, plain, truncate } from './text/text.ts'

/** Who says stop, and where. */
export interface Stopper {
  readonly by: Asker & { readonly agent: string | null }
  /** On whose budget their programs ask models. */
  readonly spender: string
  readonly room: string
  readonly role: Role
  readonly globalRole: Role
}

export function stopperOf(caller: Caller): Stopper {
  const { network, account, person, agent, name, verified, room, role, globalRole } = caller
  return {
    by: { network, user: account, person: person?.id ?? null, agent: agent?.name ?? null, name },
    spender: spenderOf(network, { id: account, verified }, { person, agent }),
    room,
    role,
    globalRole,
  }
}

/** The turn of a message: the one that it asked for, or answers. */
export function turnOfMessage(tx: Tx, place: Place, id: MessageId | undefined): Turn | null {
  const message = id === undefined ? null : messageOf(tx, place, id)
  return message && turnOfFact(tx, message.seq)
}

/**
 * The answers of the oracle that a bare `stop` means: the one that is replied to, else the asker's own in this room.
 * Null: none, because something else is replied to.
 */
export function stopScope(tx: Tx, { place, content }: MessageEvent, { by, room }: Stopper): StopScope | null {
  const turn = turnOfMessage(tx, place, content.replyTo)
  if (turn) return { fact: turn.asked }
  return content.replyTo && messageOf(tx, place, content.replyTo) ? null : { of: by, room }
}

const most = 4

/** Stops what is meant, inside the caller's transaction; says what it was. Throws `denied`. */
export function stopAnswers(tx: Tx, scope: StopScope, stopper: Stopper, nowMs: number): string[] {
  refuse(tx, scope, stopper)
  const stopped = stopTurns(tx, scope, stopper.by.name, nowMs)
  const requests = stopRequests(tx, requestsIn(scope, stopper), nowMs)
  if (stopped.length === 0) return requests.length > 0 ? requests : [nothing(tx, scope)]
  const lines = stopped.slice(0, most).map(turn => stoppedLine(tx, turn, stopper, nowMs))
  return [...lines, ...(stopped.length > most ? [`and ${stopped.length - most} more`] : []), ...requests]
}

/** What programs ask of models for those who are meant; null: a stop of one answer means none of it. */
function requestsIn(scope: StopScope, { spender }: Stopper): AskedBy | null {
  if (scope === 'all') return scope
  return 'fact' in scope ? null : { spenders: [spender] }
}

/** Whether anything runs that a stop would end. */
export const runs = (tx: Tx, scope: StopScope, stopper: Stopper): boolean => {
  const by = requestsIn(scope, stopper)
  return turnsIn(tx, scope).length > 0 || (by !== null && openCompletions(tx, by).length > 0)
}

/** Ends what programs ask of models, and says how much that was. */
export function stopRequests(tx: Tx, by: AskedBy | null, nowMs: number): string[] {
  const open =
    by === null ? [] : openCompletions(tx, by).filter(({ state }) => state === 'queued' || state === 'running')
  for (const { key } of open) stopCompletion(tx, key, nowMs)
  if (open.length === 0) return []
  return [`stopping ${open.length === 1 ? 'a request' : `${open.length} requests`} to models`]
}

function nothing(tx: Tx, scope: StopScope): string {
  if (turnsIn(tx, scope).some(({ state }) => state === 'stopping')) return 'it is being stopped already'
  if (scope === 'all') return 'the oracle answers nobody at the moment'
  return 'fact' in scope ? 'that answer has ended already' : 'nothing of yours runs here'
}

function refuse(tx: Tx, scope: StopScope, { by, role, globalRole }: Stopper): void {
  if (scope === 'all' && !includes(globalRole, 'operator'))
    throw new ChanopError('denied', `stop all needs operator; you are ${globalRole}`)
  if (scope === 'all' || !('fact' in scope) || includes(role, 'member')) return
  const others = turnsIn(tx, scope).some(turn => !isBy(turn, by))
  if (others) throw new ChanopError('denied', `to stop somebody else's answer needs member; you are ${role}`)
}

const isBy = (turn: Turn, { network, user, person }: Asker): boolean =>
  (turn.by.network === network && turn.by.user === user) || (person !== null && turn.by.person === person)

function stoppedLine(tx: Tx, turn: Turn, { by }: Stopper, nowMs: number): string {
  const asked = currentOf(tx, turn.asked)?.content
  const words = asked ? ` “${escapeInline(truncate(plain(asked).replace(/\s+/g, ' ').trim(), 40))}”` : ''
  const whose = isBy(turn, by) ? '' : ` to ${escapeInline(turn.by.name)}`
  if (turn.state === 'queued') return `stopped before it began: the answer${whose}${words}`
  return `stopping the answer${whose}${words} (${duration(nowMs - (turn.startedMs ?? nowMs))})`
}
