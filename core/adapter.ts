import type { ZodType } from 'zod'
import type { Role } from './access/role.ts'
import type { FieldType } from './command/parse/fields.ts'
import type {
  Act,
  Attachment,
  ChannelId,
  ChatEvent,
  Draft,
  MessageId,
  NetworkId,
  Place,
  Reaction,
  Sign,
  UserId,
} from './event.ts'
import type { Log } from './log.ts'
import type { Interior } from './process/interior.ts'

/** What the platform can carry in one message. */
export interface Limits {
  /** UTF-8 bytes of one native message. Longer drafts are split by the adapter. Infinity: a message may be as long as it likes. */
  readonly textBytes: number
  /** UTF-16 code units of one native message, where the platform counts those. */
  readonly textUnits?: number
  readonly marks: boolean
  /** Nobody fetches a preview of a link that is said here. Absent: the platform may. */
  readonly previews?: false
  /** A send to a place with `thread` lands in the thread of that message; one that isn't there yet is opened. */
  readonly threads: boolean
  /** The least time between an act in a place and the next edit of a growing message there; 1000 when absent. */
  readonly growEveryMs?: number
  /** The largest file that can be uploaded here. Absent: none can, and files are words with an address. */
  readonly fileBytes?: number
}

/**
 * Takes events in, in the platform's order. Resolves once they are committed to the ledger: only then may an adapter
 * acknowledge them upstream or move its cursor. Rejects when the ledger can't take them (disk full): the adapter
 * keeps them, waits and offers the same events again.
 */
export type Sink = (events: readonly ChatEvent[]) => Promise<void>

/** What became of a delivery that was being sent when we died. */
export type Found = readonly MessageId[] | 'not-sent' | 'cannot-tell'

/** A channel where something does not work, and since when (Unix ms). */
export interface Trouble {
  readonly channel: string
  readonly reason: string
  readonly sinceMs: number
}

/** Logins that are refused (both are named) or slowed down (one is '': any) after so many wrong passwords. Unix ms. */
export interface LoginLock {
  readonly account: string
  readonly address: string
  readonly wrong: number
  readonly sinceMs: number
  readonly untilMs: number
}

/** What one network is able to do and how it is, for `!network show`. One line each, plain text. */
export interface NetworkStatus {
  /** `off`: an operator turned it off. The bridge alone says so; an adapter is never asked to be that. */
  readonly state: 'connecting' | 'up' | 'down' | 'off'
  /** Since when, Unix ms. */
  readonly sinceMs: number
  /** `Ergo 2.20.0`, `InspIRCd-3`, … */
  readonly server?: string
  /** Why it is down, or what it is doing, in one line that says what to do next. */
  readonly reason?: string
  /** Channels that do not work although the network is up. */
  readonly troubles?: readonly Trouble[]
  /** Logins that guesses locked. */
  readonly locks?: readonly LoginLock[]
  /** Accounts on record that the network has no more; written by the one that holds the connection. */
  readonly gone?: readonly string[]
  /** How far its clock is ahead of ours, milliseconds, behind when negative; absent where both agree. */
  readonly aheadMs?: number
  /** Where programs connect: `ircs://127.0.0.1:6697`, and the SHA-256 of the certificate they will meet there. */
  readonly address?: string
  readonly fingerprint?: string
  /** Abilities this network lacks and what happens instead: `no multiline: long text is split into lines`. */
  readonly lacks: readonly string[]
  /** For those who say something there, in whatever process; written by the one that holds the connection. */
  readonly can?: Abilities
}

export interface Abilities {
  /** What was said can be edited: a message may grow. */
  readonly edits: boolean
  readonly limits: Limits
}

/** One argument of a native command. */
export interface NativeField {
  /** What `MessageEvent.asked` calls it. */
  readonly name: string
  /** A `flag` is a boolean, an `integer` a number, everything else text; `person` may be chosen as a user of the network. */
  readonly type: FieldType
  readonly required: boolean
  /** The words that it may be; there may be more than a platform's menu has room for. */
  readonly choices?: readonly string[]
  /** Bounds of an integer. */
  readonly min?: number
  readonly max?: number
  readonly summary?: string
}

