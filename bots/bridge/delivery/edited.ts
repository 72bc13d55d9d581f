/** How an edit is told where what was said can't be changed: in one short line. */
import type { Act, Content, Draft, Segment } from '../../../core/event.ts'
import { plain, truncate } from '../../../core/text/text.ts'

const longest = 160
/** Words around a change by which its place is found again. */
const around = 4

const oneLine = (text: string): string =>
  text
    .replace(/\n\s*/g, '\n')
    .split('\n')
    .map(line => line.trimEnd())
    .join(' ⏎ ')
    .trim()

function alike(one: readonly string[], other: readonly string[], most: number): number {
  let count = 0
  while (count < most && one[count] === other[count]) count++
  return count
}

/** What of a long text is new, with a few words around it. */
function change(was: string, now: string): string {
  const [before, after] = [was.split(' '), now.split(' ')]
  const head = alike(before, after, Math.min(before.length, after.length))
  const most = Math.min(before.length, after.length) - head
  const tail = alike(before.toReversed(), after.toReversed(), most)
  const from = Math.max(0, head - around)
  const to = Math.min(after.length, after.length - tail + around)
  const shown = after.slice(from, to).join(' ')
  return `${from > 0 ? '… ' : ''}${truncate(shown, longest)}${to < after.length ? ' …' : ''}`
}

const label: Segment = { kind: 'text', text: '(edited) ' }

const isShort = (content: Content): boolean => {
  const text = plain(content)
  return text.length <= longest && !text.includes('\n')
}

/** The edit as something to be said; null when it reads as before. The files stay where they are. */
export function toldEdit({ draft, was }: Act & { readonly do: 'edit' }): Draft | null {
  const { attachments: _files, ...words } = draft.content
  // The whole of a message of ours that grew, or of one whose beginning nobody knows.
  if (was === undefined) return { ...draft, content: { ...draft.content, segments: [label, ...words.segments] } }
  const [before, now] = [oneLine(was), oneLine(plain(draft.content))]
  if (before === now) return null
  if (isShort(words)) return { ...draft, content: { ...words, segments: [label, ...words.segments] } }
  return {
    ...draft,
    content: { ...words, segments: [label, { kind: 'text', text: change(before, oneLine(plain(words))) }] },
  }
}
