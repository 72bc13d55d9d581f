import { z } from 'zod'
import type { Role } from '../access/role.ts'
import type { ErrorCode } from '../error.ts'
import type { Chart, MessageEvent, NetworkId, Place, UserId } from '../event.ts'
import type { Agent } from '../ledger/agents/agents.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { NewOrder } from '../ledger/out/orders.ts'
import type { Person } from '../ledger/people/people.ts'
import type { Stored } from '../ledger/record/events.ts'
import type { Tx } from '../ledger/tx.ts'
import { fieldsOf, isSecret } from './parse/fields.ts'

/** What an instance sets for all commands: the section `commands` of its configuration. */
export interface CommandSettings {
  readonly prefix: string
  readonly perMinute: number
  readonly burst: number
  readonly confirmSeconds: number
  /** Lines said at once before `more`. */
  readonly lines: number
}

/** Who asks, as the platform vouches for it. */
export interface Caller {
  /** Null: an account we know nothing of, or nobody's. */
  readonly person: Person | null
  /** A registered program: may do what its engagement names, whatever its role. */
  readonly agent: Agent | null
  /** The display name of the moment. Grants nothing. */
  readonly name: string
  readonly account: UserId
  readonly verified: boolean
  /** The highest role that holds in this room. */
  readonly role: Role
  /** The highest role that holds everywhere. */
  readonly globalRole: Role
  readonly network: NetworkId
  readonly place: Place
  /** The room's name; `network:channel` of a place in no room. */
  readonly room: string
  readonly private: boolean
}

/** Under what name it is kept who did something. */
export const byOf = ({ person, account }: Pick<Caller, 'person' | 'account'>): string => person?.name ?? account

export interface CommandContext<S> {
  readonly services: S
  readonly caller: Caller
  readonly event: Stored<MessageEvent>
  readonly atMs: number
  /** Aborts after ten seconds, or when the process stops. */
  readonly signal: AbortSignal
  /** What the asker confirmed by name (`Preview.of`): nothing else may be touched. Null: nothing was asked. */
  readonly confirmed: readonly string[] | null
  readonly ledger: Ledger
  readonly settings: CommandSettings
}

/** An order whose end is told: exactly one of `done` (with `secret`) and `failed` is said, when it has ended; '' is nothing. */
export interface Ordered {
  readonly order: NewOrder
  readonly done: string
  /** `{reason}` in it is replaced by why. */
  readonly failed: string
  /** Said, sealed, in the asker's private place when the order is done. */
  readonly secret?: string
}

export interface Answer {
  /** Markdown-lite (`core/text/text.ts`): text of people goes in through `escapeInline`. None: nothing is said now. */
  readonly lines?: readonly string[]
  /** The same for programs, as JSON: who asked without text (`MessageEvent.asked`) is given it beside the lines. */
  readonly data?: unknown
  /** A picture of the lines, for places that show some; `name` of the file, without its ending. */
  readonly picture?: { readonly name: string; readonly chart: Chart }
  /** Why it was not done, for the same. */
  readonly fault?: ErrorCode
  /**
   * Runs in the transaction that commits answer, cursor and audit, and touches nothing but the database. A
   * `ChanopError` undoes it and becomes the answer. What it returns is said instead of `lines`.
   */
  readonly effect?: (db: Tx) => readonly string[] | void
  readonly orders?: readonly Ordered[]
  /** Said, sealed, in the asker's private place. */
  readonly secret?: string
  readonly reply?: 'public' | 'private'
  /** `lines` up to `from` were said before; `size` at once instead of the usual number. */
  readonly page?: { readonly from: number; readonly size: number; readonly bot?: string }
  /** Once all is committed: signals to other processes and the like. Must not be what the answer depends on. */
  readonly committed?: () => void | Promise<void>
}

/** What the asker has to confirm. `of`: by name, all that it is about; when that has changed it is asked anew. */
export interface Preview {
  readonly text: string
  readonly of?: readonly string[]
}

