import type { z } from 'zod'
import { def, isOptional, layers } from '../../zod.ts'

/** How an argument is typed in text. `list`: all words that are left; `rest`: the text to the end as it is. */
export type Form = 'positional' | 'list' | 'rest' | 'named' | 'flag'

/**
 * What an argument is, for who asks without text: a slash command, an HTTP call, a tool. `place` is `network:channel` or a
 * channel of the asker's network; `room` a room's name; `person` a name or `network:account`; `selector` one or more
 * agents (`@worker,-w1`).
 */
export const fieldTypes = [
  'integer',
  'duration',
  'place',
  'room',
  'person',
  'selector',
  'choice',
  'flag',
  'secret',
  'text',
] as const
export type FieldType = (typeof fieldTypes)[number]

/** One argument of a command as plain data: what help shows and what a line is cut by. */
export interface Field {
  readonly key: string
  readonly type: FieldType
  readonly form: Form
  readonly required: boolean
  readonly default?: string
  readonly values?: readonly string[]
  readonly min?: number
  readonly max?: number
  readonly about?: string
}

const isType = (word: unknown): word is FieldType => (fieldTypes as readonly unknown[]).includes(word)

function typeOf(meta: Readonly<Record<string, unknown>>, form: Form, choice: boolean): FieldType {
  if (meta['secret']) return 'secret'
  if (form === 'flag') return 'flag'
  if (choice) return 'choice'
  return isType(meta['type']) ? meta['type'] : 'text'
}

function formOf(meta: Readonly<Record<string, unknown>>, core: string): Form {
  if (meta['flag'] || core === 'boolean') return 'flag'
  if (meta['named']) return 'named'
  if (meta['rest']) return 'rest'
  return core === 'array' ? 'list' : 'positional'
}

function fieldOf(key: string, schema: z.ZodType): Field {
  const all = layers(schema)
  const meta: Record<string, unknown> = Object.assign({}, ...all.map(layer => layer.meta() ?? {}).reverse())
  const core = def(all.at(-1) ?? schema)
  const fallback = all.map(def).find(layer => layer.type === 'default' || layer.type === 'prefault')?.defaultValue
  const form = formOf(meta, core.type)
  const { min, max, description } = meta
  return {
    key,
    type: typeOf(meta, form, core.entries !== undefined),
    form,
    required: !isOptional(schema),
    ...(fallback === undefined || form === 'flag'
      ? {}
      : { default: typeof fallback === 'string' ? fallback : JSON.stringify(fallback) }),
    ...(core.entries ? { values: Object.values(core.entries).map(String) } : {}),
    ...(typeof min === 'number' ? { min } : {}),
    ...(typeof max === 'number' ? { max } : {}),
    ...(typeof description === 'string' ? { about: description } : {}),
  }
}

const known = new WeakMap<z.ZodObject, readonly Field[]>()

/** The arguments of a declaration, in order. */
export function fieldsOf(schema: z.ZodObject): readonly Field[] {
  const fields =
    known.get(schema) ?? Object.entries(schema.shape).map(([key, field]) => fieldOf(key, field as z.ZodType))
  known.set(schema, fields)
  return fields
}

export const isSecret = ({ type }: Field): boolean => type === 'secret'

function shown(field: Field): string {
  const name = field.values && field.values.length <= 5 ? field.values.join('|') : field.key
  if (field.form === 'flag') return `[--${field.key}]`
  if (field.form === 'named') return field.required ? `${field.key}=…` : `[${field.key}=…]`
  const tail = field.form === 'positional' ? '' : '…'
  return field.required ? `<${name}${tail}>` : `[${name}${tail}]`
}

/** `role grant <who> <owner|operator|member|guest> [for=…]`. */
export const usageOf = (name: string, fields: readonly Field[]): string => [name, ...fields.map(shown)].join(' ')
