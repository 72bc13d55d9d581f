import { strict as assert } from 'node:assert'
import { createHash } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { Adapter, AdapterContext } from '../adapter.ts'
import type { Draft, Place, Upload } from '../event.ts'
import { text } from '../event.ts'
import { silentLog } from '../log.ts'
import { deadline } from '../retry.ts'
import { RecordBook } from './record.ts'

/** One native message as somebody else sees it now. */
export interface Seen {
  /** Its text without what the platform adds. A message of several lines is one. */
  readonly text: string
  readonly deleted?: boolean
  readonly reactions?: readonly string[]
  /** The bytes of its files. */
  readonly files?: readonly Uint8Array[]
  /** The text of the message whose thread it stands in. */
  readonly thread?: string
  /** Only alice sees it. */
  readonly ephemeral?: boolean
}

/**
 * The other side: a real server, or one that follows the platform's documentation, with a person called alice in the
 * place from the start. Optional methods: the platform, or this network of it, has no such thing.
 */
export interface ContractPlatform {
  /** Someone says it as one native message; resolves when the platform has taken it. Alice unless `who` says otherwise. */
  say(said: string, who?: 'alice' | 'stranger'): Promise<void>
  /** Whether there are people whom the platform doesn't vouch for: then `say` knows the `stranger`. */
  readonly strangers: boolean
  /** Whether the platform keeps what is said while we are away, and gives it to us later. */
  readonly keepsHistory: boolean
  /** False where the platform forgets what was acknowledged (Telegram's queue): it can't tell the past again. */
  readonly retells?: false
  /** False where that history tells neither who vouched for a sender nor the exact time (InspIRCd's replay). */
  readonly historyVouches?: false
  /** Each message costs such a real server so much that fewer have to do. */
  readonly slow?: true
  /** Resolves when our account is seen in the place. */
  present(): Promise<void>
  /** What our account said in the place since the fixture was opened, oldest first: all that it was answered for. */
  seen(): Promise<readonly Seen[]>
  /** Breaks our connections from the other end, takes none while `work` runs, then takes them again. Absent: they come to us. */
  offline?(work: () => Promise<void>): Promise<void>
  /** How many connections of ours are open at the other end, once those being closed are gone. */
  connections(): Promise<number>
  /** The next message is accepted, but its answer is lost together with the connection. */
  loseAnswer?(): Promise<void>
  /** The next message is refused: the platform asks to wait. */
  refuseOnce?(): Promise<void>
  /** Alice changes, deletes, or reacts to the last message she said. */
  edit?(said: string): Promise<void>
  remove?(): Promise<void>
  react?(emoji: string, who?: 'alice' | 'stranger'): Promise<void>
  /** Takes such a reaction back. */
  unreact?(emoji: string, who?: 'alice' | 'stranger'): Promise<void>
  /** Alice says it with a file. */
  share?(said: string, file: { readonly name: string; readonly bytes: Uint8Array }): Promise<void>
  /** Her direct conversation with us: what our account said there, and what is shown of what it has not said yet. */
  direct?(): Promise<{ readonly said: readonly string[]; readonly shown: string | null }>
  /** Alice says it in the thread of the message that reads `root`. */
  sayInThread?(said: string, root: string): Promise<void>
}

/** What the suite gives an adapter; the fixture adds the rest of `AdapterContext`. */
export type ContractContext = Pick<AdapterContext, 'log' | 'cursors' | 'changed'>

export interface ContractFixture {
  /** Where everything is said. Every adapter made by `create` is in it once it runs. */
  readonly place: Place
  /** A new adapter for the same account and platform, as after a restart of our process. Not running yet. */
  create(context: ContractContext): Promise<Adapter>
  readonly platform: ContractPlatform
}

/** Runs one check in a world of its own that is stopped afterwards, whatever happens. */
export type Check = (name: string, check: (world: World) => Promise<void>) => void

/** Makes a fixture of its own for one test (a server may be shared, the place must be new); cleans up in `t.after`. */
export type OpenFixture = (t: TestContext) => Promise<ContractFixture>