/** What is said, and the answer (lines joined by a line break); of a pattern, what a reader is shown of it. */
export type Example = readonly [said: string, answer: string] | readonly [said: string, answer: RegExp, shown: string]

/**
 * One command, declared once: gives parser, usage, help, permission and tests. Keys of `args` are filled by position,
 * in their order, or as `key=value`; `meta` of an argument changes that: `{ rest: true }` the text to the end of the
 * message as it was typed, `{ named: true }` only as key=value, `{ flag: true }` a boolean given as `--key`,
 * `{ secret: true }` never echoed, masked in the audit and wiped from the record; `{ type }` says what the text names
 * (`FieldType`). An array takes all words that are left.
 */
export interface Command<S, A extends z.ZodObject = z.ZodObject> {
  /** `role grant`: one or two words, lower case. */
  readonly name: string
  readonly bot: string
  readonly aliases?: readonly string[]
  /** One line without a full stop. */
  readonly summary: string
  /** Needed everywhere when it is operator or owner, unless `scope` says that this room is enough. */
  readonly role: Role
  readonly scope?: 'room'
  readonly reply: 'public' | 'private'
  /** Refused elsewhere, with a line that says so. */
  readonly where?: 'dm'
  readonly args: A
  /** What the asker has to confirm: true, or a function whose preview is shown (null: no need). */
  readonly confirm?: true | { preview(args: z.output<A>, context: CommandContext<S>): Previewed }['preview']
  /** Changes something: its words must be exact, no abbreviation. */
  readonly mutates?: true
  /** Agents may do it whatever their engagement says: what it does, it does for the one who asks. */
  readonly agents?: true
  /** Never waits behind other commands and is never limited: stop and its kin. */
  readonly urgent?: true
  /** Help, reference and tests at once. */
  readonly examples: readonly Example[]
  run(context: CommandContext<S>, args: z.output<A>): Promise<Answer | string>
}

/** Of a declaration: for everybody, and for agents whatever their engagement says. */
export const anybody = { role: 'guest', agents: true } as const

/** Of a declaration: it changes something, on the word of `role` or above, and all who read the place hear of it. */
export const changes = (role: Role) => ({ role, reply: 'public', mutates: true }) as const

type Previewed = Preview | string | null | Promise<Preview | string | null>

const namePattern = /^[a-z][a-z0-9-]*( [a-z][a-z0-9-]*)?$/

const nothing = z.object({})
type Nothing = typeof nothing

/**
 * The maker of one bot's declarations; one without `args` takes none. The object is used as it is, never copied.
 * Throws a plain `Error` at start when a declaration contradicts itself.
 */
export const commandsOf =
  <S>(bot: string) =>
  <A extends z.ZodObject = Nothing>(
    declaration: Omit<Command<S, A>, 'bot' | 'args'> & Partial<Pick<Command<S, A>, 'args'>>,
  ): Command<S, A> => {
    const command = Object.assign(declaration, { bot, args: declaration.args ?? (nothing as z.ZodObject as A) })
    check(command)
    return command
  }

function check(command: Omit<Command<never>, 'bot' | 'run' | 'confirm'> & { confirm?: unknown }): void {
  const wrong = (why: string): never => {
    throw new Error(`command '${command.name}': ${why}`)
  }
  for (const name of [command.name, ...(command.aliases ?? [])]) {
    if (!namePattern.test(name)) wrong(`'${name}' is not one or two lower-case words`)
  }
  const fields = fieldsOf(command.args)
  const places = fields.filter(field => field.form === 'positional' || field.form === 'list' || field.form === 'rest')
  if (places.slice(0, -1).some(field => field.form !== 'positional')) wrong('rest and array arguments come last')
  if (places.some((field, at) => field.required && places[at - 1]?.required === false)) {
    wrong('a required argument stands after an optional one')
  }
  if (command.confirm && fields.some(isSecret)) wrong('a secret can not wait for a confirmation')
  if (command.examples.length === 0) wrong('an example is missing')
}
