import type { z } from 'zod'
import { reasonOf } from '../../config/fault.ts'
import { type Field, fieldsOf, isSecret, usageOf } from './fields.ts'
import { normalise, type Token, tokenise } from './grammar.ts'

/** What was said given to the arguments it belongs to. */
export interface Assigned {
  readonly values: Readonly<Record<string, unknown>>
  /** The line as it may be kept: what is secret, or could be, is `***`. */
  readonly masked: string
  /** What does not fit, or null. */
  readonly fault: string | null
  readonly secret: boolean
}

const hidden = '***'
const mostMasked = 2000

class Assignment {
  readonly values: Record<string, unknown> = {}
  readonly masked: string[] = []
  fault: string | null = null
  secret = false
  readonly #fields: readonly Field[]
  readonly #line: string
  readonly #open: Field[]
  readonly #guarded: boolean
  #plain = false

  constructor(fields: readonly Field[], line: string) {
    this.#fields = fields
    this.#line = line
    this.#open = fields.filter(field => !['named', 'flag'].includes(field.form))
    this.#guarded = fields.some(isSecret)
  }

  /** Takes one word; true when the rest of the line went with it. */
  take(token: Token): boolean {
    while (this.#open[0] && this.#open[0].key in this.values && this.#open[0].form !== 'list') this.#open.shift()
    const field = this.#open[0]
    if (!token.quoted && !this.#plain && this.#option(token, field)) return false
    if (!field) {
      this.fault ??= this.#guarded ? 'too many words' : `too many words: '${shorten(token.text)}'`
      this.#keep(token.text, this.#guarded)
      return false
    }
    if (field.form === 'rest') {
      this.#set(field, this.#line.slice(token.from).trimEnd(), this.#line.slice(token.from))
      return true
    }
    if (field.form === 'list') this.#add(field, token.text)
    else this.#set(field, token.text, token.text)
    return false
  }

  #option(token: Token, next: Field | undefined): boolean {
    if (token.text === '--') {
      this.#plain = true
      return true
    }
    const flag = /^--?([a-zA-Z][a-zA-Z0-9_-]*)$/.exec(token.text)?.[1]
    const switched = flag && this.#named(flag, field => field.form === 'flag')
    if (switched) {
      this.#set(switched, true, '', `--${switched.key}`)
      return true
    }
    if (token.key === undefined) return false
    const field = this.#named(token.key, known => known.form !== 'flag' && known.form !== 'rest')
    if (!field) return false
    // Of what has its value already, before the text to the end: that text begins with it (`model set mini name=x`).
    if (field.form === 'positional' && field.key in this.values && next?.form === 'rest') return false
    const shown = `${field.key}=${isSecret(field) ? hidden : token.value}`
    if (field.key in this.values) this.fault ??= `${field.key} is given twice`
    if (field.form === 'list') for (const one of (token.value as string).split(',')) this.#add(field, one)
    else this.#set(field, token.value, '', shown)
    return true
  }

  #named(key: string, fits: (field: Field) => boolean): Field | undefined {
    const wanted = key.toLowerCase()
    return this.#fields.find(field => field.key.toLowerCase() === wanted && fits(field))
  }

  #set(field: Field, value: unknown, text: string, shown = isSecret(field) ? hidden : text): void {
    this.values[field.key] = value
    if (isSecret(field)) this.secret = true
    this.masked.push(shown)
  }

  #add(field: Field, text: string): void {
    const list = (this.values[field.key] ??= []) as string[]
    list.push(text)
    this.#keep(text, isSecret(field))
  }

  #keep(text: string, secret: boolean): void {
    if (secret) this.secret = true
    this.masked.push(secret ? hidden : text)
  }
}

const shorten = (word: string): string => (word.length > 40 ? `${word.slice(0, 39)}…` : word)

/** Gives the words of `line` (without the command's own) to `fields`. */
export function assign(fields: readonly Field[], line: string): Assigned {
  const work = new Assignment(fields, line)
  for (const token of tokenise(line)) if (work.take(token)) break
  return {
    values: work.values,
    masked: work.masked.join(' ').slice(0, mostMasked),
    fault: work.fault,
    secret: work.secret,
  }
}

