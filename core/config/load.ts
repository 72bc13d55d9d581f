import { readFileSync } from 'node:fs'
import { LineCounter, type Document, isMap as isYamlMap, isNode, parseDocument } from 'yaml'
import type { z } from 'zod'
import { ChanopError } from '../error.ts'
import { nearest } from '../nearest.ts'
import { keysOf, literalsOf, resolve, schemaAt } from './schema.ts'

type Path = readonly PropertyKey[]

/** One fault of a configuration: where and what, without the file. */
export interface Fault {
  readonly path: Path
  readonly message: string
  /** The fault is the key itself, not its value. */
  readonly key?: string
}

const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((inside, key) => (inside as Record<PropertyKey, unknown> | undefined)?.[key], value)

function unknownKey(schema: z.ZodType, value: unknown, path: Path, key: string): Fault {
  const keys = keysOf(schemaAt(schema, path, value))
  const near = nearest(key, keys) ?? keys.find(known => known.toLowerCase().includes(key.toLowerCase()))
  const hint = near ? `did you mean '${near}'?` : `known keys: ${keys.join(', ')}`
  return { path, key, message: `unknown key '${[...path, key].join('.')}'; ${hint}` }
}

function unionFault(schema: z.ZodType, value: unknown, path: Path): Fault {
  const node = schemaAt(schema, path, value)
  const inside = valueAt(value, path)
  const kinds = node ? literalsOf(node, 'kind') : []
  const kind = (inside as Record<string, unknown> | null)?.['kind']
  if (kinds.length > 0 && !kinds.includes(kind)) {
    const near = typeof kind === 'string' ? nearest(kind, kinds.map(String)) : null
    const hint = near ? `did you mean '${near}'?` : `known kinds: ${kinds.join(', ')}`
    return {
      path: kind === undefined ? path : [...path, 'kind'],
      message: `'${[...path, 'kind'].join('.')}' is ${kind === undefined ? 'missing' : `'${String(kind)}'`}; ${hint}`,
    }
  }
  return { path, message: `'${path.join('.')}' has no allowed form` }
}

/** The first thing wrong with `value`, or null. */
export function faultOf(schema: z.ZodType, value: unknown, at: Path = []): Fault | null {
  const parsed = schema.safeParse(value)
  if (parsed.success) return null
  const issue = parsed.error.issues[0] as z.core.$ZodIssue
  const inner = issue.path
  const under = (fault: Fault): Fault => ({ ...fault, path: [...at, ...fault.path], message: fault.message })
  if (issue.code === 'unrecognized_keys') return under(unknownKey(schema, value, inner, issue.keys[0] as string))
  if (issue.code === 'invalid_union') {
    const node = schemaAt(schema, inner, value)
    const inside = valueAt(value, inner)
    const option = node && resolve(node, inside)
    const fault = option && option !== schema && keysOf(option).length > 0 ? faultOf(option, inside) : null
    if (!fault) return under(unionFault(schema, value, inner))
    const prefix = inner.join('.')
    const message = fault.message.replace(/^(unknown key )?'/, start => `${start}${prefix}.`)
    return under({ ...fault, path: [...inner, ...fault.path], message })
  }
  const given = valueAt(value, inner)
  const what = given === undefined && issue.code === 'invalid_type' ? 'is missing' : issue.message
  return under({
    path: inner,
    message: `'${inner.join('.') || 'the whole file'}' ${what === 'is missing' ? what : `is wrong: ${what}`}`,
  })
}

/** Line of a fault in the file, counted from 1. */
function lineOf(document: Document, lines: LineCounter, fault: Fault): number {
  for (let path = [...fault.path]; ; path.pop()) {
    const node = path.length === 0 ? document.contents : document.getIn(path, true)
    if (fault.key && path.length === fault.path.length && isYamlMap(node)) {
      const pair = node.items.find(item => String((item.key as { value?: unknown } | null)?.value) === fault.key)
      const key = pair?.key
      if (isNode(key) && key.range) return lines.linePos(key.range[0]).line
    }
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
    if (path.length === 0) return 1
  }
}

/** Parses a configuration text. Throws `config-invalid`: one line with file, line, key and the nearest valid key. */
export function parseConfig(source: string, file: string, schema: z.ZodType): unknown {
  const lines = new LineCounter()
  const document = parseDocument(source, { lineCounter: lines, uniqueKeys: true })
  const broken = document.errors[0]
  if (broken) {
    const line = broken.linePos?.[0].line ?? 1
    throw new ChanopError('config-invalid', `${file}:${line}: not YAML: ${broken.message.split('\n')[0]}`)
  }
  const raw: unknown = document.toJS() ?? {}
  const fault = faultOf(schema, raw)
  if (fault) throw new ChanopError('config-invalid', `${file}:${lineOf(document, lines, fault)}: ${fault.message}`)
  return raw
}

/** Reads a configuration file: its values as written (without defaults). Throws `config-invalid`. */
export function readConfig(file: string, schema: z.ZodType): unknown {
  let source: string
  try {
    source = readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const fix = code === 'ENOENT' ? 'it is not there: npm start makes one' : `it can not be read (${code})`
    throw new ChanopError('config-invalid', `${file}: ${fix}`, { cause: error })
  }
  return parseConfig(source, file, schema)
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const inside of Object.values(value)) freeze(inside)
  return Object.freeze(value)
}

/** The checked, frozen configuration with all defaults. */
export const loadConfig = <S extends z.ZodType>(file: string, schema: S): z.output<S> =>
  freeze(schema.parse(readConfig(file, schema)))

export { freeze }
