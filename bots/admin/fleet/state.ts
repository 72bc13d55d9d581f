import type { Presence, PresenceState } from '../../../core/ledger/people/presence.ts'

export interface Evidence {
  /** What was known before; null: never seen. */
  readonly before: Presence | null
  /** In some channel now, as the network lists them. */
  readonly present: boolean
  /** Has sent a heartbeat: silence means that it hangs. */
  readonly beats: boolean
}

export interface Thresholds {
  readonly idleMinutes: number
  readonly offlineMinutes: number
}

const minuteMs = 60_000

/** What somebody's state is now; null: nobody ever saw them. `nextMs` is when time alone changes it. */
export function judge(
  { before, present, beats }: Evidence,
  { idleMinutes, offlineMinutes }: Thresholds,
  nowMs: number,
): (Presence & { readonly nextMs: number | null }) | null {
  if (!present) return before && gone(before, nowMs)
  const seen = before && before.state !== 'offline' ? before : returned(before, nowMs)
  const idleMs = seen.seenMs + idleMinutes * minuteMs
  const deadMs = beats ? seen.seenMs + offlineMinutes * minuteMs : null
  if (deadMs !== null && nowMs >= deadMs) return { ...as(seen, 'offline', seen.seenMs), nextMs: null }
  const next = (atMs: number): number => (deadMs === null ? atMs : Math.min(atMs, deadMs))
  if (nowMs >= idleMs) return { ...as(seen, 'idle', seen.seenMs), nextMs: deadMs }
  return { ...as(seen, 'online', nowMs), nextMs: next(idleMs) }
}

const as = (seen: Presence, state: PresenceState, sinceMs: number): Presence =>
  seen.state === state ? seen : { ...seen, state, sinceMs }

/** A leave that was told has its time; otherwise it is noticed now. */
function gone(before: Presence, nowMs: number): Presence & { nextMs: null } {
  return { ...as(before, 'offline', before.what === 'leave' ? before.seenMs : nowMs), nextMs: null }
}

/** Somebody is there who was not: the list of members says so even if no join was heard. Who only hangs is not back. */
function returned(before: Presence | null, nowMs: number): Presence {
  if (before !== null && before.seenMs > before.sinceMs) return { ...before, state: 'online', sinceMs: before.seenMs }
  const hangs = before !== null && before.seenMs === before.sinceMs && before.what !== 'leave'
  return hangs ? before : { state: 'online', sinceMs: nowMs, seenMs: nowMs, what: 'join' }
}
