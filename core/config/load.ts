import { readFileSync } from 'node:fs'
import type { z } from 'zod'
import { ChanopError } from '../error.ts'
import { faultOf } from './fault.ts'
import { keepValue, keptValue } from './kept.ts'
import { parseYaml, YamlFault } from './yaml.ts'

/** Parses a configuration text. Throws `config-invalid`: one line with file, line, key and the nearest valid key. */
export function parseConfig(source: string, file: string, schema: z.ZodType): unknown {
  const invalid = (line: number, message: string): ChanopError =>
    new ChanopError('config-invalid', `${file}:${line}: ${message}`)
  try {
    const { value, lineOf } = parseYaml(source)
    const fault = faultOf(schema, value)
    if (fault) throw invalid(lineOf(fault), fault.message)
    return value
  } catch (error) {
    if (error instanceof YamlFault) throw invalid(error.line, error.message)
    throw error
  }
}

/**
 * Reads a configuration file: its values as written (without defaults). Throws `config-invalid`. `kept`: a file in which what it
 * said the last time may stand.
 */
export function readConfig(file: string, schema: z.ZodType, kept: string | null = null): unknown {
  let source: string
  try {
    source = readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const fix = code === 'ENOENT' ? 'it is not there: npm start makes one' : `it can not be read (${code})`
    throw new ChanopError('config-invalid', `${file}: ${fix}`, { cause: error })
  }
  const known = kept === null ? undefined : keptValue(kept, source)
  if (known !== undefined && !faultOf(schema, known)) return known
  const value = parseConfig(source, file, schema)
  if (kept !== null) keepValue(kept, source, value)
  return value
}

export function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const inside of Object.values(value)) freeze(inside)
  return Object.freeze(value)
}

/** The checked, frozen configuration with all defaults. */
export const loadConfig = <S extends z.ZodType>(file: string, schema: S): z.output<S> =>
  freeze(schema.parse(readConfig(file, schema)))
