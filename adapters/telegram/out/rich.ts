import type { Attachment, Mark, Segment } from '../../../core/event.ts'
import { isWeb } from '../../../core/text/markup.ts'
import { clean, isBlock, plainSegment } from '../../../core/text/text.ts'
import type { Entity } from '../native.ts'

/** A text and what of it looks how; offsets and lengths in UTF-16 code units. Nothing in the text is markup. */
export interface Rich {
  readonly text: string
  readonly entities: readonly Entity[]
}

const typeOf: Readonly<Record<Mark, string>> = {
  bold: 'bold',
  italic: 'italic',
  underline: 'underline',
  strike: 'strikethrough',
  mono: 'code',
  spoiler: 'spoiler',
}

/**
 * `@name` would tell whoever has that name on Telegram, wherever it was typed; with something invisible behind the `@` it
 * tells nobody.
 */
export const quiet = (text: string): string => text.replace(/(?<![A-Za-z0-9_])@(?=[A-Za-z0-9_])/g, '@\u200b')

/** Adds to a text and its entities. */
export class RichText implements Rich {
  text = ''
  readonly entities: Entity[] = []

  add(text: string, types: readonly string[] = [], more: Partial<Entity> = {}): this {
    const said = clean(text)
    for (const type of said === '' ? [] : types) {
      this.entities.push({ type, offset: this.text.length, length: said.length, ...more })
    }
    this.text += said
    return this
  }

  append({ text, entities }: Rich): this {
    for (const entity of entities) this.entities.push({ ...entity, offset: entity.offset + this.text.length })
    this.text += text
    return this
  }

  /** What follows stands on a line of its own. */
  line(): this {
    if (this.text !== '' && !this.text.endsWith('\n')) this.text += '\n'
    return this
  }
}

const marksOf = (marks: readonly Mark[]): string[] =>
  // Nothing else may stand in code.
  marks.includes('mono') ? ['code'] : marks.map(mark => typeOf[mark])

function addSegment(out: RichText, segment: Segment): void {
  switch (segment.kind) {
    case 'text':
      out.add(segment.marks?.includes('mono') ? segment.text : quiet(segment.text), marksOf(segment.marks ?? []))
      return
    case 'code':
      if (!segment.block) out.add(segment.text, ['code'])
      else out.add(segment.text, ['pre'], segment.language ? { language: clean(segment.language).slice(0, 30) } : {})
      return
    case 'quote':
      out.add(quiet(segment.author === undefined ? segment.text : `${segment.author}: ${segment.text}`), ['blockquote'])
      return
    case 'link':
      addLink(out, segment.url, segment.text)
      return
    case 'mention':
      addMention(out, segment.name, segment.id)
      return
    case 'emoji':
      out.add(quiet(plainSegment(segment)))
  }
}

function addLink(out: RichText, url: string, text?: string): void {
  if (text === undefined || text === url || text.trim() === '') out.add(isWeb(url) ? url : quiet(url))
  else if (isWeb(url)) out.add(quiet(text), ['text_link'], { url: clean(url) })
  else out.add(quiet(`${text} (${url})`))
}

/** Somebody of this network is told; a name alone tells nobody. */
function addMention(out: RichText, name: string, id: string | null): void {
  const shown = name.startsWith('@') ? name : `@${name}`
  if (id === null || !/^\d{1,16}$/.test(id)) out.add(quiet(shown))
  else
    out.add(shown, ['text_mention'], { user: { id: Number(id), is_bot: false, first_name: clean(name) || 'somebody' } })
}

/** Segments as Telegram shows them: blocks stand on lines of their own. */
export function richOf(segments: readonly Segment[]): Rich {
  const out = new RichText()
  let afterBlock = false
  for (const segment of segments) {
    const block = isBlock(segment)
    const next = new RichText()
    addSegment(next, segment)
    if (next.text === '') continue
    if (block || (afterBlock && !next.text.startsWith('\n'))) out.line()
    out.append(next)
    afterBlock = block
  }
  return out
}

/** Files that can't be uploaded, a line each. */
export function filesOf(files: readonly Attachment[]): Rich {
  const out = new RichText()
  for (const { name, url, caption } of files) {
    out.line().add(quiet(url === undefined ? `[${name || 'a file'}]` : name === '' || name === url ? '' : `${name} `))
    if (url !== undefined) out.add(url)
    if (caption !== undefined) out.add(quiet(` ${caption}`))
  }
  return out
}
