import type { Mark, Segment } from '../../../core/event.ts'
import { isWeb, pushText, withoutEnd } from '../../../core/text/markup.ts'

/** What must be looked up while Slack's markup becomes segments. */
export interface Names {
  person(id: string): string
  channel(id: string): string
  isSelf(id: string): boolean
}

export const textOf = (text: string, marks: readonly Mark[] = []): Segment[] =>
  text === '' ? [] : [{ kind: 'text', text, ...(marks.length === 0 ? {} : { marks }) }]

/** What is no text, by its name. */
export const titled = (kind: string, title: string): Segment[] =>
  textOf(title === '' ? `[${kind}]` : `[${kind}: ${title}]`)

/** A link to the web; other addresses are words, so that nothing is opened that is none. */
export function linkOf(url: string, label: string, marks: readonly Mark[] = []): Segment[] {
  const bare = url.replace(/^mailto:/i, '')
  if (!isWeb(url)) return textOf(label === '' || label === bare ? bare : `${label} (${bare})`, marks)
  return [{ kind: 'link', url, ...(label === '' || label === url ? {} : { text: label }) }]
}

export const mentionOf = (id: string, names: Names): Segment => ({
  kind: 'mention',
  id: id as never,
  name: names.person(id),
  ...(names.isSelf(id) ? { self: true as const } : {}),
})

/** `@here`, a group: nobody whom another network could know. */
export const crowd = (name: string): Segment => ({ kind: 'mention', id: null, name: name.replace(/^@/, '') })

/** Neighbouring texts of the same marks as one. */
export function joined(segments: readonly Segment[]): Segment[] {
  const out: Segment[] = []
  for (const segment of segments) {
    if (segment.kind === 'text') pushText(out, segment.text, segment.marks ?? [])
    else out.push(segment)
  }
  return out
}

/** Without line breaks and blanks at the end, where a block or a part ends. */
export function trimmedEnd(segments: readonly Segment[]): Segment[] {
  const out = [...segments]
  for (let last = out.at(-1); last?.kind === 'text'; last = out.at(-1)) {
    const text = withoutEnd(last.text, '\n')
    out.pop()
    if (text === '') continue
    out.push({ ...last, text })
    break
  }
  return out
}
