import type { Draft, Face } from '../../../core/event.ts'
import { graphemesOf } from '../../../core/text/graphemes.ts'
import { visible } from '../../../core/text/text.ts'
import { deliveryTag, instanceTag, type Outgoing, originTag } from '../link/settle.ts'
import { cleanText, formatSegments, oneLine } from './format.ts'
import { escapeTag } from './line.ts'
import { splitLine } from './split.ts'

/** What the connection allows for this draft. Sizes are UTF-8 bytes. */
export interface Frame {
  readonly target: string
  /** Room for the text in one line, with everything the server adds taken off. */
  readonly lineBytes: number
  readonly tags: boolean
  readonly multiline: { readonly maxBytes: number; readonly maxLines: number } | null
  /** The nick RELAYMSG shows, null where there is no RELAYMSG. */
  readonly relayAs: string | null
  /** The nick it leaves from: a draft in another bot's name gets that name in front. */
  readonly face: string
  readonly instance: string
  readonly deliveryId: string
}

/** One native message: a line, or several that travel as a multiline batch. */
interface Part {
  readonly pieces: readonly { readonly text: string; readonly concat: boolean }[]
}

const noPing = '\u2060'
/** UTF-8 bytes: a name stands in every line and must leave room for the text. */
const longestName = 90

/** A person's name as it may stand in front of a line: no control or invisible characters, no angle brackets. */
export function shownName(name: string): string {
  const clean = visible(name).replaceAll('<', '‹').replaceAll('>', '›')
  let shown = ''
  let bytes = 0
  for (const { segment } of graphemesOf(clean)) {
    bytes += Buffer.byteLength(segment)
    if (bytes > longestName) break
    shown += segment
  }
  return shown.trim() || 'someone'
}

/** The same with a word joiner behind the first letter, so that nobody of that name is pinged by every line. */
export function quietName(name: string): string {
  const shown = shownName(name)
  const first = graphemesOf(shown)[Symbol.iterator]().next().value?.segment ?? ''
  return first === shown && shown.length > 1 ? shown : `${first}${noPing}${shown.slice(first.length)}`
}

