import { asChanopError } from '../../core/error.ts'
import type { LifeSign, RosterSign, Sender, Sign } from '../../core/event.ts'
import { placeId } from '../../core/ledger/events.ts'
import type { Ledger } from '../../core/ledger/ledger.ts'
import { type Db, sql } from '../../core/ledger/sqlite.ts'
import type { Log } from '../../core/log.ts'

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

function leave(db: Db, place: number, user: string): boolean {
  return sql(db, 'DELETE FROM member WHERE place = ? AND user = ?').run(place, user).changes > 0
}

function enter(db: Db, place: number, { id, name, verified }: Sender, atMs: number): void {
  sql(
    db,
    `INSERT INTO member VALUES (?, ?, ?, ?, ?) ON CONFLICT (place, user)
     DO UPDATE SET name = excluded.name, verified = excluded.verified
     WHERE name != excluded.name OR verified != excluded.verified`,
  ).run(place, id, name, verified ? 1 : 0, atMs)
}

/** Makes the list of members what a roster says. Our own personas are in no list. */
function follow(db: Db, sign: RosterSign): Changed {
  const place = placeId(db, sign.place)
  const here = sign.present.filter(({ kind }) => kind !== 'self')
  const ids = new Set<string>(here.map(({ id }) => id))
  const gone = sign.whole
    ? sql(db, 'SELECT user FROM member WHERE place = ?')
        .all(place)
        .map(row => row['user'] as string)
        .filter(user => !ids.has(user))
    : sign.gone
  const left = gone.filter(user => leave(db, place, user))
  // A change concerns only whom the list has: who left meanwhile does not come back by it.
  for (const sender of here)
    if (sign.whole || left.length > 0 || known(db, place, sender)) enter(db, place, sender, sign.atMs)
  return { present: here.map(({ id }) => `${place}\n${id}`), gone: gone.map(user => `${place}\n${user}`) }
}

const known = (db: Db, place: number, { id }: Sender): boolean =>
  sql(db, 'SELECT 1 FROM member WHERE place = ? AND user = ?').get(place, id) !== undefined

/** Only when they were seen; what that means is for those who read it. */
function note(db: Db, { place, sender, what, atMs }: LifeSign): void {
  sql(
    db,
    `INSERT INTO presence VALUES (?, ?, 'online', ?, ?, ?, ?, ?) ON CONFLICT (network, user)
     DO UPDATE SET seen_ms = excluded.seen_ms, what = excluded.what, name = excluded.name
     WHERE excluded.seen_ms > seen_ms`,
  ).run(place.network, sender.id, atMs, atMs, place.private ? '' : place.channel, what, sender.name)
}

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
