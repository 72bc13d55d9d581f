import { parseDuration } from '../../core/text.ts'

/**
 * `2h`, `3d` (ago), `2026-04-01`, `2026-04-01T18:00`, `today`, `yesterday`, `18:00` (the last one that was): Unix ms, in
 * UTC like every time the scribe shows; null when it is none.
 */
export function timeOf(written: string, nowMs: number): number | null {
  const word = written.trim().toLowerCase()
  const agoMs = parseDuration(word)
  if (agoMs !== null) return nowMs - agoMs
  const dayMs = 86_400_000
  const todayMs = Math.floor(nowMs / dayMs) * dayMs
  if (word === 'today') return todayMs
  if (word === 'yesterday') return todayMs - dayMs
  const clock = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(word)
  if (clock) {
    const atMs = todayMs + (Number(clock[1]) * 60 + Number(clock[2])) * 60_000
    return atMs > nowMs ? atMs - dayMs : atMs
  }
  const date = /^(\d{4}-\d{2}-\d{2})(?:[t ](\d{2}:\d{2}(?::\d{2})?)z?)?$/.exec(word)
  if (!date) return null
  const atMs = Date.parse(`${date[1]}T${date[2] ?? '00:00'}Z`)
  // 2026-02-31 would become a day of March.
  return Number.isNaN(atMs) || new Date(atMs).toISOString().slice(0, 10) !== date[1] ? null : atMs
}
