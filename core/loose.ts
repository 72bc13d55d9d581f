/** An object of JSON that others wrote: nothing is known of it yet. */
export type Loose = Readonly<Record<string, unknown>>

export const isRecord = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const record = (value: unknown): Loose | null => (isRecord(value) ? value : null)
