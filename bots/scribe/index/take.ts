import type { Content, MessageEvent } from '../../../core/event.ts'
import { currentOf, messageOf, type Stored } from '../../../core/ledger/record/events.ts'
import { revisionsBetween } from '../../../core/ledger/record/history.ts'
import { type Connection, sql } from '../../../core/ledger/sqlite.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { dayMs, plain } from '../../../core/text/text.ts'
import type { Ear } from '../ear.ts'
import { indexable } from './words.ts'

/** What a message is besides text: `doc.flags`. */
export const docFlags = {
  /** A private place: shown only there. */
  direct: 1,
} as const

interface Count {
  readonly room: number
  readonly day: number
  readonly who: number
  messages: number
  bytes: number
}

/** Writes batches of facts into the index's tables. Its memory of row ids is good for one connection. */
export class Taker {
  readonly #db: Connection
  readonly #ear: Ear
  readonly #ids = new Map<string, number>()

  constructor(db: Connection, ear: Ear) {
    this.#db = db
    this.#ear = ear
  }

  /** After a transaction that failed: row ids it made are not there. */
  forget(): void {
    this.#ids.clear()
  }

  /** One batch, inside a transaction of the index. `ledger` says how each message reads now. */
  take(ledger: Tx, batch: readonly Stored[]): void {
    const revised = revisionsBetween(ledger, batch[0]?.seq ?? 0, batch.at(-1)?.seq ?? 0)
    const counts = new Map<string, Count>()
    for (const stored of batch) {
      const { event, seq } = stored
      if (event.kind === 'message') {
        const message = stored as Stored<MessageEvent>
        const content = revised.has(seq) ? (revised.get(seq) ?? null) : event.content
        // Commands are not indexed, nor what the scribe answers to them: no search finds itself.
        if (this.#ear.hear(ledger, message.event).command) continue
        if (content) this.#add(message, content)
        if (!event.place.private) this.#count(counts, message)
      } else if (event.kind === 'edit' || event.kind === 'delete') {
        const target = messageOf(ledger, event.place, event.target)
        if (target) this.#follow(ledger, target.seq)
      }
    }
    this.#tally(counts.values())
  }

  #add(message: Stored<MessageEvent>, content: Content): void {
    const { event } = message
    const text = indexable(plain(content))
    const flags = event.place.private ? docFlags.direct : 0
    const room = this.#room(message.room)
    const tags = `r${room} p${message.placeId} w${this.#who(event)}`
    sql(this.#db, 'INSERT INTO doc VALUES (?, ?, ?, ?, ?, ?, ?)').run(
      message.seq,
      event.atMs,
      room,
      message.placeId,
      flags,
      text,
      tags,
    )
    sql(this.#db, 'INSERT INTO fts (rowid, text, tags) VALUES (?, ?, ?)').run(message.seq, text, tags)
  }

  /** Takes a message's old words out and puts those in which it has now, if any. */
  #follow(ledger: Tx, seq: number): void {
    const row = sql(this.#db, 'SELECT text, tags FROM doc WHERE seq = ?').get(seq)
    if (row) {
      const old = [seq, row['text'], row['tags']]
      sql(this.#db, "INSERT INTO fts (fts, rowid, text, tags) VALUES ('delete', ?, ?, ?)").run(...old)
      sql(this.#db, 'DELETE FROM doc WHERE seq = ?').run(seq)
    }
    const now = currentOf(ledger, seq)
    if (now?.content && !this.#ear.hear(ledger, { ...now.event, content: now.content }).command)
      this.#add(now, now.content)
  }

  #count(counts: Map<string, Count>, { room, event }: Stored<MessageEvent>): void {
    const of = { room: this.#room(room), day: Math.floor(event.atMs / dayMs), who: this.#who(event) }
    const key = `${of.room} ${of.day} ${of.who}`
    let count = counts.get(key)
    if (!count) counts.set(key, (count = { ...of, messages: 0, bytes: 0 }))
    count.messages++
    count.bytes += Buffer.byteLength(plain(event.content))
  }

  #tally(counts: Iterable<Count>): void {
    const add = sql(
      this.#db,
      `INSERT INTO tally VALUES (?, ?, ?, ?, ?) ON CONFLICT (room, day, who)
       DO UPDATE SET messages = messages + excluded.messages, bytes = bytes + excluded.bytes`,
    )
    for (const { room, day, who, messages, bytes } of counts) add.run(room, day, who, messages, bytes)
  }

  #room(name: string): number {
    return this.#id(`r${name}`, () => {
      sql(this.#db, 'INSERT OR IGNORE INTO room (name) VALUES (?)').run(name)
      return sql(this.#db, 'SELECT id FROM room WHERE name = ?').get(name)?.['id']
    })
  }

  #who({ place, sender }: MessageEvent): number {
    const values = [place.network, sender.id, sender.name]
    return this.#id(`w${values.join('\n')}`, () => {
      sql(this.#db, 'INSERT OR IGNORE INTO who (network, user, name) VALUES (?, ?, ?)').run(...values)
      return sql(this.#db, 'SELECT id FROM who WHERE network = ? AND user = ? AND name = ?').get(...values)?.['id']
    })
  }

  #id(key: string, find: () => unknown): number {
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    if (this.#ids.size > 20_000) this.#ids.clear()
    const id = Number(find())
    this.#ids.set(key, id)
    return id
  }
}
