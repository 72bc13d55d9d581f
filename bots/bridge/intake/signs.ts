import { asChanopError } from '../../../core/error.ts'
import type { LifeSign, RosterSign, Sign } from '../../../core/event.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { enterPlace, isMember, leavePlace, membersAt } from '../../../core/ledger/people/members.ts'
import { noteLife } from '../../../core/ledger/people/presence.ts'
import { placeId } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import type { Log } from '../../../core/log.ts'

export interface SignsOptions {
  readonly ledger: Ledger
  readonly log: Log
  readonly signal: AbortSignal
  /** Places and users noted as members, `<place>\n<user>`: kept in step. */
  readonly members: Set<string>
}

const writeMs = 2000

interface Changed {
  readonly present: readonly string[]
  readonly gone: readonly string[]
}

/** Makes the list of members what a roster says. Our own personas are in no list. */
function follow(tx: Tx, sign: RosterSign): Changed {
  const place = placeId(tx, sign.place)
  const here = sign.present.filter(({ kind }) => kind !== 'self')
  const ids = new Set<string>(here.map(({ id }) => id))
  const gone = sign.whole
    ? membersAt(tx, place)
        .map(({ user }) => user as string)
        .filter(user => !ids.has(user))
    : sign.gone
  const left = gone.filter(user => leavePlace(tx, place, user))
  // A change concerns only whom the list has: who left meanwhile does not come back by it.
  for (const sender of here)
    if (sign.whole || left.length > 0 || isMember(tx, place, sender.id)) enterPlace(tx, place, sender, sign.atMs)
  return { present: here.map(({ id }) => `${place}\n${id}`), gone: gone.map(user => `${place}\n${user}`) }
}

/** Only when they were seen; what that means is for those who read it. */
const note = (tx: Tx, { place, sender, what, atMs }: LifeSign): void =>
  noteLife(tx, {
    network: place.network,
    user: sender.id,
    name: sender.name,
    channel: place.private ? '' : place.channel,
    what,
    atMs,
  })

/**
 * Takes in what adapters notice besides facts. Rosters become the list of members at once; signs of life are gathered,
 * one for each account, and written every two seconds without waiting for the disk: after a power cut they come again.
 */
export class Signs {
  readonly #o: SignsOptions
  readonly #lives = new Map<string, LifeSign>()
  #timer: NodeJS.Timeout | null = null

  constructor(options: SignsOptions) {
    this.#o = options
    options.signal.addEventListener('abort', () => this.#write(), { once: true })
  }

  async take(signs: readonly Sign[]): Promise<void> {
    for (const sign of signs) {
      if (sign.kind === 'roster') await this.#roster(sign)
      else if (sign.sender.kind !== 'self') this.#lives.set(`${sign.place.network}\n${sign.sender.id}`, sign)
    }
    if (this.#lives.size > 0 && !this.#timer && !this.#o.signal.aborted)
      this.#timer = setTimeout(() => this.#write(), writeMs)
  }

  async #roster(sign: RosterSign): Promise<void> {
    try {
      const { present, gone } = await this.#o.ledger.write(db => follow(db, sign))
      for (const member of gone) this.#o.members.delete(member)
      if (sign.whole) for (const member of present) this.#o.members.add(member)
    } catch (error) {
      this.#o.log.warn(
        { error, place: sign.place },
        `the list of members is not in step: ${asChanopError(error).message}`,
      )
    }
  }

  #write(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    const lives = [...this.#lives.values()]
    this.#lives.clear()
    if (lives.length === 0) return
    try {
      this.#o.ledger.mark(db => {
        for (const life of lives) note(db, life)
      })
    } catch (error) {
      this.#o.log.warn({ error }, `signs of life were not noted: ${asChanopError(error).message}`)
    }
  }
}
