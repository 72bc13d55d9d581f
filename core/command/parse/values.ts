/** Kinds of argument for declarations. Each fault is one line that shows the form. */
import { z } from 'zod'
import { dayMs, parseDuration } from '../../text/text.ts'

/** The text to the end of the message, as typed. */
export const rest = (): z.ZodString => z.string().min(1).meta({ rest: true })

/** An argument that may be left out, and is given by its name alone: `key=value`. */
export function named<T extends z.ZodType>(value: T, about?: string): z.ZodOptional<T> {
  const field = value.optional().meta({ named: true })
  return about === undefined ? field : field.describe(about)
}

/** `--key`. */
export const flag = (about: string) => z.boolean().default(false).meta({ flag: true }).describe(about)

/** Some words with commas or blanks between them, each once: of those that are known, where they are. */
export const listOf = <Word extends string>(form: string, known?: readonly Word[]) =>
  z.string().transform((typed, context): Word[] => {
    const all = [...new Set(typed.split(/[\s,]+/).filter(Boolean))] as Word[]
    if (all.length > 0 && all.length <= 100 && all.every(word => known?.includes(word) ?? true)) return all
    return fail(context, `write ${form}`)
  })

/** Whole numbers typed as digits. */
export const whole = (min: number, max: number) =>
  z
    .string()
    .transform((typed, context): number => {
      const value = /^-?\d{1,15}$/.test(typed) ? Number(typed) : Number.NaN
      if (value >= min && value <= max) return value
      return fail(context, `'${typed.slice(0, 20)}' is no number from ${min} to ${max}`)
    })
    .meta({ type: 'integer', min, max })

/** What is longer nobody means, and a date so far away can't be written. */
const longestMs = 1e14

/** `90s`, `15m`, `2h`, `3d`, `1d12h` → milliseconds. */
export const durationMs = () =>
  z
    .string()
    .transform((typed, context): number => {
      const value = parseDuration(typed)
      if (value !== null && value > 0 && value <= longestMs) return value
      return fail(context, `'${typed.slice(0, 20)}' is no duration: write 90s, 15m, 2h or 3d`)
    })
    .meta({ type: 'duration' })

/** Unix ms of `now`, `2026-04-01`, `2026-04-01T18:00`, `18:00`, `today`, `yesterday`, `tomorrow`, or `2h` from now; UTC. */
export function parseMoment(typed: string, direction: 'past' | 'future', nowMs: number): number | null {
  const word = typed.trim().toLowerCase()
  const todayMs = Math.floor(nowMs / dayMs) * dayMs
  if (word === 'now') return nowMs
  const day = { today: 0, yesterday: -1, tomorrow: 1 }[word]
  if (day !== undefined) return todayMs + day * dayMs
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(word)
  if (clock) {
    const atMs = todayMs + (Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3] ?? 0)) * 1000
    if (direction === 'past') return atMs > nowMs ? atMs - dayMs : atMs
    return atMs <= nowMs ? atMs + dayMs : atMs
  }
  const ago = parseDuration(word)
  if (ago !== null) return ago > longestMs ? null : direction === 'past' ? nowMs - ago : nowMs + ago
  const date = /^(\d{4}-\d\d-\d\d)(?:[t ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(z|[+-]\d\d:\d\d)?)?$/.exec(word)
  if (!date) return null
  const atMs = Date.parse(`${date[1]}T${date[2] ?? '00:00'}${(date[3] ?? 'z').toUpperCase()}`)
  // The 31st of February is no day, whatever `Date` makes of it.
  const midnightMs = Date.parse(`${date[1]}T00:00Z`)
  const real = !Number.isNaN(midnightMs) && new Date(midnightMs).toISOString().startsWith(date[1] as string)
  return real && !Number.isNaN(atMs) ? atMs : null
}

/** A moment in the past (`since=18:00`, `since=2h`) or the future (`until=tomorrow`) → Unix ms. */
export const moment = (direction: 'past' | 'future', now: () => number = Date.now) =>
  z.string().transform((typed, context): number => {
    const nowMs = now()
    const value = parseMoment(typed, direction, nowMs)
    const shown = typed.slice(0, 30)
    if (value !== null && direction === 'past' && value > nowMs) return fail(context, `'${shown}' is still to come`)
    if (value !== null && direction === 'future' && value <= nowMs) return fail(context, `'${shown}' is over already`)
    if (value !== null) return value
    return fail(context, `'${shown}' is no time: write 18:00, 2026-04-01, 2026-04-01T18:00 or 2h (UTC)`)
  })

/** The name of something that the command itself looks up. */
export const nameOf = (type: 'place' | 'room' | 'person' | 'selector') => z.string().min(1).meta({ type })

function fail(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message })
  return z.NEVER
}
