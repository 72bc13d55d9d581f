/** The day and the month of a moment where the instance lives, and when they end. */
export interface Periods {
  /** `2026-11-28` */
  readonly day: string
  /** `2026-11` */
  readonly month: string
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** `timezone` null: this machine's. */
function formatOf(timezone: string | null): Intl.DateTimeFormat {
  const key = timezone ?? ''
  let format = formats.get(key)
  if (!format) {
    // Sweden writes dates as ISO 8601 does.
    const zone = timezone === null ? {} : { timeZone: timezone }
    format = new Intl.DateTimeFormat('sv-SE', { ...zone, year: 'numeric', month: '2-digit', day: '2-digit' })
    formats.set(key, format)
  }
  return format
}

export function periodsAt(atMs: number, timezone: string | null): Periods {
  const day = formatOf(timezone).format(atMs)
  return { day, month: day.slice(0, 7) }
}

const hourMs = 3_600_000

/** When the period that holds now ends: the first ms of the next one. Days of 23 and 25 hours are what they are. */
export function endOf(kind: keyof Periods, nowMs: number, timezone: string | null): number {
  const now = periodsAt(nowMs, timezone)[kind]
  let inside = nowMs
  let outside = nowMs + (kind === 'day' ? 26 : 32 * 24) * hourMs
  while (outside - inside > 1) {
    const middle = Math.floor((inside + outside) / 2)
    if (periodsAt(middle, timezone)[kind] === now) inside = middle
    else outside = middle
  }
  return outside
}
