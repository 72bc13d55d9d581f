import type { Mark, Mention, Segment } from '../../../core/event.ts'
import { isWeb } from '../../../core/text/markup.ts'
import { inLines, plainSegment } from '../../../core/text/text.ts'
import type { Native } from '../native.ts'
import { escape } from './mrkdwn.ts'

const crowds: Readonly<Record<string, string>> = {
  here: 'here',
  channel: 'channel',
  everyone: 'channel',
  room: 'channel',
  all: 'channel',
}

/** Whom a mention of nobody in particular calls, where that may be. */
const crowdOf = ({ id, name }: Mention, everyone: boolean): string | undefined =>
  everyone && id === null && Object.hasOwn(crowds, name) ? crowds[name] : undefined

const isUser = (id: string | null): id is string => id !== null && /^[UW][A-Z0-9]+$/.test(id)

/** Slack takes no longer ones. */
const isAddress = (url: string): boolean => url.length <= 3000 && isWeb(url)

// ---- blocks -------------------------------------------------------------------------------------------------------

const styles: readonly [Mark, string][] = [
  ['bold', 'bold'],
  ['italic', 'italic'],
  ['strike', 'strike'],
  ['mono', 'code'],
]

function styleOf(marks: readonly Mark[] = []): Native {
  const set = styles.filter(([mark]) => marks.includes(mark)).map(([, name]) => [name, true])
  return set.length === 0 ? {} : { style: Object.fromEntries(set) }
}

const hidden = ({ marks }: Segment & { kind: 'text' }): string => (marks?.includes('spoiler') ? '(spoiler) ' : '')

function inline(segment: Segment, everyone: boolean): Native {
  switch (segment.kind) {
    case 'text':
      return { type: 'text', text: hidden(segment) + segment.text, ...styleOf(segment.marks) }
    case 'code':
      return { type: 'text', text: segment.text, style: { code: true } }
    case 'link':
      if (!isAddress(segment.url)) return { type: 'text', text: plainSegment(segment) }
      return { type: 'link', url: segment.url, ...(segment.text ? { text: segment.text } : {}) }
    case 'mention': {
      const range = crowdOf(segment, everyone)
      if (range !== undefined) return { type: 'broadcast', range }
      return isUser(segment.id) ? { type: 'user', user_id: segment.id } : { type: 'text', text: plainSegment(segment) }
    }
    default:
      return { type: 'text', text: plainSegment(segment) }
  }
}

function block(segment: Segment & { kind: 'code' | 'quote' }): Native {
  if (segment.kind === 'code')
    return { type: 'rich_text_preformatted', elements: [{ type: 'text', text: segment.text }] }
  const author =
    segment.author === undefined ? [] : [{ type: 'text', text: `${segment.author}: `, style: { bold: true } }]
  return { type: 'rich_text_quote', elements: [...author, { type: 'text', text: segment.text }] }
}

const isEmpty = (segment: Segment): boolean => plainSegment(segment) === ''

/**
 * Segments as one `rich_text` block, the form in which nothing is parsed: what somebody wrote is text there, whatever it
 * looks like; `everyone`: words that call everybody do. Specification: "Rich text block" of docs.slack.dev.
 */
export function toRichText(segments: readonly Segment[], everyone = false): Native {
  const elements: Native[] = []
  let section: Native[] = []
  const end = (): void => {
    if (section.length > 0) elements.push({ type: 'rich_text_section', elements: section })
    section = []
  }
  for (const segment of segments) {
    if (isEmpty(segment)) continue
    if ((segment.kind === 'code' && segment.block) || segment.kind === 'quote') {
      end()
      elements.push(block(segment))
    } else section.push(inline(segment, everyone))
  }
  end()
  return { type: 'rich_text', elements }
}

// ---- the fallback: what notifications and old clients show -----------------------------------------------------------

const signs: readonly [Mark, string][] = [
  ['bold', '*'],
  ['italic', '_'],
  ['strike', '~'],
  ['mono', '`'],
]

/** Marks touch what they mark, and end with the line: else they are shown as signs. */
function marked(text: string, marks: readonly Mark[] = []): string {
  const around = signs.filter(([mark]) => marks.includes(mark)).map(([, sign]) => sign)
  if (around.length === 0) return text
  const dress = (line: string): string => {
    const inner = line.trim()
    if (inner === '') return line
    const before = line.slice(0, line.length - line.trimStart().length)
    return before + around.join('') + inner + around.toReversed().join('') + line.slice(line.trimEnd().length)
  }
  return text.split('\n').map(dress).join('\n')
}

/** An address as `<…|label>` may hold it. */
const address = (url: string): string => escape(url).replaceAll('|', '%7C').replace(/\s/g, '%20')

function fallback(segment: Segment, everyone: boolean): string {
  switch (segment.kind) {
    case 'text':
      return marked(escape(hidden(segment) + segment.text), segment.marks)
    case 'code':
      return segment.block ? `\`\`\`\n${escape(segment.text)}\n\`\`\`` : `\`${escape(segment.text)}\``
    case 'link':
      if (!isAddress(segment.url)) return escape(plainSegment(segment))
      return segment.text
        ? `<${address(segment.url)}|${escape(segment.text).replaceAll('|', '¦')}>`
        : `<${address(segment.url)}>`
    case 'mention': {
      const range = crowdOf(segment, everyone)
      if (range !== undefined) return `<!${range}>`
      return isUser(segment.id) ? `<@${segment.id}>` : escape(plainSegment(segment))
    }
    case 'quote':
      return plainSegment(segment)
        .split('\n')
        .map(line => `> ${escape(line.replace(/^> /, ''))}`)
        .join('\n')
    case 'emoji':
      return escape(plainSegment(segment))
  }
}

/** Segments as mrkdwn. `&`, `<` and `>` are escaped: nothing in it is a mention or a link that is not meant. */
export const toMrkdwn = (segments: readonly Segment[], everyone = false): string =>
  inLines(segments, segment => (isEmpty(segment) ? '' : fallback(segment, everyone)))
