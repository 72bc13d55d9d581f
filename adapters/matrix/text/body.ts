import type { Segment } from '../../../core/event.ts'
import { parseHtml } from './html.ts'
import { clean, pushWords } from './words.ts'

/**
 * The quotation that older clients put before an answer, in the plain text too (Matrix specification v1.12, "Fallbacks for
 * rich replies"): the answer names its message already.
 */
function withoutQuotation(body: string): string {
  if (!/^> (?:\* )?<@?[^>\n]+>/.test(body)) return body
  const lines = body.split('\n')
  const first = lines.findIndex(line => !line.startsWith('>'))
  if (first === -1) return ''
  return lines.slice(lines[first] === '' ? first + 1 : first).join('\n')
}

export interface Written {
  readonly body: string
  readonly html?: string
  readonly reply: boolean
}

export function parseBody({ body, html, reply }: Written): Segment[] {
  const read = html === undefined ? null : parseHtml(html)
  if (read && read.length > 0) return read
  const out: Segment[] = []
  pushWords(out, clean(reply ? withoutQuotation(body) : body), [])
  return out
}
