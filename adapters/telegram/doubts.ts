import { asChanopError } from '../../core/error.ts'
import { Recent } from '../../core/recent.ts'
import type { Native } from './chats.ts'
import { ApiError, isUnknownToken } from './fault.ts'

/** A request without an answer: which messages it may have made. */
interface Doubt {
  readonly chatId: number
  /** The newest message that was known in the chat before it. */
  readonly after: number
  /** How many messages it makes. */
  readonly messages: number
  /** The number that was looked at last, how many were asked about, and which of them are ours. */
  looked: number
  probes: number
  readonly found: number[]
}

/** Whether a message is there: ours, somebody else's, or none. */
export type Probe = (native: Native) => Promise<'ours' | 'foreign' | 'none'>

const mostKnown = 20_000
const mostDoubts = 1000
/** How many numbers behind the newest known message are looked at, and how many in all. */
const reach = 12
const mostProbes = 24

/** Supergroups and channels count for themselves; all other chats of a bot share one count. */
const counterOf = (chatId: number): number => (chatId < -1_000_000_000_000 ? chatId : 0)

/**
 * Telegram has no key for what is sent and shows a bot no history. But it numbers messages, lets a bot change its own
 * alone, and says when there is nothing to change: so that a message of ours whose number nobody told us is found.
 */
export class Doubts {
  readonly #newest = new Recent<number, number>(mostKnown)
  readonly #known = new Recent<string, true>(mostKnown)
  readonly #doubts = new Recent<string, Doubt>(mostDoubts)

  /** A message is known to be there, ours or another's. `isNew`: behind all that we ever said, in a former run too. */
  know({ chatId, messageId }: Native, isNew = true): void {
    this.#known.set(`${chatId}/${messageId}`, true)
    if (!isNew) return
    const counter = counterOf(chatId)
    this.#newest.set(counter, Math.max(this.#newest.get(counter) ?? 0, messageId))
  }

  isKnown({ chatId, messageId }: Native): boolean {
    return this.#known.has(`${chatId}/${messageId}`)
  }

  newest(chatId: number): number | undefined {
    return this.#newest.get(counterOf(chatId))
  }

  doubt(deliveryId: string, chatId: number, after: number | undefined, messages: number): void {
    if (after === undefined) return
    this.#doubts.set(deliveryId, { chatId, after, messages, looked: after, probes: 0, found: [] })
  }

  /** The messages of a request in doubt; null when that can't be told. Goes on where it was when `probe` rejected. */
  async resolve(deliveryId: string, probe: Probe): Promise<readonly number[] | null> {
    const doubt = this.#doubts.get(deliveryId)
    if (!doubt) return null
    const { chatId, after, messages, found } = doubt
    // Which of two is which, nobody can tell.
    const alone = [...this.#doubts.values()].filter(other => counterOf(other.chatId) === counterOf(chatId)).length === 1
    const last = alone ? Math.max(after, this.newest(chatId) ?? 0) + reach : after
    while (doubt.looked < last && doubt.probes < mostProbes && found.length < messages) {
      const native = { chatId, messageId: doubt.looked + 1 }
      if (!this.isKnown(native)) {
        if ((await probe(native)) === 'ours') found.push(native.messageId)
        doubt.probes++
      }
      doubt.looked++
    }
    this.#doubts.delete(deliveryId)
    return found.length === messages ? found : null
  }
}

/** What an edit that changes nothing says of a message. Where we may change nothing any more nobody can tell: throws what may be over soon. */
export function probed(thrown: unknown): 'ours' | 'foreign' | 'none' {
  if (asChanopError(thrown).code !== 'send-refused' || isUnknownToken(thrown)) throw thrown
  const reason = thrown instanceof ApiError ? thrown.reason : ''
  if (/not modified/i.test(reason)) return 'ours'
  return /not found/i.test(reason) ? 'none' : 'foreign'
}
