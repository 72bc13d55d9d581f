/** Slack's incoming webhooks, as many programs send them. */
import { z } from 'zod'
import type { Segment } from '../../../core/event.ts'
import { bold, type Line, link, listOf, say, words } from './words.ts'

const attachment = z.object({
  title: words,
  title_link: words,
  pretext: words,
  text: words,
  fallback: words,
  footer: words,
  fields: listOf(
    z.object({ title: words, value: z.union([z.string(), z.number(), z.boolean()]).nullish().catch(null) }),
  ),
})
const block = z.object({
  type: z.string(),
  text: z
    .union([z.string(), z.object({ text: z.string() })])
    .nullish()
    .catch(null),
  fields: listOf(z.object({ text: z.string() })),
  elements: listOf(z.object({ text: z.string() })),
})
const message = z.object({ text: words, attachments: listOf(attachment), blocks: listOf(block) })

const unescape = (text: string): string =>
  text
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&')

/** `<https://x|shown>` becomes a link, `*bold*` bold; `<!channel>` and `<@U1>` call nobody. */
function mrkdwn(text: string): Segment[] {
  return text.split(/(<[^<>\n]{1,2100}>)/).flatMap((piece): Segment[] => {
    if (piece === '') return []
    const [, target = '', shown = ''] = /^<([^|]*)\|?(.*)>$/.exec(piece) ?? []
    if (target === '') return bolded(piece)
    if (/^https?:/i.test(target)) return [link(unescape(shown), unescape(target))]
    return [{ kind: 'text', text: unescape(shown || target.replace(/^!/, '').replace(/^subteam\^/, '')) }]
  })
}

const bolded = (text: string): Segment[] =>
  text.split(/(?<![\w*])(\*[^*\n]{1,500}\*)(?![\w*])/).flatMap((piece, at): Segment[] => {
    if (piece === '') return []
    return at % 2 === 1 ? [bold(unescape(piece.slice(1, -1)))] : [{ kind: 'text', text: unescape(piece) }]
  })

const linesOf = (text: string | null | undefined): Line[] => (text ? text.split('\n').map(mrkdwn) : [])

function blockLines({ type, text, fields, elements }: z.output<typeof block>): Line[] {
  const own = typeof text === 'string' ? text : text?.text
  const shown = linesOf(own)
  const headed =
    type === 'header' ? shown.map(line => line.map(each => ('text' in each ? bold(each.text ?? '') : each))) : shown
  return [...headed, ...[...fields, ...elements].flatMap(each => linesOf(each.text))]
}

function attachmentLines(each: z.output<typeof attachment>): Line[] {
  const body = [
    ...linesOf(each.pretext),
    each.title ? [link(unescape(each.title), each.title_link)] : [],
    ...linesOf(each.text),
    ...each.fields.map(({ title, value }) =>
      say(title ? bold(unescape(title)) : '', title ? ': ' : '', unescape(String(value ?? ''))),
    ),
    ...linesOf(each.footer),
  ]
  return body.some(line => line.length > 0) ? body : linesOf(each.fallback)
}

export function slack(body: unknown): readonly Line[] {
  const { text, attachments, blocks } = message.parse(body)
  const inBlocks = blocks.flatMap(blockLines)
  // With blocks the text is what notifications show of them.
  return [...(inBlocks.length > 0 ? inBlocks : linesOf(text)), ...attachments.flatMap(attachmentLines)]
}
