import { parseMoment } from '../../../core/command/parse/values.ts'
import { ChanopError } from '../../../core/error.ts'
import { given } from '../../../core/given.ts'

/** A time that was given as `key=…`. Throws `usage`. */
export function momentOf(key: string, written: string, nowMs: number): number {
  const atMs = parseMoment(written, 'past', nowMs)
  if (atMs !== null) return atMs
  throw new ChanopError('usage', `${key}=${written.slice(0, 30)} is no time: write 2h (ago), 18:00 or 2026-04-01 (UTC)`)
}

/** `since` and `until` as a selection has them. Throws `usage`. */
export function spanOf(since: string | undefined, until: string | undefined, nowMs: number) {
  const sinceMs = since === undefined ? undefined : momentOf('since', since, nowMs)
  const untilMs = until === undefined ? undefined : momentOf('until', until, nowMs)
  if (sinceMs !== undefined && sinceMs > nowMs) {
    throw new ChanopError('usage', `since=${since} is still to come: write 2h (ago), 18:00 or 2026-04-01 (UTC)`)
  }
  if (sinceMs !== undefined && untilMs !== undefined && sinceMs >= untilMs) {
    throw new ChanopError('usage', `since=${since} is not before until=${until}: turn them round`)
  }
  return given({ sinceMs, untilMs })
}