export interface Running {
  readonly adapter: Adapter
  /** Aborts and resolves when `run` has. */
  stop(): Promise<void>
}

/** Where connections come to us there is nothing that could be away. */
export const awayNeeds = 'network that could be away'

/** Thrown to leave a check out: this platform, or this network of it, has nothing to check. */
export class LeftOut extends Error {}

/** Leaves the check out unless `ability` is there. */
export function needs(ability: unknown, what: string): asserts ability {
  if (!ability) throw new LeftOut(`no ${what} here`)
}

/** One test's world: the fixture, a record book in the ledger's stead, and adapters that are stopped at the end. */
export class World {
  readonly fixture: ContractFixture
  readonly book = new RecordBook()
  readonly #running = new Set<Running>()

  constructor(fixture: ContractFixture) {
    this.fixture = fixture
  }

  get place(): Place {
    return this.fixture.place
  }

  get platform(): ContractPlatform {
    return this.fixture.platform
  }

  create(): Promise<Adapter> {
    return this.fixture.create({ log: silentLog(), cursors: this.book.cursors, changed: () => this.book.changed() })
  }

  /** Makes an adapter, runs it and waits until it is up and in the place. */
  async start(): Promise<Running> {
    const adapter = await this.create()
    const controller = new AbortController()
    const ended = adapter.run(this.book.sink, controller.signal)
    const running: Running = {
      adapter,
      stop: async () => {
        this.#running.delete(running)
        controller.abort()
        await within(ended, 'run to resolve after the abort')
      },
    }
    this.#running.add(running)
    await Promise.race([this.up(adapter), ended.then(() => assert.fail('run ended before it was up'))])
    await within(this.platform.present(), 'our account to be in the place')
    return running
  }

  async up(adapter: Adapter): Promise<void> {
    await this.book.until(() => adapter.status().state === 'up', 'the adapter to be up')
  }

  async stop(): Promise<void> {
    for (const running of this.#running) await running.stop()
  }
}

/** The whole context of an adapter, with what stands in the ledger's stead. */
export const contextOf = (
  book: Pick<AdapterContext, 'cursors' | 'changed'>,
  given: Pick<AdapterContext, 'network' | 'secret'> & Partial<AdapterContext>,
): AdapterContext => ({
  log: silentLog(),
  cursors: book.cursors,
  changed: () => book.changed(),
  personas: [],
  instance: 'abcdefghijkl',
  places: [],
  dataDir: '/nonexistent',
  ...given,
})

export interface Run {
  /** Rejects with what ended it. */
  readonly ended: Promise<void>
  /** Aborts and resolves when it has ended, however. */
  readonly stop: () => Promise<void>
}

/** Runs an adapter as a process does. */
export function runOn(book: RecordBook, adapter: Adapter): Run {
  const controller = new AbortController()
  const ended = adapter.run(book.sink, controller.signal)
  ended.catch(() => book.changed())
  const stop = async (): Promise<void> => {
    controller.abort()
    await within(Promise.allSettled([ended]), 'run to end after the abort')
  }
  return { ended, stop }
}

export const draft = (said: string): Draft => ({ content: text(said) })

/** A file as the bridge hands it out. */
export const upload = (name: string, bytes: Uint8Array): Upload => ({
  ref: name,
  name,
  sizeBytes: bytes.length,
  hash: createHash('sha256').update(bytes).digest('hex'),
  open: () => ReadableStream.from([bytes]),
})

/** Rejects when it takes too long: nothing in the suite may hang. */
export async function within<T>(work: Promise<T>, what: string, deadlineMs = 60_000): Promise<T> {
  const end = new AbortController()
  const late = new Promise<never>((_resolve, reject) => {
    const signal = deadline(deadlineMs, end.signal)
    signal.addEventListener('abort', () => reject(new Error(`waited ${deadlineMs} ms for ${what}`)), { once: true })
  })
  late.catch(() => undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    end.abort()
  }
}