/** A command as platforms with commands of their own (slash commands, menus) show it. */
export interface NativeCommand {
  /** One or two lower-case words, apart by a blank: `role grant`. No name is another's first word. */
  readonly name: string
  /** The bot that answers it. */
  readonly bot: string
  /** One line without a full stop; longer than some platforms allow. */
  readonly summary: string
  /** Its answer concerns the asker alone: where that can be, nobody else should see question or answer. */
  readonly private: boolean
  /** Who may do it, for menus that differ by person. It is checked when it is asked, whatever a menu shows. */
  readonly role: Role
  readonly fields: readonly NativeField[]
}

/** What a network remembers for an adapter between runs. `save` is durable together with the next accepted batch. */
export interface Cursors {
  /** The id of the newest message the ledger holds of this place, or null when it knows none. */
  newest(place: Place): Promise<{ id: MessageId; atMs: number } | null>
  get(name: string): Promise<string | null>
  set(name: string, value: string): Promise<void>
}

/**
 * One account on one network. Required: `run`, `send`, `status`, `limits`. An absent method means that the platform
 * cannot do it; no flag repeats what a method's presence says.
 */
export interface Adapter {
  readonly network: NetworkId
  readonly limits: Limits
  /**
   * Connects and feeds `sink` in order; reconnects by itself, for ever, on temporary faults. Called once.
   * Resolves when `signal` has aborted and every socket is closed; rejects only with a permanent fault (wrong password,
   * unknown account) that retrying can't cure.
   */
  run(sink: Sink, signal: AbortSignal): Promise<void>
  status(): NetworkStatus
  /**
   * Says one draft; it may become several native messages: all their ids in order, those of uploads among them. `deliveryId` is the idempotency key
   * and is what `find` looks for. Calls for one place come one after the other unless `pipelined` is set; the adapter
   * keeps their order. Rejects with `ChanopError`: `send-later` when it was certainly not sent and may be tried again,
   * `network-down` when it was under way and nobody can know (`find` is asked before it is sent again), anything else
   * is final.
   */
  send(place: Place, draft: Draft, deliveryId: string): Promise<readonly MessageId[]>
  /** How many `send`s of one place may be under way at once while their order on the wire stays that of the calls. */
  readonly pipelined?: number
  edit?(place: Place, target: readonly MessageId[], draft: Draft, deliveryId: string): Promise<readonly MessageId[]>
  remove?(place: Place, target: readonly MessageId[], reason: string | undefined, deliveryId: string): Promise<void>
  /** Shows a reaction as ours, or takes ours back. Repeated it changes nothing. */
  react?(place: Place, target: MessageId, reaction: Reaction, deliveryId: string): Promise<void>
  /**
   * Says a draft in a place so that one person alone sees it. Rejects `unsupported` where that can't be done just here or
   * just now: the bridge then says it in their direct conversation. Else as `send`. Never called with a secret.
   */
  sendEphemeral?(place: Place, user: UserId, draft: Draft, deliveryId: string): Promise<readonly MessageId[]>
  /**
   * The bytes of a file that came with a message of this network. Rejects `not-found` when it is gone for good, and with an
   * error that may be tried again later otherwise. Ends with an error when `signal` aborts.
   */
  open?(attachment: Attachment, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  /**
   * Shows what a growing message says so far, where the platform can without saying it: what is shown is no message, has no id, and
   * goes by itself. The whole is said by one `send` under the same `deliveryId`, which nothing of this may hold up. Best effort, called
   * for each new text; never rejects. False: not in this place, or not any more; there the message is sent as it begins, and edited.
   */
  stream?(place: Place, draft: Draft, deliveryId: string): boolean
  /** Shows that `as` is writing. Best effort; must not block deliveries. */
  typing?(place: Place, as: string, active: boolean): void
  /**
   * After a crash: what became of this delivery? Called only while the network is up. `madeMs`: when it was made, by our clock;
   * what does not reach back to then can't tell that it was never sent.
   */
  find?(place: Place, deliveryId: string, act: Act, madeMs?: number): Promise<Found>
  /**
   * Shows these commands as the platform's own, in place of all that were shown before; those that it can't show are left out
   * (`status().lacks` says so). Called while the network is up, at the start and whenever they have changed, one call at a time;
   * it should ask the platform what is there and change nothing that is so already. An error that may be tried again is, with
   * growing pauses. What somebody asks so comes in as a message with `asked`, whose content says the same in words (`inWords`).
   */
  announce?(commands: readonly NativeCommand[], signal: AbortSignal): Promise<void>
  /** Acts on channels. Places of the configuration are entered by `run`. */
  readonly channels?: Channels
  /** The direct conversation with one person. Rejects `not-found` or `send-refused` when they can't be reached so. */
  direct?(user: UserId): Promise<Place>
  /** Whether what is said in this private place crosses the network encrypted (or never leaves the machine). */
  secure?(place: Place): Promise<boolean>
  /** Shows a persona as away with a reason (its process is not running), or back with null. */
  away?(persona: string, reason: string | null): void
  /** Accounts of this network, where we may administer them. */
  readonly accounts?: Accounts
}

/** The methods of an adapter that has them all: what those of one are declared as. */
export type Able = Required<Adapter>

/**
 * What a network lets us do with its channels. Every act may be repeated: it changes nothing that is so already, and
 * rejects `send-refused` with the platform's reason.
 */
export interface Channels {
  join(place: Place): Promise<void>
  part(place: Place, reason: string): Promise<void>
  /** Changes a channel's modes, in the network's own notation: `+im`, `-o+v alice bob`. */
  mode?(place: Place, modes: string): Promise<void>
  /** Puts somebody out. Resolves with nothing done when they are not in. */
  kick?(place: Place, user: UserId, reason: string): Promise<void>
  /** Makes those who are connected enter; resolves with how many of them did. Only where we run the network. */
  bring?(place: Place, users: readonly UserId[]): Promise<number>
  /**
   * Enters a channel and makes it stay when it is empty and over restarts of its server, with these modes and this topic ('': as they
   * are). Only where we run the network.
   */
  keep?(place: Place, as: { readonly modes: string; readonly topic: string }): Promise<void>
  /**
   * Lets in these accounts and our own bots alone, by the network itself, and puts out whoever else is in; nobody outside
   * is shown the channel. null: it is open to everybody again. Resolves once that was seen to be so. Only where we run the network.
   */
  admit?(place: Place, accounts: readonly UserId[] | null): Promise<void>
  /** The opposite of `keep`: puts everybody out with `reason` and lets the channel end. We leave it too. */
  release?(place: Place, reason: string): Promise<void>
}

export interface AccountInfo {
  readonly account: string
  readonly suspended: boolean
  readonly sessions: number
}

/**
 * What a network lets us do with its accounts. Every act is idempotent: repeated after a crash it ends in the same
 * state and does not fail because it was already done. Rejects with `ChanopError`.
 */
export interface Accounts {
  /** Accounts that the system itself uses, lower case: no order is about them. */
  readonly reserved?: ReadonlySet<string>
  /** Why accounts can not be administered, in one line; null while nothing is known against it. */
  readonly fault?: string | null
  /** Names of all accounts there are, lower case. */
  list?(): Promise<readonly string[]>
  /**
   * Makes an account. If it exists already and does not open with this very password: rejects `account-exists` (never
   * takes an existing account over).
   */
  create(account: string, password: string): Promise<void>
  setPassword(account: string, password: string): Promise<void>
  /** Blocks logins and ends every live session with `reason`. Resolves with how many were seen to end. */
  suspend(account: string, reason: string): Promise<number>
  restore(account: string): Promise<void>
  /** Lifts what wrong passwords for an account, or from an address, locked. Resolves with how many locks there were. */
  unlock?(what: string): Promise<number>
  /** Deletes the account and ends its sessions. */
  drop(account: string): Promise<void>
  /** SHA-256 of the certificates that open the account, lower-case hex. */
  certificates(account: string): Promise<readonly string[]>
  addCertificate(account: string, fingerprint: string): Promise<void>
  removeCertificate(account: string, fingerprint: string): Promise<void>
  get(account: string): Promise<AccountInfo | null>
  /** Ends every live session. Resolves with how many there were, once they are gone. */
  endSessions(account: string, reason: string): Promise<number>
}

/** What an adapter gets from the process that runs it. */
export interface AdapterContext {
  readonly network: NetworkId
  readonly log: Log
  readonly cursors: Cursors
  /** Names of the bots that want a face of their own here: `admin`, `oracle`, … */
  readonly personas: readonly string[]
  /** This instance's own id (12 letters): tells our copies from those of another Chanop. */
  readonly instance: string
  /** Channels to be in from the start, besides those of the network's own configuration. */
  readonly places: readonly Place[]
  /** The folder of mutable files (`data/`). */
  readonly dataDir: string
  /** Resolves `env:NAME` or `secret:NAME`; rejects `secret-missing` with what to do. */
  secret(reference: string): Promise<string>
  /**
   * Takes signs in: rosters in their order between the facts given to the sink, signs of life at any time. Resolves when
   * they are noted and never rejects; one that is lost is made good by the next. Absent: nobody wants them.
   */
  readonly signs?: (signs: readonly Sign[]) => Promise<void>
  /** The instance itself, for a platform that is nothing else. */
  readonly interior?: Interior
  /** Told whenever `status()` changes. */
  changed(): void
}

/** What `probe` is given: a network that is not running, or not yet configured. */
export interface ProbeContext extends Pick<AdapterContext, 'network' | 'log' | 'dataDir' | 'secret'> {
  /** Aborts when it took too long. */
  readonly signal: AbortSignal
}

/** What a network looks like from outside, for `!network test` and `!network add`. Plain text, one line each, no secrets. */
export interface Probe {
  /** Who we are there: `@chanop_bot in Acme (T0123)`. */
  readonly account: string
  /** `Synapse 1.149`, `Bot API 10.2`, … */
  readonly server?: string
  /** Switches, scopes, intents or rights that are off and what fails without, each with where exactly it is turned on. */
  readonly missing: readonly string[]
  /** Channels that we can see: as `channels` and `rooms` of the configuration write them, their name, and whether we are in. */
  readonly channels: readonly { readonly channel: ChannelId; readonly name: string; readonly joined: boolean }[]
}

/** One thing that a new network of this kind needs, for `!network add`, which asks for them in their order. */
export interface SetupStep {
  /** The key in the network's section of the configuration; dots go deeper: `token`, `sasl.password`. */
  readonly key: string
  /** What to do to have it, in one or two sentences, with the exact address and button: plain text. */
  readonly ask: string
  /** It is sealed in the vault and never shown; the configuration holds a reference to it. */
  readonly secret?: true
  /** It can be left out. */
  readonly optional?: true
  readonly example?: string
}

/** One kind of platform: the folder's `index.ts` exports it and `adapters/index.ts` lists it. */
export interface AdapterKind<C = unknown> {
  readonly kind: string
  /** The network's section of the configuration; `kind` is a literal in it. */
  readonly schema: ZodType<C>
  /** Whether we run the network's server ourselves: its accounts and channels are ours to keep. Absent: never. */
  managed?(config: C): boolean
  /** Accounts that differ in capitals are one, kept in small letters. Absent: an id is as it is written. */
  readonly foldsAccounts?: true
  /** What `!network add` asks for. Absent: networks of this kind are not added in chat. */
  readonly setup?: readonly SetupStep[]
  /** `!network add` does not offer it: it is for tests. */
  readonly unlisted?: true
  /**
   * Logs in, looks and leaves, without taking anything from an adapter that may be running with the same account (no second
   * session where the platform allows one). Rejects with `ChanopError`: `network-refused` for a wrong token with what to do,
   * `network-down` when it can't be reached. Absent: only running it tells.
   */
  probe?(config: C, context: ProbeContext): Promise<Probe>
  /** Where programs reach it with keys that are made here (`core/access/api-keys.ts`). Absent: it takes none. */
  keysAt?(config: C): string
  /** What programs may send to a webhook of it. Absent: it has none. */
  readonly hookFormats?: readonly string[]
  /** Loads the platform's library only when a network of this kind is configured. */
  create(config: C, context: AdapterContext): Promise<Adapter>
}
