/** What was said to programs, until they have read it: the other end of deliveries that no connection waits for. */
import type { Place } from '../../event.ts'
import { type Row, sql } from '../sqlite.ts'
import type { Tx } from '../tx.ts'

export interface NewLetter {
  readonly network: string
  /** The idempotency key of its delivery. */
  readonly delivery: string
  readonly channel: string
  /** The id of the message that it answers. */
  readonly reply: string | null
  /** JSON. */
  readonly body: string
  /** What it says, sealed, when that is a secret. */
  readonly sealed: Buffer | null
}

export interface Letter extends NewLetter {
  readonly id: number
  readonly atMs: number
}

const letterOf = (row: Row): Letter => ({
  id: Number(row['id']),
  network: row['network'] as string,
  delivery: row['delivery'] as string,
  channel: row['channel'] as string,
  reply: row['reply'] as string | null,
  body: row['body'] as string,
  sealed: row['sealed'] as Buffer | null,
  atMs: Number(row['at_ms']),
})

/** Keeps what was said. Nothing happens the second time. */
export function keepLetter(tx: Tx, letter: NewLetter, nowMs: number): void {
  const { network, delivery, channel, reply, body, sealed } = letter
  sql(
    tx,
    `INSERT INTO inbox (network, delivery, channel, reply, body, sealed, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (network, delivery) DO NOTHING`,
  ).run(network, delivery, channel, reply, body, sealed, nowMs)
}

/** What was said reads so now. A secret stays what it was. */
export const rewriteLetter = (tx: Tx, network: string, delivery: string, body: string): void => {
  sql(tx, 'UPDATE inbox SET body = ? WHERE network = ? AND delivery = ? AND sealed IS NULL').run(
    body,
    network,
    delivery,
  )
}

/** It was taken back. */
export const dropLetter = (tx: Tx, network: string, delivery: string): void => {
  sql(tx, 'DELETE FROM inbox WHERE network = ? AND delivery = ?').run(network, delivery)
}

export const isKept = (tx: Tx, network: string, delivery: string): boolean =>
  sql(tx, 'SELECT 1 FROM inbox WHERE network = ? AND delivery = ?').get(network, delivery) !== undefined

type Channel = Pick<Place, 'network' | 'channel'>

/** What answers one message, in order. Its id is of its channel: another program may have made the same one. */
export const lettersTo = (tx: Tx, { network, channel }: Channel, reply: string): Letter[] =>
  sql(tx, 'SELECT * FROM inbox WHERE network = ? AND reply = ? AND channel = ? ORDER BY id')
    .all(network, reply, channel)
    .map(letterOf)

/** What was said in a channel after one of them, from a time on, oldest first. */
export const lettersIn = (tx: Tx, { network, channel }: Channel, after: number, sinceMs: number, limit: number) =>
  sql(tx, 'SELECT * FROM inbox WHERE network = ? AND channel = ? AND id > ? AND at_ms >= ? ORDER BY id LIMIT ?')
    .all(network, channel, after, sinceMs, limit)
    .map(letterOf)

/** The newest before one of them, oldest first. */
export const lettersBefore = (tx: Tx, { network, channel }: Channel, before: number, limit: number): Letter[] =>
  sql(tx, 'SELECT * FROM inbox WHERE network = ? AND channel = ? AND id < ? ORDER BY id DESC LIMIT ?')
    .all(network, channel, before, limit)
    .map(letterOf)
    .reverse()

/** Drops what is older than its time: secrets sooner than the rest. */
export function dropOldLetters(tx: Tx, secretsBeforeMs: number, beforeMs: number): void {
  sql(tx, 'DELETE FROM inbox WHERE at_ms < ?').run(beforeMs)
  sql(tx, 'UPDATE inbox SET sealed = NULL WHERE at_ms < ? AND sealed IS NOT NULL').run(secretsBeforeMs)
}
