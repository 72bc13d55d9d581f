import type { z } from 'zod'
import { isRecord } from '../loose.ts'
import { nearest } from '../text/nearest.ts'
import { maskKeys } from '../vault/key-shapes.ts'
import { def } from '../zod.ts'
import { keysOf, literalKeysOf, literalsOf, resolve, schemaAt, valueAt } from './schema.ts'

type Path = readonly PropertyKey[]

/** One fault of a configuration: where and what, without the file. Names keys and never shows a value: it may be a secret. */
export interface Fault {
  readonly path: Path
  readonly message: string
  /** The fault is the key itself, not its value. */
  readonly key?: string
}

const quoted = (path: Path): string => (path.length === 0 ? 'the whole file' : `'${path.join('.')}'`)

/** Where a fault is; an item of a list by its number and, where that can be no secret, as it was written. */
function placeOf(path: Path, given: unknown): string {
  const at = path.at(-1)
  if (typeof at !== 'number') return quoted(path)
  const plain = typeof given === 'number' || typeof given === 'string' ? String(given) : ''
  const shown = /^\S{1,60}$/.test(plain) && maskKeys(plain) === plain ? ` (${plain})` : ''
  return `item ${at + 1} of ${quoted(path.slice(0, -1))}${shown}`
}

function unknownKey(schema: z.ZodType, value: unknown, path: Path, key: string): Fault {
  const union = unionAt(schema, path, value)
  const told = union && discriminatorFault(union, valueAt(value, path), path)
  if (told) return told
  const keys = keysOf(schemaAt(schema, path, value))
  const part = keys.find(known => key.length > 2 && known.toLowerCase().includes(key.toLowerCase()))
  const near = nearest(key, keys) ?? part
  const hint = near ? `did you mean '${near}'?` : `known keys: ${keys.join(', ')}`
  return { path, key, message: `unknown key ${quoted([...path, key])}; ${hint}` }
}

/** `must be one of a, b`, with the one that is near to what was written. */
function oneOf(values: readonly unknown[], given: unknown): string {
  const words = values.map(String)
  const near = typeof given === 'string' ? nearest(given, words) : null
  return `must be ${words.length > 1 ? 'one of ' : ''}${words.join(', ')}${near ? `; did you mean '${near}'?` : ''}`
}

const types: Record<string, string> = {
  string: 'text (in quotes)',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys and values',
  record: 'a map of names and values',
}

/** What is wrong with a value, as the rest of `KEY …`: in words, whatever zod would say. */
export function reasonOf(issue: z.core.$ZodIssue, given: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return given === undefined ? 'is missing' : `must be ${types[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return given === undefined ? 'is missing' : oneOf(issue.values, given)
    case 'too_small':
    case 'too_big': {
      const of = issue.origin === 'array' ? ' items' : issue.origin === 'string' ? ' characters' : ''
      const bound = issue.code === 'too_small' ? issue.minimum : issue.maximum
      const strict = issue.inclusive === false
      const side = issue.code === 'too_small' ? (strict ? 'more than' : 'at least') : strict ? 'less than' : 'at most'
      return `must be ${side} ${bound}${of}`
    }
    case 'invalid_key':
      return `is no good name: ${ownWords(issue.issues[0])}`
    case 'invalid_union':
      return unionReason(issue.errors, given)
    case 'unrecognized_keys':
      return `can not hold ${issue.keys.map(key => `'${key}'`).join(', ')}`
    default:
      return `is wrong: ${ownWords(issue)}`
  }
}

/** Of the forms that a value may have, what is wrong by the one it was meant to have; by each where it can be none. */
function unionReason(errors: readonly (readonly z.core.$ZodIssue[])[], given: unknown): string {
  const firsts = errors.flatMap(([first]) => first ?? [])
  const meant = firsts.filter(({ code }) => code !== 'invalid_type' && code !== 'invalid_value')
  const reasons = (meant.length > 0 ? meant : firsts).map(issue => reasonOf(issue, given))
  const distinct = [...new Set(reasons)].map((reason, at) => (at === 0 ? reason : reason.replace(/^must be /, '')))
  return distinct.length === 0 ? 'has no allowed form' : distinct.join(', or ')
}

/** What a schema says itself about a pattern or a form. Zod's own sentence shows the pattern, and helps nobody. */
const ownWords = (issue: z.core.$ZodIssue | undefined): string =>
  issue?.code === 'invalid_format' && issue.message.startsWith('Invalid ')
    ? 'see the documentation for what it looks like'
    : (issue?.message ?? 'see the example')

/** A key that tells the forms of a union apart (`kind`) and holds none of their values. */
function discriminatorFault(node: z.ZodType, inside: unknown, path: Path): Fault | null {
  if (inside !== null && inside !== undefined && !isRecord(inside)) {
    return { path, message: `${quoted(path)} must be ${types['object']}` }
  }
  for (const key of literalKeysOf(node)) {
    const values = literalsOf(node, key)
    const given = inside?.[key]
    if (given === undefined && key === 'kind') {
      return { path, message: `${quoted([...path, key])} is missing; it must be one of ${values.join(', ')}` }
    }
    if (given === undefined || values.includes(given)) continue
    return { path: [...path, key], message: `${quoted([...path, key])} ${oneOf(values, given)}` }
  }
  return null
}

function unionFault(schema: z.ZodType, value: unknown, path: Path): Fault {
  const inside = valueAt(value, path)
  const node = schemaAt(schema, path, value)
  const told = node && discriminatorFault(unionAt(schema, path, value) ?? node, inside, path)
  if (told) return told
  const option = node && resolve(node, inside)
  const fault = option && option !== schema && keysOf(option).length > 0 ? faultOf(option, inside) : null
  if (!fault) return { path, message: `${quoted(path)} has no allowed form` }
  const prefix = path.join('.')
  const message = fault.message.replace(/^(unknown key |item \d+ of )?'/, start => `${start}${prefix}.`)
  return { ...fault, path: [...path, ...fault.path], message }
}

/** The union itself at a path, where `schemaAt` gives the form of it that fits. */
function unionAt(schema: z.ZodType, path: Path, value: unknown): z.ZodType | null {
  const last = path.at(-1)
  if (last === undefined) return schema
  const parent = schemaAt(schema, path.slice(0, -1), value)
  return parent && fieldOf(parent, last)
}

function fieldOf(parent: z.ZodType, key: PropertyKey): z.ZodType | null {
  const { shape, valueType, element } = def(parent)
  return shape?.[String(key)] ?? valueType ?? element ?? null
}

/** The first thing wrong with `value`, or null. A mistyped key goes before the missing one that it causes. */
export function faultOf(schema: z.ZodType, value: unknown): Fault | null {
  const parsed = schema.safeParse(value)
  if (parsed.success) return null
  const { issues } = parsed.error
  const first = issues[0] as z.core.$ZodIssue
  const mistyped = issues.find(issue => issue.code === 'unrecognized_keys')
  if (mistyped && (first === mistyped || first.path.length === mistyped.path.length + 1)) {
    return unknownKey(schema, value, mistyped.path, mistyped.keys[0] as string)
  }
  if (first.code === 'invalid_union') return unionFault(schema, value, first.path)
  return {
    path: first.path,
    message: `${placeOf(first.path, valueAt(value, first.path))} ${reasonOf(first, valueAt(value, first.path))}`,
  }
}
