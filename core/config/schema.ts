import type { z } from 'zod'
import { isRecord } from '../loose.ts'
import { def, unwrap } from '../zod.ts'

/** Whether the literals of an object schema (`kind: irc`) are those of `value`. */
function fits(option: z.ZodType, value: unknown): boolean {
  const shape = def(unwrap(option)).shape
  if (!shape || !isRecord(value)) return !shape
  return Object.entries(shape).every(([key, field]) => {
    const inner = def(unwrap(field))
    if (inner.type !== 'literal') return true
    const given = value[key] ?? (def(field).type === 'default' ? def(field).defaultValue : undefined)
    return inner.values?.includes(given) ?? true
  })
}

/** The schema that applies to `value`: of a union, the option whose literals fit. */
export function resolve(schema: z.ZodType, value: unknown): z.ZodType {
  const plain = unwrap(schema)
  const options = def(plain).options
  // Forms without keys are not told apart by any: all of them apply.
  if (!options?.some(option => def(resolve(option, value)).shape)) return plain
  for (const option of options) {
    const resolved = resolve(option, value)
    if (!def(resolved).options && fits(resolved, value)) return resolved
  }
  return plain
}

/** The schema of the value at `path` inside `value`, or null when there is none. */
export function schemaAt(schema: z.ZodType, path: readonly PropertyKey[], value: unknown): z.ZodType | null {
  const here = resolve(schema, value)
  const [key, ...rest] = path
  if (key === undefined) return here
  const { shape, valueType, element } = def(here)
  const own = shape && Object.hasOwn(shape, String(key)) ? shape[String(key)] : undefined
  const next = shape ? own : (valueType ?? element)
  const inside = isRecord(value) || Array.isArray(value) ? (value as Record<PropertyKey, unknown>)[key] : undefined
  return next ? schemaAt(next, rest, inside) : null
}

const unsafe = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * The path that a dotted key means, or null when the schema has no such place. Names in a map (`models`, `ignore`) may
 * hold dots themselves: `models.gpt-4.1.priority` is `models`, `gpt-4.1`, `priority`.
 */
export function pathIn(schema: z.ZodType, parts: readonly string[], value: unknown): string[] | null {
  const [first, ...rest] = parts
  if (first === undefined) return []
  const { shape, valueType } = def(resolve(schema, value))
  const inside = (name: string): unknown => (isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined)
  if (shape) {
    const field = Object.hasOwn(shape, first) && shape[first]
    const below = field && pathIn(field, rest, inside(first))
    return below ? [first, ...below] : null
  }
  if (!valueType || parts.some(part => unsafe.has(part))) return null
  for (let length = 1; length <= parts.length; length++) {
    const name = parts.slice(0, length).join('.')
    const below = pathIn(valueType, parts.slice(length), inside(name))
    if (below) return [name, ...below]
  }
  return null
}

/** The keys an object of this schema may have; none for other kinds. */
export const keysOf = (schema: z.ZodType | null): string[] => Object.keys((schema && def(schema).shape) ?? {})

/** All literals that the options of a union allow for `key`: the known kinds. */
export function literalsOf(schema: z.ZodType, key: string): unknown[] {
  const plain = unwrap(schema)
  const { options, shape } = def(plain)
  if (options) return [...new Set(options.flatMap(option => literalsOf(option, key)))]
  const field = shape?.[key]
  return field ? [...(def(unwrap(field)).values ?? [])] : []
}

/** The keys by whose literals the options of a union are told apart, `kind` first. */
export function literalKeysOf(schema: z.ZodType): string[] {
  const { options, shape } = def(unwrap(schema))
  if (options)
    return [...new Set(options.flatMap(literalKeysOf))].sort((a, b) => Number(b === 'kind') - Number(a === 'kind'))
  return Object.keys(shape ?? {}).filter(key => def(unwrap(shape?.[key] as z.ZodType)).type === 'literal')
}

/** What stands at a path; undefined where nothing does. */
export const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (inside, key) =>
      typeof inside === 'object' && inside !== null && Object.hasOwn(inside, key)
        ? (inside as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  )
