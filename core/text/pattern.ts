import type * as Re2js from 're2js'
import { lazily } from '../process/lazily.ts'

const re2js = lazily<typeof Re2js>('re2js')

/** Patterns that operators write: RE2, whose time is linear in the text whatever is written. */
export type Pattern = Re2js.RE2JS

const compiled = new Map<string, Pattern>()
const mostKept = 1000
/** Linear is not fast: `.{0,1000}` twenty times over takes seconds for one long message, in which nobody is heard. */
const mostSteps = 1000

/** The pattern, without regard to case. Throws when it is none, or takes too long. */
export function pattern(written: string): Pattern {
  const known = compiled.get(written)
  if (known) return known
  const { RE2JS } = re2js()
  const made = RE2JS.compile(written, RE2JS.CASE_INSENSITIVE)
  const steps = made.programSize()
  if (steps > mostSteps) throw new Error(`it has ${steps} steps, ${mostSteps} are possible: repeat fewer times`)
  if (compiled.size >= mostKept) compiled.clear()
  compiled.set(written, made)
  return made
}

/** Why a text is no pattern, in one line; null: it is one. */
export function patternFault(written: string): string | null {
  try {
    pattern(written)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

export const matches = (written: string, text: string): boolean => pattern(written).matcher(text).find()

/** Every match replaced; `$1` is the first group. */
export const replaced = (text: string, find: string, by: string): string => pattern(find).matcher(text).replaceAll(by)
