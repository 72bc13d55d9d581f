/** What another program sent, as people read it. Whatever is missing in it is left out; nothing in it is obeyed. */
import { z } from 'zod'
import type { Content, Segment } from '../../../core/event.ts'
import { withoutMassMentions } from '../../../core/text/mass-mentions.ts'
import { plainSegment, truncate } from '../../../core/text/text.ts'
import { maskKeys } from '../../../core/vault/key-shapes.ts'
import { alertmanager, grafana } from './alerts.ts'
import type { HookFormat } from './formats.ts'
import { github } from './github.ts'
import { gitlab } from './gitlab.ts'
import { slack } from './slack.ts'
import { type Line, say, segmentsOf } from './words.ts'

/** One request at the address of a webhook. */
export interface Posted {
  readonly body: string
  /** Lower-case names. */
  readonly header: (name: string) => string
}

const mostChars = 4000
const mostLines = 20

const parsers: Readonly<Record<Exclude<HookFormat, 'text'>, (body: unknown, posted: Posted) => readonly Line[]>> = {
  slack: body => slack(body),
  github: (body, { header }) => github(body, header('x-github-event')),
  gitlab: body => gitlab(body),
  grafana: body => grafana(body),
  alertmanager: body => alertmanager(body),
}

const withText = z.object({ text: z.string() })

/** What looks like a key is gone before anything is cut: a part of one looks like none. */
const read = (json: string): unknown =>
  JSON.parse(json, (_name, value: unknown) => (typeof value === 'string' ? maskKeys(value) : value))

function textLines({ body, header }: Posted): readonly Line[] {
  if (!/json/i.test(header('content-type'))) return rows(maskKeys(body))
  const found = withText.safeParse(read(body))
  if (!found.success) throw new SyntaxError('JSON without a text: send {"text": "…"}, or text/plain')
  return rows(found.data.text)
}

const rows = (text: string): Line[] =>
  text
    .trimEnd()
    .split(/\r\n?|\n/)
    .map(row => [{ kind: 'text', text: row }])

/** GitHub by default, and many that speak Slack's webhooks, send their JSON as a field of a form. */
const jsonIn = ({ body, header }: Posted): string =>
  (/x-www-form-urlencoded/i.test(header('content-type')) ? new URLSearchParams(body).get('payload') : null) ?? body

/**
 * The content of a message; null: there is nothing to be said about it. Throws `SyntaxError` with what is wrong when it is
 * not what the format says.
 */
export function rendered(format: HookFormat, posted: Posted): Content | null {
  const lines = format === 'text' ? textLines(posted) : parsers[format](read(jsonIn(posted)), posted)
  const kept = lines.filter(line => line.length > 0)
  const over = kept.length - mostLines
  const shown = over > 0 ? [...kept.slice(0, mostLines), say(`… and ${over} lines more`)] : kept
  const segments = capped(segmentsOf(shown))
  return segments.length === 0 ? null : withoutMassMentions({ segments })
}

/** On its line, without what drives terminals or turns text around. */
const readable = (text: string): string =>
  text.replace(/[\r\n\t]+/g, ' ').replace(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, '')

function shownIn(segment: Segment, left: number): Segment | null {
  if (segment.kind !== 'link' && segment.kind !== 'text' && segment.kind !== 'code') return null
  if (segment.kind === 'text' && segment.text === '\n') return segment
  // Also one that is put together of several pieces, or that something unseen had parted.
  const text = truncate(maskKeys(readable(segment.text ?? (segment.kind === 'link' ? segment.url : ''))), left)
  if (segment.kind !== 'link') return text === '' ? null : { ...segment, text }
  if (readable(segment.url) !== segment.url) return { kind: 'text', text }
  return segment.text === undefined ? segment : { ...segment, text }
}

/** No more than a message bears, and nothing that is not to be seen. */
function capped(segments: readonly Segment[]): Segment[] {
  let left = mostChars
  const out: Segment[] = []
  for (const each of segments) {
    if (left <= 0) break
    const shown = shownIn(each, left)
    if (shown === null) continue
    out.push(shown)
    left -= plainSegment(shown).length
  }
  return out.some(segment => segment.kind !== 'text' || segment.text.trim() !== '') ? out : []
}
