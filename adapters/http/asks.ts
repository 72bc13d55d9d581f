import { createHash, randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Sink } from '../../core/adapter.ts'
import type { MessageEvent, Place } from '../../core/event.ts'
import { endingOf, factOf, isAnswerOpen } from '../../core/ledger/out/asked.ts'
import { type Letter, lettersTo } from '../../core/ledger/out/inbox.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import type { Interior } from '../../core/process/interior.ts'
import { plain } from '../../core/text/text.ts'
import type { Holder } from './door/access.ts'
import { factKey } from './place.ts'
import { Problem } from './problem.ts'
import type { Waiting } from './waiting.ts'

/** What became of a command so far. */
export interface Became {
  readonly done: boolean
  readonly decision: 'allowed' | 'denied' | 'ignored' | 'failed' | null
  readonly result: string
  readonly letters: readonly Letter[]
}

/** The id of a request: of its Idempotency-Key where it has one, so that the same request again is the same message. */
export const requestId = (idempotencyKey: string | undefined): string =>
  idempotencyKey === undefined
    ? randomBytes(16).toString('base64url')
    : `i${createHash('sha256').update(idempotencyKey).digest('base64url').slice(0, 32)}`

const isWiped = ({ content }: MessageEvent): boolean => /(?:^|\s|=)\*\*\*(?:\s|$)/.test(plain(content))

/** Whether a fact is the one that this event would be. Of one that held a secret, and was wiped, the command's name is left. */
function isSame(known: MessageEvent, event: MessageEvent): boolean {
  if (known.place.channel !== event.place.channel) return false
  if (known.masked) return true
  if (!event.asked)
    return known.asked === undefined && (isWiped(known) || isDeepStrictEqual(known.content, event.content))
  if (!known.asked) return plain(known.content).startsWith(event.asked.name)
  const isMasked = Object.values(known.asked.args).includes('***')
  return known.asked.name === event.asked.name && (isMasked || isDeepStrictEqual(known.asked.args, event.asked.args))
}

/**
 * What programs ask: each request is one message, taken in once however often it is sent, and its answers are what was
 * delivered to it. All that is known of it stands in the ledger: a request that is sent again after any crash finds it.
 */
export class Asks {
  readonly #interior: Interior
  readonly #waiting: Waiting

  constructor(interior: Interior, waiting: Waiting) {
    this.#interior = interior
    this.#waiting = waiting
  }

  /** Takes an event in unless it was before. Throws a problem when another was sent under its id. */
  async take(sink: Sink, event: MessageEvent): Promise<number> {
    const { ledger } = this.#interior
    const before = ledger.readNow(tx => factOf(tx, event.key))
    // What is there already may not be on the disk yet: the same request is being taken in.
    if (before) await ledger.kept()
    else await sink([event])
    const fact = before ?? ledger.readNow(tx => factOf(tx, event.key))
    if (!fact) throw new Problem(503, 'ledger-busy', 'this could not be taken down: try again')
    // Also what came in at the same moment.
    if (!isSame(fact.event as MessageEvent, event))
      throw new Problem(422, 'idempotency-key-reused', 'another request was sent with this Idempotency-Key')
    return fact.seq
  }

  /** What became of a request; null: this account sent none of that id. */
  look({ key, account }: Holder, id: string): Became | null {
    return this.#interior.ledger.readNow(tx => this.#became(tx, factKey(key.network, account, id), id))
  }

  /** Resolves when a request has its whole answer, or with what there is when its time is over. Rejects once the key counts no more. */
  async wait(holder: Holder, id: string, signal: AbortSignal): Promise<Became> {
    const key = factKey(holder.key.network, holder.account, id)
    // What it says is read once, not each time that the ledger has grown.
    const isDone = (tx: Tx): true | null => this.#standing(tx, key)?.done || null
    await this.#waiting.until(() => this.#interior.ledger.readNow(isDone), signal)
    if (signal.reason instanceof Problem) throw signal.reason
    return this.look(holder, id) ?? { done: false, decision: null, result: '', letters: [] }
  }

  #became(tx: Tx, factKeyOf: string, id: string): Became | null {
    const standing = this.#standing(tx, factKeyOf)
    if (!standing) return null
    const { place, ...ending } = standing
    return { ...ending, letters: lettersTo(tx, place, id) }
  }

  #standing(tx: Tx, factKeyOf: string): (Omit<Became, 'letters'> & { readonly place: Place }) | null {
    const fact = factOf(tx, factKeyOf)
    if (!fact) return null
    const { place } = fact.event
    const ending = endingOf(tx, fact.seq)
    const open = ending !== null && isAnswerOpen(tx, place, fact.seq)
    return {
      place,
      done: ending !== null && !open,
      decision: ending?.decision ?? null,
      result: ending?.result ?? '',
    }
  }
}
