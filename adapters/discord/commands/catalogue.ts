import { isDeepStrictEqual } from 'node:util'
import type { NativeCommand, NativeField } from '../../../core/adapter.ts'
import { truncate } from '../../../core/text/text.ts'
import type { Api } from '../wire/api.ts'

/** Types of options (docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-option-type). */
export const optionTypes = { subcommand: 1, group: 2, string: 3, integer: 4, boolean: 5 } as const

export interface Option {
  readonly type: number
  readonly name: string
  readonly description: string
  readonly required?: boolean
  readonly choices?: readonly { readonly name: string; readonly value: string }[]
  readonly autocomplete?: boolean
  readonly min_value?: number
  readonly max_value?: number
  readonly options?: readonly Option[]
}

export interface Command {
  readonly type: 1
  readonly name: string
  readonly description: string
  readonly options?: readonly Option[]
}

const mostCommands = 100
const mostOptions = 25
const mostChoices = 25
const nameRule = /^[-_'\p{L}\p{N}]{1,32}$/u
const largest = 2 ** 53

/** Discord takes lower-case names only. */
export const optionName = (name: string): string => name.toLowerCase()

const described = (summary: string | undefined, name: string): string => truncate(summary ?? name, 100) || name

function optionOf(field: NativeField): Option {
  const { name, type, required, choices, min, max, summary } = field
  const common = { name: optionName(name), description: described(summary, name), required }
  if (type === 'flag') return { type: optionTypes.boolean, ...common }
  if (type === 'integer') {
    const bounds = {
      ...(min === undefined || min < -largest ? {} : { min_value: min }),
      ...(max === undefined || max > largest ? {} : { max_value: max }),
    }
    return { type: optionTypes.integer, ...common, ...bounds }
  }
  const words = (choices ?? []).filter(word => word.length >= 1 && word.length <= 100)
  if (words.length === 0) return { type: optionTypes.string, ...common }
  // More than a menu holds: those that begin as what is typed are offered.
  if (words.length > mostChoices) return { type: optionTypes.string, ...common, autocomplete: true }
  return { type: optionTypes.string, ...common, choices: words.map(word => ({ name: word, value: word })) }
}

const optionsOf = ({ fields }: NativeCommand): Option[] =>
  fields
    .filter(({ name }) => nameRule.test(optionName(name)))
    .slice(0, mostOptions)
    .map(optionOf)

const withOptions = (options: readonly Option[]): { options?: readonly Option[] } =>
  options.length === 0 ? {} : { options }

/** What Discord shows, and what there is no room for. */
export function catalogueOf(commands: readonly NativeCommand[]): { shown: Command[]; left: NativeCommand[] } {
  const shown = new Map<string, Command>()
  const left: NativeCommand[] = []
  for (const command of commands) {
    const [first = '', second, ...more] = command.name.split(' ')
    const known = shown.get(first)
    const siblings = known?.options ?? []
    // One that is a command itself is no group.
    const isGroup = siblings.some(({ type }) => type === optionTypes.subcommand)
    const fits = more.length === 0 && nameRule.test(first) && (second === undefined || nameRule.test(second))
    const room = known ? isGroup && second !== undefined && siblings.length < mostOptions : shown.size < mostCommands
    if (!fits || !room) {
      left.push(command)
      continue
    }
    const description = described(command.summary, command.name)
    const options = withOptions(optionsOf(command))
    if (second === undefined) shown.set(first, { type: 1, name: first, description, ...options })
    else {
      const sub = { type: optionTypes.subcommand, name: second, description, ...options }
      shown.set(first, { type: 1, name: first, description: known?.description ?? first, options: [...siblings, sub] })
    }
  }
  return { shown: [...shown.values()], left }
}

/** The same of what the platform gives back: what it adds, and what is as if it were not there, left out. */
function bare(node: unknown): unknown {
  const {
    type,
    name,
    description,
    required,
    choices,
    autocomplete,
    min_value: min,
    max_value: max,
    options,
  } = node as Option
  return {
    type,
    name,
    description,
    required: required === true,
    autocomplete: autocomplete === true,
    min: min ?? null,
    max: max ?? null,
    choices: (choices ?? []).map(choice => [choice.name, choice.value]),
    options: (options ?? []).map(bare),
  }
}

const inOrder = (commands: readonly Command[]): unknown[] =>
  commands.map(bare).toSorted((a, b) => ((a as Command).name < (b as Command).name ? -1 : 1))

/** Makes the application's commands these, and changes nothing that is so already. */
export async function show(
  api: Api,
  application: string,
  commands: readonly Command[],
  signal: AbortSignal,
): Promise<void> {
  const there = await api.get<Command[]>(`/applications/${application}/commands`, { signal })
  if (isDeepStrictEqual(inOrder(there), inOrder(commands))) return
  await api.put(`/applications/${application}/commands`, { body: commands, signal })
}
