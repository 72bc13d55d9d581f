import type { MessageEvent, Place } from '../../event.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import type { Stored } from '../../ledger/record/events.ts'
import type { Log } from '../../log.ts'
import type { Vault } from '../../vault/secrets.ts'
import type { Caller, Command, CommandSettings } from '../command.ts'
import type { Published } from '../help/published.ts'
import type { Assigned } from '../parse/args.ts'
import type { Utterance } from '../parse/grammar.ts'

/** What the parts of a router share. */
export interface RouterOptions<S> {
  readonly bot: string
  /** Names by which bots are addressed: `admin: status`, `@scribe last`. */
  readonly bots: readonly string[]
  /** This bot's own; the front's with `frontCommands`. All of them published. */
  readonly commands: readonly Command<S>[]
  readonly services: S
  readonly ledger: Ledger
  readonly vault: Vault
  readonly log: Log
  readonly settings: () => CommandSettings
  /** All places of the room a place belongs to; itself alone when it is in none. */
  readonly roomPlaces: (place: Place) => readonly Place[]
  /** Whether somebody is neither relayed nor obeyed. */
  readonly ignored?: (event: MessageEvent) => boolean
  /** This bot also answers what nobody owns, and keeps the audit of what was ignored. One in an instance. */
  readonly front?: true
  /** Bots with whom one talks: without prefix only the exact words of their own commands are commands. */
  readonly talkers?: readonly string[]
  /** Aborts when the process stops: what runs is left unfinished and is run again by the next process. */
  readonly signal?: AbortSignal
  readonly nowMs?: () => number
  /** After which a command is given up. */
  readonly deadlineMs?: number
}

/** Who asks where: what every answer needs. */
export interface Asking {
  readonly stored: Stored<MessageEvent>
  readonly caller: Caller
  readonly heard: Utterance
}

/** One command of this bot on its way. */
export interface Visit<S> extends Asking {
  readonly published: Published
  readonly command: Command<S>
  readonly assigned: Assigned
}
