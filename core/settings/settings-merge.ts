/** What chat changed, laid over what the file says. */
import type { z } from 'zod'
import { faultOf } from '../config/fault.ts'
import { pathIn, valueAt } from '../config/schema.ts'
import type { Override } from '../ledger/settings/settings.ts'

type Raw = Record<string, unknown>

/** Stored as the value of a key of a map (a room, somebody ignored): takes out what the file says. */
export const removed = '$removed'

export function assign(root: Raw, path: readonly string[], value: unknown): void {
  let inside = root
  for (const part of path.slice(0, -1)) {
    const next = valueAt(inside, [part])
    inside = (typeof next === 'object' && next !== null ? next : (inside[part] = {})) as Raw
  }
  const last = path.at(-1) as string
  if (value === undefined || value === removed) delete inside[last]
  else inside[last] = value
}

/** The file with overrides over it, valid or not; null when a key of theirs is none of the schema's. */
export function overlaid(schema: z.ZodType, raw: Raw, overrides: readonly Override[]): Raw | null {
  const merged = structuredClone(raw)
  for (const { key, value } of overrides) {
    const path = pathIn(schema, key.split('.'), merged)
    if (!path) return null
    assign(merged, path, structuredClone(value))
  }
  return merged
}

function valid(schema: z.ZodType, raw: Raw, overrides: readonly Override[]): Raw | null {
  const merged = overlaid(schema, raw, overrides)
  return merged && !faultOf(schema, merged) ? merged : null
}

/** The overrides that fit, in their order, and what comes of them. One that fits only together with others is kept with them. */
export function fitting(
  schema: z.ZodType,
  raw: Raw,
  overrides: readonly Override[],
): { readonly kept: readonly Override[]; readonly merged: Raw } {
  const whole = valid(schema, raw, overrides)
  if (whole) return { kept: overrides, merged: whole }
  let kept: readonly Override[] = []
  for (let before = -1; before < kept.length; ) {
    before = kept.length
    for (const override of overrides) {
      if (kept.includes(override)) continue
      const more = overrides.filter(one => one === override || kept.includes(one))
      if (valid(schema, raw, more)) kept = more
    }
  }
  return { kept, merged: valid(schema, raw, kept) ?? raw }
}