/** A value given without text, as the text would have given it; undefined when it can be none of that form. */
function given({ form }: Field, value: unknown): string | boolean | readonly string[] | undefined {
  if (form === 'flag')
    return typeof value === 'boolean' ? value : value === 'true' || (value === 'false' ? false : undefined)
  if (form === 'list') {
    const text = word(value)
    return text === undefined ? undefined : tokenise(text).map(token => token.text)
  }
  return word(value)
}

const word = (value: unknown): string | undefined =>
  typeof value === 'string'
    ? normalise(value)
    : typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
      ? String(value)
      : undefined

/** Gives arguments that came as values, by their names, to `fields`: nothing is quoted, nothing depends on an order. */
export function assignGiven(fields: readonly Field[], args: Readonly<Record<string, unknown>>): Assigned {
  const guarded = fields.some(isSecret)
  const values: Record<string, unknown> = {}
  const masked: string[] = []
  let fault: string | null = null
  let secret = false
  for (const [key, value] of Object.entries(args)) {
    if (value === undefined || value === null) continue
    const field = fields.find(known => known.key === key)
    const taken = field && given(field, value)
    if (field && taken !== undefined) values[key] = taken
    else
      fault ??= field
        ? `${key}: ${field.form === 'flag' ? 'true or false' : 'text'} is needed`
        : unknownKey(key, guarded)
    const hide = guarded && (!field || isSecret(field))
    if (hide) secret = true
    const shown = typeof taken === 'object' ? taken.join(',') : (taken ?? '')
    masked.push(hide ? `${field ? `${key}=` : ''}${hidden}` : `${shorten(key)}=${shown}`)
  }
  return { values, masked: masked.join(' ').slice(0, mostMasked), fault, secret }
}

export const unknownKey = (key: string, guarded: boolean): string =>
  guarded ? 'there is an argument too many' : `there is no argument '${shorten(key)}'`

export type Parsed<A extends z.ZodObject> =
  | { readonly ok: true; readonly args: z.output<A> }
  | { readonly ok: false; readonly fault: string }

/** One line that says what is wrong with an argument; never shows what was typed for a secret. */
function faultOf(issue: z.core.$ZodIssue, fields: readonly Field[], values: Readonly<Record<string, unknown>>): string {
  const field = fields.find(known => known.key === issue.path[0])
  if (!field) return issue.message
  const value = values[field.key]
  if (value === undefined) return `${field.key} is missing`
  if (isSecret(field)) return `${field.key} can not be used`
  const said = `'${shorten(typeof value === 'string' ? value : JSON.stringify(value))}'`
  if (field.values) return `${field.key} is ${field.values.join(', ')}; not ${said}`
  if (issue.code === 'custom') return `${field.key}: ${issue.message}`
  return `${field.key}: ${said} ${reasonOf(issue, value)}`
}

/** Checks what was given to the arguments of one command. */
export function checkArgs<A extends z.ZodObject>(name: string, schema: A, { values, fault }: Assigned): Parsed<A> {
  const fields = fieldsOf(schema)
  const wrong = (what: string): Parsed<A> => ({ ok: false, fault: `${what} · usage: ${usageOf(name, fields)}` })
  if (fault) return wrong(fault)
  const folded = Object.entries(values).map(([key, value]) => [
    key,
    choiceWord(
      fields.find(field => field.key === key),
      value,
    ),
  ])
  const parsed = schema.safeParse(Object.fromEntries(folded))
  if (parsed.success) return { ok: true, args: parsed.data as z.output<A> }
  return wrong(faultOf(parsed.error.issues[0] as z.core.$ZodIssue, fields, values))
}

/** Words of a choice are compared without case. */
function choiceWord(field: Field | undefined, value: unknown): unknown {
  if (!field?.values || typeof value !== 'string') return value
  return field.values.find(known => known.toLowerCase() === value.toLowerCase()) ?? value
}
