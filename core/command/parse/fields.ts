import type { z } from 'zod'

/** How an argument is typed. `list`: all words that are left; `rest`: the text to the end as it is. */
export type Form = 'positional' | 'list' | 'rest' | 'named' | 'flag'

/** One argument of a command as plain data: what help shows and what a line is cut by. */
export interface Field {
  readonly key: string
  readonly form: Form
  readonly required: boolean
  readonly default?: string
  /** The words an enum allows. */
  readonly values?: readonly string[]
  readonly secret?: true
  readonly about?: string
}

interface Def {
  readonly type: string
  readonly innerType?: z.ZodType
  readonly in?: z.ZodType
  readonly defaultValue?: unknown
  readonly entries?: Readonly<Record<string, unknown>>
}

const def = (schema: z.ZodType): Def => schema._zod.def as unknown as Def

/** The schema and everything it wraps, outermost first. */
function layers(schema: z.ZodType): z.ZodType[] {
  const { innerType, in: input } = def(schema)
  const inner = innerType ?? input
  return inner ? [schema, ...layers(inner)] : [schema]
}

function fieldOf(key: string, schema: z.ZodType): Field {
  const all = layers(schema)
  const meta: Record<string, unknown> = Object.assign({}, ...all.map(layer => layer.meta() ?? {}).reverse())
  const core = def(all.at(-1) as z.ZodType)
  const fallback = all.map(def).find(layer => layer.type === 'default' || layer.type === 'prefault')?.defaultValue
  const form: Form =
    meta['flag'] || core.type === 'boolean'
      ? 'flag'
      : meta['named']
        ? 'named'
        : meta['rest']
          ? 'rest'
          : core.type === 'array'
            ? 'list'
            : 'positional'
  return {
    key,
    form,
    required: schema._zod.optin === undefined,
    ...(fallback === undefined || form === 'flag'
      ? {}
      : { default: typeof fallback === 'string' ? fallback : JSON.stringify(fallback) }),
    ...(core.entries ? { values: Object.values(core.entries).map(String) } : {}),
    ...(meta['secret'] ? { secret: true } : {}),
    ...(typeof meta['description'] === 'string' ? { about: meta['description'] } : {}),
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

function shown(field: Field): string {
  const name = field.values && field.values.length <= 5 ? field.values.join('|') : field.key
  if (field.form === 'flag') return `[--${field.key}]`
  if (field.form === 'named') return field.required ? `${field.key}=…` : `[${field.key}=…]`
  const tail = field.form === 'positional' ? '' : '…'
  return field.required ? `<${name}${tail}>` : `[${name}${tail}]`
}

/** `role grant <who> <owner|operator|member|guest> [for=…]`. */
export const usageOf = (name: string, fields: readonly Field[]): string => [name, ...fields.map(shown)].join(' ')
