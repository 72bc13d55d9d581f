import { distance } from '../../text/nearest.ts'
import { escapeInline } from '../../text/text.ts'
import { isSecret } from '../parse/fields.ts'
import type { Resolved } from '../parse/suggest.ts'
import { isChatter } from '../state/chatter.ts'
import type { Catalogue } from './published.ts'

/** What is said of words that are no command. */
export interface Unknown {
  readonly line: string
  /** The words as they may be shown and kept. */
  readonly typed: string
  /** It may hold a secret that was meant for a command of this kind. */
  readonly guarded: boolean
  /** It is near something that exists. */
  readonly close: boolean
}

const most = 12

/** The one line about an unknown word: what was meant, what there is, or where to look. It never runs anything. */
export function unknown(catalogue: Catalogue, found: Exclude<Resolved, { is: 'command' }>, prefix: string): Unknown {
  const noun = found.is === 'family' ? found.noun : (found.near?.split(' ')[0] ?? '')
  const kin = catalogue.family(noun)
  const guarded = kin.some(({ fields }) => fields.some(isSecret))
  const verb = found.is === 'family' && !guarded ? found.verb : ''
  const typed = `${found.is === 'family' ? found.noun : found.word} ${verb}`.trim()
  const near = found.near !== null && isNear(found) ? found.near : null
  const hint = near
    ? `did you mean ${prefix}${near}?`
    : found.is === 'family'
      ? `there is ${kin
          .slice(0, most)
          .map(({ name }) => name)
          .join(', ')}`
      : `${prefix}help lists them`
  const close = found.is === 'family' || near !== null
  return { line: `no command ${escapeInline(typed)}; ${hint}`, typed, guarded, close }
}

/** Talk is near to nothing, and a short word is only by one letter: `rules` is not `role`. */
function isNear(found: Exclude<Resolved, { is: 'command' }>): boolean {
  if (found.is === 'family') return true
  const [first = ''] = (found.near ?? '').split(' ')
  const { word } = found
  if (isChatter(word)) return false
  return word.length > 5 || first.startsWith(word) || distance(word, first) <= 1
}
