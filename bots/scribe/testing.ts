/** Facts and ledgers for the scribe's tests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import {
  type ChatEvent,
  type Content,
  type MessageEvent,
  type MessageId,
  type Place,
  parsePlace,
  type Sender,
  text,
  type UserId,
} from '../../core/event.ts'
import type { Ledger } from '../../core/ledger/ledger.ts'
import { append, messageOf, revise, type Stored } from '../../core/ledger/record/events.ts'
import { sql } from '../../core/ledger/sqlite.ts'
import { openLedger } from '../../core/ledger/testing.ts'
import type { Tx } from '../../core/ledger/tx.ts'
import { Rooms, type RoomsConfig } from '../../core/rooms.ts'
import { Ear } from './ear.ts'

/** A folder that is gone after the test; with null the caller removes it. */
export function folder(t: TestContext | null): string {
  const path = mkdtempSync(join(tmpdir(), 'chanop-scribe-'))
  t?.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export function ledgerIn(t: TestContext, path: string): Ledger {
  const ledger = openLedger(join(path, 'ledger.db'))
  t.after(() => ledger.close())
  return ledger
}

export const ear = (): Ear => new Ear({ prefix: () => '!', bots: ['admin', 'oracle', 'scribe', 'bridge'] })

export const startMs = Date.UTC(2026, 3, 1, 12)

export const placeAt = (written: string): Place => {
  const place = parsePlace(written) as Place
  return place.channel.startsWith('@') ? { ...place, private: true } : place
}

export const person = (name: string, verified = true): Sender => ({
  id: (verified ? name : `~${name}`) as UserId,
  name,
  kind: 'person',
  verified,
})

let counter = 0

/** A message; `place` as `network:channel`, private when the channel begins with `@`. */
export function said(
  place: string,
  who: string | Sender,
  what: string | Content,
  more: Partial<MessageEvent> = {},
): MessageEvent {
  const n = ++counter
  return {
    kind: 'message',
    key: `test:${n}`,
    id: `m${n}` as MessageId,
    place: placeAt(place),
    sender: typeof who === 'string' ? person(who) : who,
    atMs: startMs + n * 1000,
    origin: 'live',
    content: typeof what === 'string' ? text(what) : what,
    ...more,
  }
}

/** Another fact about the place and by the sender of a message. */
export function about(message: MessageEvent, fact: { kind: ChatEvent['kind'] } & Record<string, unknown>): ChatEvent {
  const n = ++counter
  const { place, sender, origin } = message
  return { key: `test:${n}`, place, sender, atMs: startMs + n * 1000, origin, target: message.id, ...fact } as ChatEvent
}

/** Records facts the way the bridge does: with their room, and edits worked into current texts. */
export function record(ledger: Ledger, events: readonly ChatEvent[], rooms: RoomsConfig = {}): Promise<Stored[]> {
  return ledger.write(db => events.map(event => recordOne(db, event, new Rooms(rooms))))
}

function recordOne(db: Tx, event: ChatEvent, rooms: Rooms): Stored {
  const stored = append(db, event, rooms.from(event.place).name, event.atMs) as Stored
  if (event.kind === 'edit' || event.kind === 'delete') {
    const target = messageOf(db, event.place, event.target)
    if (target) revise(db, target.seq, event.kind === 'edit' ? event.content : null, event.atMs)
  }
  return stored
}

/** Somebody is in a channel. */
export function joined(db: Tx, place: string, who: Sender): void {
  const { network, channel } = placeAt(place)
  sql(
    db,
    `INSERT INTO member (place, user, name, verified, since_ms) SELECT id, ?, ?, ?, 0 FROM place WHERE network = ? AND channel = ? AND thread = ''`,
  ).run(who.id, who.name, who.verified ? 1 : 0, network, channel)
}
