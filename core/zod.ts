/** The one reader of zod's internals: what a schema is made of, which its public interface does not tell. */
import { z } from 'zod'

export interface Def {
  readonly type: string
  readonly innerType?: z.ZodType
  readonly in?: z.ZodType
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly valueType?: z.ZodType
  readonly element?: z.ZodType
  readonly options?: readonly z.ZodType[]
  readonly values?: readonly unknown[]
  readonly entries?: Readonly<Record<string, unknown>>
  readonly defaultValue?: unknown
}

export const def = (schema: z.ZodType): Def => schema._zod.def as unknown as Def

/** The schema and everything it wraps (default, optional, nullable, readonly, the input of a pipe), outermost first. */
export function layers(schema: z.ZodType): readonly [z.ZodType, ...z.ZodType[]] {
  const { innerType, in: input } = def(schema)
  const inner = innerType ?? input
  return inner ? [schema, ...layers(inner)] : [schema]
}

/** The schema without its wrappers. */
export const unwrap = (schema: z.ZodType): z.ZodType => layers(schema).at(-1) as z.ZodType

/** Whether its key may be left out. */
export const isOptional = (schema: z.ZodType): boolean => schema._zod.optin !== undefined

/** Settings that belong together: each has a default, so that none of them has to be written. */
export const section = <S extends z.ZodRawShape>(shape: S) =>
  z.strictObject(shape).prefault({} as z.input<z.ZodObject<S, z.core.$strict>>)
