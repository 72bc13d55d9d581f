import { isDeepStrictEqual } from 'node:util'
import type { Role } from '../../access/role.ts'
import { ChanopError } from '../../error.ts'
import { getMeta, setMeta } from '../../ledger/meta.ts'
import { addDeclaration, declarations, dropDeclarationsOf } from '../../ledger/settings/declarations.ts'
import type { Tx } from '../../ledger/tx.ts'
import type { Command } from '../command.ts'
import { type Field, fieldsOf, isSecret, usageOf } from '../parse/fields.ts'

/** What every process knows of a command, whoever owns it: a declaration as plain data. */
export interface Published {
  readonly name: string
  readonly bot: string
  readonly aliases: readonly string[]
  readonly summary: string
  readonly role: Role
  readonly scope: 'room' | 'everywhere'
  readonly reply: 'public' | 'private'
  readonly where: 'dm' | null
  readonly mutates: boolean
  readonly agents: boolean
  readonly confirms: boolean
  readonly usage: string
  readonly fields: readonly Field[]
  readonly examples: readonly string[]
}

export function publishedOf(command: Command<never>): Published {
  const fields = fieldsOf(command.args)
  return {
    name: command.name,
    bot: command.bot,
    aliases: command.aliases ?? [],
    summary: command.summary,
    role: command.role,
    scope: command.scope ?? 'everywhere',
    reply: command.reply,
    where: command.where ?? null,
    mutates: command.mutates ?? false,
    agents: command.agents ?? false,
    confirms: command.confirm !== undefined,
    usage: usageOf(command.name, fields),
    fields,
    examples: command.examples.map(([said]) => said),
  }
}

const versionKey = 'commands_version'

export const readPublished = (tx: Tx): Published[] =>
  declarations(tx).map(declaration => JSON.parse(declaration) as Published)

const namesOf = ({ name, aliases }: Pick<Published, 'name' | 'aliases'>): readonly string[] => [name, ...aliases]

/**
 * Makes a bot's commands known to all processes, in place of those it had. Throws `conflict` when two commands, of
 * whatever bots, want one name or alias.
 */
export function publish(tx: Tx, bot: string, commands: readonly Command<never>[]): void {
  const wanted = commands.map(publishedOf)
  const before = readPublished(tx).filter(each => each.bot === bot)
  const byName = (one: Published, other: Published): number => (one.name < other.name ? -1 : 1)
  // A start that changes nothing writes nothing: it works on a full disk too.
  const now = JSON.parse(JSON.stringify(wanted.toSorted(byName))) as unknown
  if (isDeepStrictEqual(before.toSorted(byName), now)) return
  const taken = new Map<string, string>()
  for (const other of readPublished(tx)) {
    if (other.bot !== bot) for (const name of namesOf(other)) taken.set(name, other.bot)
  }
  dropDeclarationsOf(tx, bot)
  for (const declaration of wanted) {
    if (declaration.bot !== bot) throw new Error(`command '${declaration.name}' was declared for ${declaration.bot}`)
    for (const name of namesOf(declaration)) {
      const owner = taken.get(name)
      if (owner)
        throw new ChanopError('conflict', `command '${name}' of ${bot} belongs to ${owner}: rename one of them`)
      taken.set(name, bot)
    }
    addDeclaration(tx, declaration.name, bot, JSON.stringify(declaration))
  }
  refuseMixed(bot, readPublished(tx))
  setMeta(tx, versionKey, `${Number(getMeta(tx, versionKey) ?? 0) + 1}`)
}

/** A name that both stands alone and has verbs can't be told to platforms that know commands and groups of them. */
function refuseMixed(bot: string, all: readonly Published[]): void {
  const alone = new Map(all.map(command => [command.name, command.bot]))
  for (const { name, bot: owner } of all) {
    const other = name.includes(' ') ? alone.get(name.split(' ')[0] as string) : undefined
    if (other === undefined || (owner !== bot && other !== bot)) continue
    throw new ChanopError('conflict', `'${name}' of ${owner}: its first word is a command of ${other} already`)
  }
}

/** All commands of all bots, read anew when one of them publishes. */
export class Catalogue {
  #version: string | null = null
  #all: readonly Published[] = []
  #byName: ReadonlyMap<string, Published> = new Map()
  #secretTakers: readonly string[] = []

  /** The newest; cheap to call for each command. */
  refresh(tx: Tx): this {
    const now = getMeta(tx, versionKey) ?? ''
    if (now === this.#version) return this
    this.#all = readPublished(tx)
    this.#byName = new Map(this.#all.flatMap(command => namesOf(command).map(name => [name, command] as const)))
    const takers = this.#all.filter(({ fields }) => fields.some(isSecret))
    this.#secretTakers = takers.flatMap(namesOf).filter(name => name.includes(' '))
    this.#version = now
    return this
  }

  get all(): readonly Published[] {
    return this.#all
  }

  /** Names and aliases, of two words, of the commands that take a secret. */
  get secretTakers(): readonly string[] {
    return this.#secretTakers
  }

  named(name: string): Published | undefined {
    return this.#byName.get(name)
  }

  get names(): string[] {
    return [...this.#byName.keys()]
  }

  /** Commands whose first word is `noun`. */
  family(noun: string): Published[] {
    return this.#all.filter(({ name }) => name === noun || name.startsWith(`${noun} `))
  }
}
