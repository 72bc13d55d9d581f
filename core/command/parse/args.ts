import type { z } from 'zod'
import { type Field, fieldsOf, usageOf } from './fields.ts'
import { type Token, tokenise } from './grammar.ts'

/** The words of a line given to the arguments they belong to. */
export interface Assigned {
  readonly values: Readonly<Record<string, unknown>>
  /** The line as it may be kept: what is secret, or could be, is `***`. */
  readonly masked: string
  /** What does not fit, or null. */
  readonly fault: string | null
  /** A secret was typed. */
  readonly secret: boolean
}

const hidden = '***'

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
    this.#guarded = fields.some(field => field.secret)
  }

  /** Takes one word; true when the rest of the line went with it. */
  take(token: Token): boolean {
    if (!token.quoted && !this.#plain && this.#option(token)) return false
    while (this.#open[0] && this.#open[0].key in this.values && this.#open[0].form !== 'list') this.#open.shift()
    const field = this.#open[0]
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

  #option(token: Token): boolean {
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
    const shown = `${field.key}=${field.secret ? hidden : token.value}`
    if (field.key in this.values) this.fault ??= `${field.key} is given twice`
    if (field.form === 'list') for (const one of (token.value as string).split(',')) this.#add(field, one)
    else this.#set(field, token.value, '', shown)
    return true
  }

  #named(key: string, fits: (field: Field) => boolean): Field | undefined {
    const wanted = key.toLowerCase()
    return this.#fields.find(field => field.key.toLowerCase() === wanted && fits(field))
  }

  #set(field: Field, value: unknown, text: string, shown = field.secret ? hidden : text): void {
    this.values[field.key] = value
    if (field.secret) this.secret = true
    this.masked.push(shown)
  }

  #add(field: Field, text: string): void {
    const list = (this.values[field.key] ??= []) as string[]
    list.push(text)
    if (field.secret) this.secret = true
    this.#keep(text, field.secret)
  }

  #keep(text: string, secret: boolean | undefined): void {
    if (secret) this.secret = true
    this.masked.push(secret ? hidden : text)
  }
}

const shorten = (word: string): string => (word.length > 40 ? `${word.slice(0, 39)}…` : word)

/** Gives the words of `line` (without the command's own) to `fields`. */
export function assign(fields: readonly Field[], line: string): Assigned {
  const work = new Assignment(fields, line)
  for (const token of tokenise(line)) if (work.take(token)) break
  return { values: work.values, masked: work.masked.join(' ').slice(0, 2000), fault: work.fault, secret: work.secret }
}

export type Parsed<A extends z.ZodObject> =
  | { readonly ok: true; readonly args: z.output<A>; readonly masked: string; readonly secret: boolean }
  | { readonly ok: false; readonly fault: string; readonly masked: string; readonly secret: boolean }

/** One line that says what is wrong with an argument; never shows what was typed for a secret. */
function faultOf(issue: z.core.$ZodIssue, fields: readonly Field[], values: Readonly<Record<string, unknown>>): string {
  const field = fields.find(known => known.key === issue.path[0])
  if (!field) return issue.message
  const given = values[field.key]
  if (given === undefined) return `${field.key} is missing`
  if (field.secret) return `${field.key} can not be used`
  const said = `'${shorten(typeof given === 'string' ? given : JSON.stringify(given))}'`
  if (field.values) return `${field.key} is ${field.values.join(', ')}; not ${said}`
  if (issue.code === 'custom') return `${field.key}: ${issue.message}`
  return `${field.key}: ${said} does not fit: ${issue.message.replace(/^Invalid input: /, '').replace(/, received \w+$/, '')}`
}

/** Reads the arguments of one command from what follows its words. */
export function parseArgs<A extends z.ZodObject>(name: string, schema: A, line: string): Parsed<A> {
  const fields = fieldsOf(schema)
  const { values, masked, fault, secret } = assign(fields, line)
  const wrong = (what: string): Parsed<A> => ({
    ok: false,
    fault: `${what} · usage: ${usageOf(name, fields)}`,
    masked,
    secret,
  })
  if (fault) return wrong(fault)
  const folded = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      enumWord(
        fields.find(field => field.key === key),
        value,
      ),
    ]),
  )
  const parsed = schema.safeParse(folded)
  if (parsed.success) return { ok: true, args: parsed.data as z.output<A>, masked, secret }
  return wrong(faultOf(parsed.error.issues[0] as z.core.$ZodIssue, fields, values))
}

/** Words of an enum are compared without case. */
function enumWord(field: Field | undefined, value: unknown): unknown {
  if (!field?.values || typeof value !== 'string') return value
  return field.values.find(known => known.toLowerCase() === value.toLowerCase()) ?? value
}