const relayedName = /^[A-Za-z_[\]{}^`|][A-Za-z0-9_\-[\]{}^`|]{0,23}$/
const relayedFrom = /^[A-Za-z0-9_\-[\]{}^`|]{1,12}$/

/**
 * The nick a relayed person gets with RELAYMSG: `name/network`, so that nobody is taken for somebody of another network. Null
 * where a nick can't hold both: with letters taken out two people could look like one.
 */
export function relayNick({ name, network }: Face, separators: string): string | null {
  const separator = separators[0] ?? '/'
  const mark = ` [${network}]`
  const who = name.endsWith(mark) ? name.slice(0, -mark.length) : name
  const from = network ?? 'relay'
  return relayedName.test(who) && relayedFrom.test(from) ? `${who}${separator}${from}` : null
}

function attachmentLines(draft: Draft): string {
  const lines = (draft.content.attachments ?? []).map(file => {
    const size = file.sizeBytes === undefined ? '' : ` (${Math.ceil(file.sizeBytes / 1024)} KB)`
    const address = file.url === undefined ? '' : `: ${cleanText(file.url).replace(/\s/g, '%20')}`
    const caption = file.caption === undefined ? '' : ` ${oneLine(file.caption)}`
    return `${oneLine(file.name)}${size}${address}${caption}`
  })
  return lines.join('\n')
}

/** The lines of text without their prefix. Only the newline separates them. */
function textLines(draft: Draft): string[] {
  const body = formatSegments(draft.content.segments)
  const files = attachmentLines(draft)
  return `${body}${body !== '' && files !== '' ? '\n' : ''}${files}`.split('\n')
}

/** What stands in front of each line (and, once, of the whole). */
function prefixes(draft: Draft, frame: Frame): { each: string; once: string } {
  const once = draft.repeat ? '(may be a repeat) ' : ''
  const { as } = draft
  if (!as || as.name === frame.face) return { each: '', once }
  if (!as.relayed) return { each: `[${shownName(as.name)}] `, once }
  if (frame.relayAs !== null) return { each: '', once }
  const name = quietName(as.name)
  return { each: draft.content.style === 'action' ? `* ${name} ` : `<${name}> `, once }
}

const ctcp = (draft: Draft, frame: Frame, prefixed: boolean): boolean =>
  draft.content.style === 'action' && !prefixed && (frame.relayAs !== null || !draft.as?.relayed)

function pack(lines: readonly string[][], limits: NonNullable<Frame['multiline']>): Part[] {
  const parts: { text: string; concat: boolean }[][] = [[]]
  let bytes = 0
  for (const pieces of lines) {
    for (const [index, text] of pieces.entries()) {
      const size = Buffer.byteLength(text) + 1
      const current = parts.at(-1) as { text: string; concat: boolean }[]
      const full = current.length >= limits.maxLines || bytes + size > limits.maxBytes
      if (full && current.length > 0) {
        parts.push([{ text, concat: false }])
        bytes = size
      } else {
        current.push({ text, concat: index > 0 && current.length > 0 })
        bytes += size
      }
    }
  }
  return parts.filter(pieces => pieces.some(piece => piece.text !== '')).map(pieces => ({ pieces }))
}

/** Cuts a draft into native messages. Every line of a relayed person carries the name: nobody else can be imitated. */
function partsOf(draft: Draft, frame: Frame): Part[] {
  const { each, once } = prefixes(draft, frame)
  const action = ctcp(draft, frame, each !== '')
  const room = frame.lineBytes - Buffer.byteLength(each + once) - (action ? 9 : 0)
  const wrap = (text: string): string => (action ? `\x01ACTION ${text}\x01` : text)
  const batched = frame.multiline !== null && frame.relayAs === null && !action && draft.content.style !== 'notice'
  const joined = batched && each === ''
  const lines = textLines(draft).map(line => splitLine(line, room, joined).map(piece => `${each}${piece}`))
  const filled = lines.filter((pieces, index) => pieces.some(piece => piece !== each) || (joined && index > 0))
  if (!filled.some(pieces => pieces.some(piece => piece !== each && piece !== ''))) return []
  const first = filled[0] as string[]
  if (once !== '') filled[0] = [`${each}${once}${(first[0] as string).slice(each.length)}`, ...first.slice(1)]
  if (batched && filled.flat().length > 1 && frame.multiline) return pack(filled, frame.multiline)
  // A relayed line with nothing to be seen is refused, and what stands around it would be lost with it.
  const says = (text: string): boolean => (frame.relayAs === null ? text !== '' : text.trim() !== '')
  return filled
    .flat()
    .filter(says)
    .map(text => ({ pieces: [{ text: wrap(text), concat: false }] }))
}

/** `<delivery>`, or `<delivery>.<part>-<parts>` for one of several native messages. */
export const markOf = (deliveryId: string, part: number, parts: number): string =>
  parts === 1 ? deliveryId : `${deliveryId}.${part}-${parts}`

function tagText(frame: Frame, draft: Draft, mark: string, label: string | null): string {
  const tags = label === null ? [] : [`label=${label}`]
  if (frame.tags) {
    const { replyTo } = draft.content
    tags.push(`${deliveryTag}=${escapeTag(mark)}`)
    tags.push(`${draft.as?.relayed ? originTag : instanceTag}=${escapeTag(frame.instance)}`)
    if (draft.control) tags.push(`+chanop/${draft.control}`)
    // Ids that we made up ourselves mean nothing to anybody else.
    if (replyTo !== undefined && !replyTo.startsWith('~')) {
      tags.push(`+reply=${escapeTag(replyTo)}`, `+draft/reply=${escapeTag(replyTo)}`)
    }
  }
  return tags.length === 0 ? '' : `@${tags.join(';')} `
}

function linesOf(part: Part, draft: Draft, frame: Frame, mark: string, label: string | null): string[] {
  const command = draft.content.style === 'notice' ? 'NOTICE' : 'PRIVMSG'
  const tags = tagText(frame, draft, mark, label)
  const [only] = part.pieces
  if (part.pieces.length === 1 && only) {
    if (frame.relayAs !== null) return [`${tags}RELAYMSG ${frame.target} ${frame.relayAs} :${only.text}`]
    return [`${tags}${command} ${frame.target} :${only.text}`]
  }
  const reference = `m${label ?? mark.replace(/[^A-Za-z0-9]/g, '')}`
  const body = part.pieces.map(
    piece =>
      `@batch=${reference}${piece.concat ? ';draft/multiline-concat' : ''} ${command} ${frame.target} :${piece.text}`,
  )
  return [`${tags}BATCH +${reference} draft/multiline ${frame.target}`, ...body, `BATCH -${reference}`]
}

/** A draft as native messages, ready to be written in order. Pure: the same draft and frame give the same lines. */
export function compose(draft: Draft, frame: Frame): Outgoing[] {
  const parts = partsOf(draft, frame)
  return parts.map((part, index) => {
    const mark = markOf(frame.deliveryId, index + 1, parts.length)
    return { target: frame.target, mark, lines: label => linesOf(part, draft, frame, mark, label) }
  })
}
