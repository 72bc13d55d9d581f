/** What a model writes, as segments. Parsed by mdast-util-from-markdown with GitHub's additions; nothing is lost or obeyed. */
import type { BlockContent, DefinitionContent, ListItem, PhrasingContent, RootContent, Table } from 'mdast'
import type * as FromMarkdown from 'mdast-util-from-markdown'
import type * as MdastGfm from 'mdast-util-gfm'
import type * as MicromarkGfm from 'micromark-extension-gfm'
import type { Mark, Segment } from '../../../core/event.ts'
import { lazily } from '../../../core/process/lazily.ts'
import { plain } from '../../../core/text/text.ts'
import { parseable } from './parseable.ts'

const fromMarkdown = lazily<typeof FromMarkdown>('mdast-util-from-markdown')
const mdastGfm = lazily<typeof MdastGfm>('mdast-util-gfm')
const micromarkGfm = lazily<typeof MicromarkGfm>('micromark-extension-gfm')

/** A paragraph, a list, a table, a block of code: what is not torn apart. `end`: where it ends in the text. */
export interface Block {
  readonly segments: readonly Segment[]
  readonly end: number
}

/** What can't be parsed in a moment is text as it stands. */
export function blocksOf(markdown: string): Block[] {
  const length = parseable(markdown)
  const rest = markdown.slice(length)
  const plainly = rest.trim() === '' ? [] : [{ segments: [text(rest.trimEnd())], end: markdown.length }]
  return [...parsed(markdown.slice(0, length)), ...plainly]
}

function parsed(markdown: string): Block[] {
  const tree = fromMarkdown().fromMarkdown(markdown, {
    extensions: [micromarkGfm().gfm()],
    mdastExtensions: [mdastGfm().gfmFromMarkdown()],
  })
  return tree.children.flatMap(node => {
    const segments = block(node, '')
    return segments.length === 0 ? [] : [{ segments, end: node.position?.end.offset ?? markdown.length }]
  })
}

/** Blocks one below the other, an empty line between them. */
export const joined = (blocks: readonly Block[]): Segment[] =>
  merged(
    blocks.flatMap(({ segments }, at) =>
      at === 0 ? segments : [text(isBlock(segments[0]) ? '\n' : '\n\n'), ...segments],
    ),
  )

export const segmentsOf = (markdown: string): Segment[] => joined(blocksOf(markdown))

const isBlock = (segment: Segment | undefined): boolean =>
  segment?.kind === 'quote' || (segment?.kind === 'code' && segment.block)

const text = (value: string, marks: readonly Mark[] = []): Segment => ({
  kind: 'text',
  text: value,
  ...(marks.length === 0 ? {} : { marks }),
})

function block(node: RootContent, indent: string): Segment[] {
  switch (node.type) {
    case 'heading':
      return phrasing(node.children, ['bold'])
    case 'paragraph':
      return phrasing(node.children, [])
    case 'code':
      return [{ kind: 'code', block: true, text: node.value, ...(node.lang ? { language: node.lang } : {}) }]
    case 'blockquote':
      return [{ kind: 'quote', text: plain({ segments: below(node.children, '') }) }]
    case 'list':
      return merged(
        node.children.flatMap((item, at) => listItem(item, at, node.ordered ? (node.start ?? 1) : null, indent)),
      )
    case 'table':
      return [{ kind: 'code', block: true, text: table(node) }]
    case 'thematicBreak':
      return [text('———')]
    case 'html':
      return [text(node.value)]
    case 'definition':
    case 'yaml':
      return []
    case 'footnoteDefinition':
      return [text(`[${node.identifier}] `), ...below(node.children, indent)]
    default:
      return phrasing([node as PhrasingContent], [])
  }
}

const below = (nodes: readonly (BlockContent | DefinitionContent)[], indent: string): Segment[] =>
  nodes.flatMap((node, at) => (at === 0 ? block(node, indent) : [text(`\n${indent}`), ...block(node, indent)]))

function listItem(item: ListItem, at: number, start: number | null, indent: string): Segment[] {
  const box = item.checked === true ? '[x] ' : item.checked === false ? '[ ] ' : ''
  const sign = start === null ? '• ' : `${start + at}. `
  return [text(`${at === 0 ? '' : `\n${indent}`}${sign}${box}`), ...below(item.children, `${indent}  `)]
}

function phrasing(nodes: readonly PhrasingContent[], marks: readonly Mark[]): Segment[] {
  return merged(nodes.flatMap(node => inline(node, marks)))
}

function inline(node: PhrasingContent, marks: readonly Mark[]): Segment[] {
  const within = (mark: Mark, children: readonly PhrasingContent[]): Segment[] =>
    phrasing(children, marks.includes(mark) ? marks : [...marks, mark])
  switch (node.type) {
    case 'strong':
      return within('bold', node.children)
    case 'emphasis':
      return within('italic', node.children)
    case 'delete':
      return within('strike', node.children)
    case 'inlineCode':
      return [{ kind: 'code', block: false, text: node.value }]
    case 'break':
      return [text('\n')]
    case 'link':
      return link(node.url, plain({ segments: phrasing(node.children, []) }))
    case 'image':
      return link(node.url, node.alt ?? '')
    case 'footnoteReference':
      return [text(`[${node.identifier}]`, marks)]
    case 'linkReference':
      return phrasing(node.children, marks)
    case 'imageReference':
      return [text(node.alt ?? '', marks)]
    default:
      return [text(node.value, marks)]
  }
}

/** Only web addresses are links; whatever else stands there is text, and an address of mail only itself. */
function link(url: string, shown: string): Segment[] {
  if (!/^https?:\/\/[^\s/]/i.test(url) || !URL.canParse(url))
    return [text(shown === '' ? url : [shown, `mailto:${shown}`].includes(url) ? shown : `${shown} (${url})`)]
  return [{ kind: 'link', url, ...(shown === '' || shown === url ? {} : { text: shown }) }]
}

/** A wider cell stands out of its column: one that is long would make every row as long. */
const widest = 60

/** A table in columns, as wide as they need. */
function table({ children }: Table): string {
  const cells = children.map(row =>
    row.children.map(cell => plain({ segments: phrasing(cell.children, []) }).replaceAll('\n', ' ')),
  )
  const widths = (cells[0] ?? []).map((_, column) =>
    cells.reduce((width, row) => Math.max(width, Math.min((row[column] ?? '').length, widest)), 0),
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(' │ ')
      .trimEnd()
  const [head = [], ...rows] = cells
  return [line(head), widths.map(width => '─'.repeat(width)).join('─┼─'), ...rows.map(line)].join('\n')
}

/** Neighbours with the same marks are one. */
function merged(segments: readonly Segment[]): Segment[] {
  const out: Segment[] = []
  for (const segment of segments) {
    const last = out.at(-1)
    const alike =
      segment.kind === 'text' && last?.kind === 'text' && (last.marks ?? []).join() === (segment.marks ?? []).join()
    if (alike) out[out.length - 1] = { ...last, text: last.text + segment.text }
    else if (segment.kind !== 'text' || segment.text !== '') out.push(segment)
  }
  return out
}
