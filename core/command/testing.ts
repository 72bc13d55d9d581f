import { randomUUID } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Role } from '../access/role.ts'
import type { ChannelId, Content, Draft, MessageEvent, MessageId, NetworkId, Place, Sender, UserId } from '../event.ts'
import { text } from '../event.ts'
import { Ledger } from '../ledger/ledger.ts'
import { personFor } from '../ledger/people/people.ts'
import { grant } from '../ledger/people/roles.ts'
import { append, type Stored } from '../ledger/record/events.ts'
import { sql } from '../ledger/sqlite.ts'
import type { Tx } from '../ledger/tx.ts'
import { silentLog } from '../log.ts'
import { openDraft } from '../say.ts'
import { plain } from '../text/text.ts'
import { Vault } from '../vault/secrets.ts'
import type { Command, CommandSettings } from './command.ts'
import { publish } from './help/published.ts'
import { Router } from './router.ts'
import type { RouterOptions } from './visit/visit.ts'

/** What one person says, and how. Unset: live, verified, a person, in `#general`. */
export interface Said {
  readonly by?: string
  readonly in?: Place
  /** The bot a private message goes to. */
  readonly to?: string
  readonly content?: Content
  readonly sender?: Partial<Sender>
  readonly event?: Partial<MessageEvent>
  readonly receivedMs?: number
}

/** A delivery as a reader of that place sees it. */
export interface Seen {
  readonly id: number
  readonly place: string
  readonly as: string
  readonly text: string
  readonly secret: boolean
  readonly held: boolean
}

const network = 'irc' as NetworkId

/** A place of the test network. */
export const channel = (name: string): Place => ({ network, channel: name as ChannelId })

/** A ledger in memory with routers of several bots on it, to talk to them. */
export class Stage {
  readonly ledger: Ledger
  readonly vault: Vault
  nowMs = 1_790_000_000_000
  readonly routers = new Map<string, Router<unknown>>()
  readonly rooms = new Map<string, readonly Place[]>()
  settings: CommandSettings = { prefix: '!', perMinute: 600, burst: 600, confirmSeconds: 60, lines: 4 }
  readonly #keys: string
  #said = 0

  private constructor(ledger: Ledger, vault: Vault, keys: string) {
    this.ledger = ledger
    this.vault = vault
    this.#keys = keys
  }

  static async open(): Promise<Stage> {
    const keys = mkdtempSync(join(tmpdir(), 'chanop-command-'))
    const ledger = Ledger.open(':memory:')
    return new Stage(ledger, await Vault.open(join(keys, 'vault.key'), ledger), keys)
  }

  /** Adds a bot: publishes its commands and opens its router. */
  async bot<S>(
    name: string,
    commands: readonly Command<S>[],
    services: S,
    options: Partial<RouterOptions<S>> = {},
  ): Promise<Router<S>> {
    await this.ledger.write(db => publish(db, name, commands))
    const router = new Router<S>({
      bot: name,
      bots: ['admin', 'bridge', 'oracle', 'scribe'],
      commands,
      services,
      ledger: this.ledger,
      vault: this.vault,
      log: silentLog(),
      settings: () => this.settings,
      roomPlaces: place => this.rooms.get(place.channel) ?? [place],
      nowMs: () => this.nowMs,
      ...options,
    })
    this.routers.set(name, router as Router<unknown>)
    return router
  }

  /** Gives an account a role; everywhere, or in one room. */
  async role(account: string, role: Role, room = ''): Promise<void> {
    await this.ledger.write(db => {
      const person = personFor(db, network, account as UserId, account, this.nowMs)
      grant(db, { person, room, role, untilMs: null }, 'test', this.nowMs)
    })
  }

  /** The private place of an account. */
  direct(account: string): Place {
    return { network, channel: `@${account}` as ChannelId, private: true }
  }

  /** Records a message as the bridge would. */
  async record(words: string, said: Said = {}): Promise<Stored<MessageEvent>> {
    const account = said.by ?? 'alice'
    const id = `m${++this.#said}-${randomUUID().slice(0, 8)}`
    const place = said.in ?? channel('#general')
    const event: MessageEvent = {
      kind: 'message',
      key: `irc:${id}`,
      id: id as MessageId,
      place,
      sender: { id: account as UserId, name: account, kind: 'person', verified: true, ...said.sender },
      atMs: this.nowMs,
      origin: 'live',
      content: said.content ?? text(words),
      ...(said.to === undefined ? {} : { to: said.to }),
      ...said.event,
    }
    const stored = await this.ledger.write(db => append(db, event, undefined, said.receivedMs ?? this.nowMs))
    return stored as Stored<MessageEvent>
  }

  /** Says something; every router hears it. Resolves with what was said in answer, and by how many it was taken. */
  async say(
    words: string,
    said: Said = {},
  ): Promise<{ seen: Seen[]; takenBy: string[]; stored: Stored<MessageEvent> }> {
    const before = await this.lastDelivery()
    const stored = await this.record(words, said)
    const taken = await Promise.all(
      [...this.routers].map(async ([name, router]) => {
        const asked = router.asked(stored)
        return asked && (await router.handle(asked, () => {})) ? name : null
      }),
    )
    return { seen: await this.seen(before), takenBy: taken.filter(name => name !== null), stored }
  }

  /** The lines of the one answer. */
  async ask(words: string, said: Said = {}): Promise<string> {
    const { seen } = await this.say(words, said)
    return seen
      .filter(one => !one.held && !one.secret)
      .map(one => one.text)
      .join('\n')
  }

  lastDelivery(): Promise<number> {
    return this.ledger.read(db => Number(sql(db, 'SELECT coalesce(max(id), 0) AS id FROM delivery').get()?.['id']))
  }

  /** Deliveries after an id, opened. */
  seen(after: number): Promise<Seen[]> {
    return this.ledger.read(db =>
      sql(
        db,
        `SELECT d.id, d.act, d.state, d.secret, p.network, p.channel FROM delivery d JOIN place p ON p.id = d.place
         WHERE d.id > ? ORDER BY d.id`,
      )
        .all(after)
        .map(row => {
          const draft = openDraft(this.vault, JSON.parse(row['act'] as string) as Draft)
          return {
            id: Number(row['id']),
            place: `${String(row['network'])}:${String(row['channel'])}${draft.only === undefined ? '' : ` for ${draft.only} alone`}`,
            as: draft.as?.name ?? '',
            text: plain(draft.content),
            secret: row['secret'] === 1,
            held: row['state'] === 0,
          }
        }),
    )
  }

  read<T>(work: (db: Tx) => T): Promise<T> {
    return this.ledger.read(work)
  }

  async close(): Promise<void> {
    this.ledger.close()
    await rm(this.#keys, { recursive: true, force: true })
  }
}
