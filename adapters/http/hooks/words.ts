import { z } from 'zod'
import type { Mark, Segment } from '../../../core/event.ts'
import { truncate } from '../../../core/text/text.ts'

// Senders change what they send: what has another form than we know counts as missing, and the rest is told.
export const words = z.string().nullish().catch(null)
export const number = z.number().nullish().catch(null)
export const flag = z.boolean().nullish().catch(null)
/** A part with more in it. */
export const part = <T extends z.ZodRawShape>(shape: T) => z.object(shape).nullish().catch(null)
/** A list without what has another form. */
export const listOf = <T extends z.ZodType>(item: T) =>
  z
    .array(item.nullable().catch(null as never))
    .nullish()
    .catch(null)
    .transform(all => (all ?? []).filter(one => one !== null))

/** One line as it is put together. */
export type Line = readonly Segment[]

type Part = Segment | string | undefined

/** A line of texts and segments; what is empty is left out. */
export const say = (...parts: readonly Part[]): Line =>
  parts.flatMap(part =>
    part === undefined || part === ''
      ? []
      : typeof part === 'string'
        ? [{ kind: 'text' as const, text: part }]
        : [part],
  )

const marked = (text: string, mark: Mark): Segment => ({ kind: 'text', text, marks: [mark] })
export const bold = (text: string): Segment => marked(text, 'bold')
export const mono = (text: string): Segment => marked(text, 'mono')

const oneLine = (text: string, max: number): string => truncate(text.replace(/\s+/g, ' ').trim(), max)

/** The first line of a longer text. */
export const title = (text: string | null | undefined, max = 120): string =>
  oneLine((text ?? '').split('\n')[0] ?? '', max)

/** A longer text on one line. */
export const summary = (text: string | null | undefined, max = 240): string => oneLine(text ?? '', max)

/** A link where the address is one that people can open, else its text alone. */
export function link(text: string, url: string | null | undefined): Segment {
  if (!url || url.length > 2000 || !/^https?:\/\//i.test(url) || !URL.canParse(url)) return { kind: 'text', text }
  return text === '' || text === url ? { kind: 'link', url } : { kind: 'link', url, text }
}

/** Lines below each other. */
export function segmentsOf(lines: readonly Line[]): Segment[] {
  return lines.flatMap((line, at) => (at === 0 ? [...line] : [{ kind: 'text' as const, text: '\n' }, ...line]))
}
