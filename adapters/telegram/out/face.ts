import { type Draft } from '../../../core/event.ts'
import { safeName } from '../../../core/text/text.ts'
import type { Message } from '../native.ts'
import { quiet, type Rich, RichText } from './rich.ts'

/** Stands behind the name on copies: another relay knows by it that it has one before it. */
const mark = '\u2063'

/** What stands before a draft's words: who says it, in bold. Our own bots need no name where one alone speaks. */
export function faceOf({ as, content }: Draft): Rich {
  const out = new RichText()
  if (!as?.relayed) return out
  const name = quiet(safeName(as.name, 64))
  if (content.style === 'action') return out.add('* ').add(name, ['bold']).add(`${mark} `)
  return out.add(name, ['bold']).add(`${mark}: `)
}

/** Whether a bot's message is a copy of what somebody said elsewhere. */
export function isCopy({ text, caption, entities, caption_entities }: Message): boolean {
  const said = (text ?? caption ?? '').slice(0, 200)
  const bold = (entities ?? caption_entities ?? []).find(({ type, offset }) => type === 'bold' && offset <= 2)
  return bold !== undefined && said.slice(bold.offset + bold.length).startsWith(mark)
}
