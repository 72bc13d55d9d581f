import { ChanopError } from '../../../core/error.ts'
import { type Draft, isNeeded, type Upload } from '../../../core/event.ts'
import { inItalics } from '../../../core/text/text.ts'
import { faceOf } from './face.ts'
import { filesOf, type Rich, RichText, richOf } from './rich.ts'
import { captionUnits, split, textUnits } from './split.ts'

/** How Telegram shows a file. */
export type Medium = 'photo' | 'video' | 'audio' | 'animation' | 'document'

/** One request: a text, or files that stand together. */
export type Step =
  | { readonly kind: 'text'; readonly rich: Rich }
  | { readonly kind: 'files'; readonly medium: Medium; readonly files: readonly Upload[]; readonly caption?: Rich }

export const repeatLabel = '(may be a repeat) '
const mostTogether = 10
const mostPhotoBytes = 10_000_000

const media: readonly (readonly [Medium, RegExp])[] = [
  ['animation', /^image\/gif$/],
  ['photo', /^image\/(jpeg|png|webp)$/],
  ['video', /^video\/mp4$/],
  ['audio', /^audio\/(mpeg|mp3|mp4|x-m4a|aac)$/],
]

export function mediumOf({ type = '', sizeBytes, width, height }: Upload): Medium {
  const found = media.find(([, pattern]) => pattern.test(type.toLowerCase()))?.[0] ?? 'document'
  if (found !== 'photo') return found
  const sides = [width ?? 1, height ?? 1]
  const odd = Math.max(...sides) > 20 * Math.min(...sides) || (width ?? 0) + (height ?? 0) > 10_000
  return sizeBytes > mostPhotoBytes || odd ? 'document' : 'photo'
}

/** Files in groups that Telegram shows as one; an animation stands alone. */
function together(files: readonly Upload[]): { medium: Medium; files: Upload[] }[] {
  const groups: { medium: Medium; files: Upload[] }[] = []
  for (const file of files) {
    const medium = mediumOf(file)
    const last = groups.at(-1)
    if (last?.medium === medium && medium !== 'animation' && last.files.length < mostTogether) last.files.push(file)
    else groups.push({ medium, files: [file] })
  }
  return groups
}

const captionOf = ({ caption }: Upload): Rich | undefined =>
  caption === undefined ? undefined : richOf([{ kind: 'text', text: caption }])

const joined = (...parts: readonly Rich[]): Rich =>
  parts.reduce<RichText>((all, part) => all.append(part), new RichText())

/** The words of a draft, without whose they are. */
function wordsOf({ content: { segments, attachments = [], style } }: Draft): Rich {
  const words = richOf(style === 'action' ? segments.map(inItalics) : segments)
  return joined(
    words,
    new RichText().add(words.text === '' || attachments.length === 0 ? '' : '\n'),
    filesOf(attachments),
  )
}

/** A draft's words in messages: each says whose they are, so that nobody speaks as somebody else in a later one. */
export function textsOf(draft: Draft, units = textUnits): Rich[] {
  const face = faceOf(draft)
  const room = units - face.text.length - repeatLabel.length
  const words = wordsOf(draft)
  return split(words, room, room, 98).map(piece => joined(face, piece))
}

/** Telegram takes no file in which there is nothing: it is named. */
function withoutEmpty(draft: Draft): Draft {
  const empty = (draft.uploads ?? []).filter(({ sizeBytes }) => sizeBytes === 0)
  if (empty.length === 0) return draft
  const attachments = [...(draft.content.attachments ?? []), ...empty]
  const uploads = (draft.uploads ?? []).filter(({ sizeBytes }) => sizeBytes > 0)
  return { ...draft, uploads, content: { ...draft.content, attachments } }
}

/** A draft as the requests it takes, in order. Throws `send-refused` when there is nothing to show. */
export function stepsOf(given: Draft): Step[] {
  const draft = withoutEmpty(given)
  const texts = textsOf(draft)
  const groups = together(draft.uploads ?? [])
  const [first] = groups
  const steps: Step[] = []
  const only = texts.length === 1 ? texts[0] : undefined
  const face = faceOf(draft)
  const short = only && only.text.length + repeatLabel.length <= captionUnits && groups.length === 1
  const lead = short ? only : texts.length === 0 && face.text !== '' ? face : undefined
  if (!short) steps.push(...texts.map(rich => ({ kind: 'text' as const, rich })))
  for (const { medium, files } of groups) {
    const own = files.length === 1 && files[0] ? captionOf(files[0]) : undefined
    const caption = lead && first?.files === files ? lead : own
    const fits = caption && caption.text.length <= captionUnits
    steps.push({ kind: 'files', medium, files, ...(fits ? { caption } : {}) })
  }
  if (steps.length === 0) throw new ChanopError('send-refused', 'there is nothing in it that Telegram could show')
  return steps
}

/** What stands for files that Telegram does not take: their names, after the words that went with them. */
export function wordsFor({ files, caption }: Extract<Step, { kind: 'files' }>): Rich {
  const words = new RichText()
  if (caption) words.append(caption).line()
  return words.append(filesOf(files.filter(isNeeded)))
}

/** The same with a word that it may have been said before. */
export const labelled = (rich: Rich): Rich => joined(new RichText().add(repeatLabel), rich)
