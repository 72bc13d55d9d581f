import { parseMoment } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'

/** A time that was given as `key=…`. Throws `usage`. */
export function momentOf(key: string, written: string, nowMs: number): number {
  const atMs = parseMoment(written, 'past', nowMs)
  if (atMs !== null) return atMs
  throw new ChanopError('usage', `${key}=${written.slice(0, 30)} is no time: write 2h (ago), 18:00 or 2026-04-01 (UTC)`)
}

/** `since` and `until` as a selection has them. */
export const spanOf = (since: string | undefined, until: string | undefined, nowMs: number) => ({
  ...(since === undefined ? {} : { sinceMs: momentOf('since', since, nowMs) }),
  ...(until === undefined ? {} : { untilMs: momentOf('until', until, nowMs) }),
})
