/** Names that the eye takes for each other, and what a name hides. For comparing only, never for showing. */
import { fold, plainWord, visible } from './text.ts'

/** Letters of other scripts that look like a Latin one, by that letter (Unicode UTS #39, the common ones). */
const homoglyphs: Readonly<Record<string, string>> = {
  a: 'аαɑа',
  b: 'ьβвƅ',
  c: 'сϲⅽ',
  d: 'ԁɗ',
  e: 'еεєҽ',
  f: 'ƒϝ',
  g: 'ɡցԍ',
  h: 'һհн',
  i: 'іιıɩӏїí',
  j: 'јϳ',
  k: 'кκ',
  l: 'ⅼǀ∣ʟ',
  m: 'мⅿ',
  n: 'ոռпη',
  o: 'оοօσ०๐',
  p: 'рρ',
  q: 'ԛզ',
  r: 'гʀ',
  s: 'ѕꜱ',
  t: 'тτ',
  u: 'υսц',
  v: 'ѵν',
  w: 'ԝωѡա',
  x: 'хχ',
  y: 'уγүყ',
  z: 'ᴢ',
}
const latin = new Map(
  Object.entries(homoglyphs).flatMap(([letter, likes]) => Array.from(likes, like => [like, letter] as const)),
)

const latinised = (folded: string): string =>
  plainWord.test(folded) ? folded : Array.from(folded.normalize('NFD'), char => latin.get(char) ?? char).join('')

/** A name without what the eye passes over: `Adm1n`, `Admln`, `admin_` and `аdmin` with a Cyrillic letter are one. */
export const skeleton = (name: string): string =>
  latinised(fold(name))
    .replace(/[_.\-\s\p{M}]/gu, '')
    .replace(/rn/g, 'm')
    .replace(/vv/g, 'w')
    .replace(/[1|i!]/g, 'l')
    .replace(/0/g, 'o')
    .replace(/3/g, 'e')
    .replace(/4/g, 'a')
    .replace(/[5$]/g, 's')

const latinLetter = /\p{Script=Latin}/u
/** Of a script whose letters pass for Latin ones. */
const passingLetter = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]/u

/** Whether a word has letters of both. */
const isMixed = (words: string): boolean =>
  words.split(' ').some(word => latinLetter.test(word) && passingLetter.test(word))

/** Why a name is not what it looks like, in a word; null: it is. */
export function deceives(name: string): 'hidden characters' | 'look-alike letters' | null {
  if (plainWord.test(name)) return null
  const shown = name
    .normalize('NFC')
    .replace(/[\p{Zs}\t\r\n]+/gu, ' ')
    .trim()
  if (shown !== visible(shown)) return 'hidden characters'
  return isMixed(shown) ? 'look-alike letters' : null
}
