/** Words that call everybody in a channel: `@everyone`, `@here`, `@room`, `<!channel>` and what passes for them. */
import type { Attachment, Content, Segment } from '../event.ts'
import { skeleton } from './lookalikes.ts'

const calls = new Set(
  ['everyone', 'everybody', 'here', 'room', 'channel', 'group', 'all', 'online'].map(word => skeleton(word)),
)
/** Characters that show nothing: a platform may take them away, and what is left is a call. */
const unseen = '[\\p{Cf}\\p{DI}\\p{M}\\u2800]*'
const at = '[@＠﹫]'
const called = new RegExp(`(${at}${unseen})([\\p{L}\\p{N}\\p{M}\\p{Cf}\\p{DI}_]+)`, 'gu')
/** Slack's `<!channel>` and `<!subteam^S1>`, Discord's `<@&1>`. */
const bracketed = new RegExp(`<(?=${unseen}(?:!|${at}${unseen}&))`, 'gu')
/** What begins here may go on in the next segment. */
const open = new RegExp(`(?:${at}|<)${unseen}$`, 'u')
const gap = '\u200b'

/** The same to the eye, calling nobody: something invisible stands behind the sign. */
export const harmless = (text: string): string =>
  /[@＠﹫<]/.test(text)
    ? text
        .replace(called, (all, sign: string, word: string) =>
          calls.has(skeleton(word)) ? `${sign}${gap}${word}` : all,
        )
        .replace(bracketed, `<${gap}`)
    : text

const quiet = (name: string): string => name.replace(/^@?/, sign => `${sign}${gap}`)

function inert(segment: Segment): Segment {
  switch (segment.kind) {
    case 'mention':
      // Whoever it is there, here it may be everybody; it is shown behind a sign.
      return {
        ...segment,
        name: calls.has(skeleton(segment.name.replace(/^@/, ''))) ? quiet(segment.name) : harmless(segment.name),
      }
    case 'link':
      return segment.text === undefined ? segment : { ...segment, text: harmless(segment.text) }
    case 'emoji':
      return { ...segment, name: harmless(segment.name), text: harmless(segment.text) }
    case 'quote':
      return {
        ...segment,
        text: harmless(segment.text),
        ...(segment.author === undefined ? {} : { author: harmless(segment.author) }),
      }
    default:
      return { ...segment, text: harmless(segment.text) }
  }
}

const inertFile = (file: Attachment): Attachment => ({
  ...file,
  name: harmless(file.name),
  ...(file.caption === undefined ? {} : { caption: harmless(file.caption) }),
})

/** A content that calls nobody but those whom its mentions name. */
export function withoutMassMentions(content: Content): Content {
  const segments = content.segments.map((segment, index, all) => {
    const safe = inert(segment)
    const cut = index < all.length - 1 && safe.kind === 'text' && open.test(safe.text)
    return cut ? { ...safe, text: `${safe.text}${gap}` } : safe
  })
  const { attachments } = content
  return { ...content, segments, ...(attachments ? { attachments: attachments.map(inertFile) } : {}) }
}
