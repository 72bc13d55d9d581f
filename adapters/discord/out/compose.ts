import { ChanopError } from '../../../core/error.ts'
import type { Attachment, Draft, Face, Segment } from '../../../core/event.ts'
import { harmless } from '../../../core/text/mass-mentions.ts'
import { clean, inItalics, safeName, size } from '../../../core/text/text.ts'
import { type Look, render } from '../text/render.ts'
import { splitSegments } from '../text/split.ts'

/** One native message to be. */
export interface Post {
  readonly content: string
  /** Who is named in it and hears of it; nobody else does. */
  readonly users: readonly string[]
}

export const nothingShown = (): ChanopError =>
  new ChanopError('send-refused', 'there is nothing in it that Discord would show')

export const nothing: Post = { content: '', users: [] }

export interface ComposeOptions {
  readonly look: Look
  /** Who said it stands before the words: the place shows no other face. */
  readonly named: boolean
  /** What it answers, for those who can't reply otherwise. */
  readonly quote?: string | null
}

const words = (text: string, ...marks: readonly ('bold' | 'italic')[]): Segment => ({
  kind: 'text',
  text,
  ...(marks.length === 0 ? {} : { marks }),
})

function fileLine({ name, url, sizeBytes, caption }: Attachment): Segment[] {
  const shown = clean(name || 'a file').replaceAll('\n', ' ')
  const about = sizeBytes === undefined ? '' : ` (${size(sizeBytes)})`
  return [
    words(url === undefined ? `[${shown}]${about}` : `${shown}${about} `),
    ...(url === undefined ? [] : [{ kind: 'link' as const, url }]),
    ...(caption === undefined ? [] : [words(` ${clean(caption)}`)]),
  ]
}

function before(as: Face | undefined, action: boolean): Segment[] {
  if (!as) return []
  // Who is called so calls nobody, even where words may.
  const name = words(harmless(safeName(as.name)), 'bold')
  return action ? [words('* '), name, words(' ')] : [name, words(': ')]
}

/** A draft as the messages it takes, none too long. Empty when there is nothing in it that would be seen. */
export function compose({ content, as, repeat }: Draft, { look, named, quote }: ComposeOptions): Post[] {
  const action = content.style === 'action'
  const said = action ? content.segments.map(inItalics) : content.segments
  const files = (content.attachments ?? []).flatMap((file, at) => [
    ...(at > 0 || said.length > 0 ? [words('\n')] : []),
    ...fileLine(file),
  ])
  const all: Segment[] = [
    // Somebody else's words: they call nobody, even where those of who answers may.
    ...(quote ? [{ kind: 'quote' as const, text: harmless(quote) }] : []),
    ...(repeat ? [words('(may be a repeat) ')] : []),
    ...said,
    ...files,
  ]
  if (!isSeen([...said, ...files], look)) return []
  // Each message says whose words it has, so that nobody speaks as somebody else in a later one.
  const head = named ? before(as, action) : []
  return splitSegments(all, look, head)
    .filter(piece => isSeen(piece, look))
    .map(piece => ({ content: render([...head, ...piece], look), users: usersOf(piece) }))
}

const invisible = /[\s\p{Cc}\p{Cf}\p{Z}\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]/gu
const isSeen = (segments: readonly Segment[], look: Look): boolean =>
  render(segments, look).replace(invisible, '') !== ''

const usersOf = (segments: readonly Segment[]): string[] =>
  [
    ...new Set(
      segments.flatMap(segment => (segment.kind === 'mention' && segment.id !== null ? [segment.id as string] : [])),
    ),
  ]
    .filter(id => /^\d{17,20}$/.test(id))
    .slice(0, 100)

/** Names that Discord refuses for a webhook, kept readable. */
export function webhookName(name: string): string {
  const shown = safeName(name, 80)
    .replace(/[@#:`]/g, '·')
    .replace(/(dis)(cord)/gi, '$1-$2')
    .replace(/(cly)(de)/gi, '$1-$2')
    .replace(/^(everyone|here)$/i, '$1.')
  return Array.from(shown).slice(0, 80).join('').trim() || 'nameless'
}

/** Nobody is pinged who is not named here, unless the room allows to call everybody: neither by a reply nor by words that look like a mention. */
export const onlyThese = (users: readonly string[], everyone = false) => ({
  parse: everyone ? ['everyone'] : [],
  users: [...users],
  roles: [],
  replied_user: false,
})
