/** IRC's formatting bytes (modern.ircdocs.horse/formatting) as styled runs. */
import type { Colour, Run, Style } from './style.ts'

const codes =
  /\x03(?:(\d{1,2})(?:,(\d{1,2}))?)?|\x04(?:([0-9a-fA-F]{6})(?:,([0-9a-fA-F]{6}))?)?|[\x02\x0f\x11\x16\x1d\x1e\x1f]/g

/** IRC's colours 0 to 98 among the terminal's 256: the first 16 are names, the others a table of the document above. */
const palette = [
  [15, 0, 4, 2, 9, 1, 5, 3, 11, 10, 6, 14, 12, 13, 8, 7],
  [52, 94, 100, 58, 22, 29, 23, 24, 17, 54, 53, 89, 88, 130, 142, 64, 28, 35, 30, 25, 18, 91, 90, 125],
  [124, 166, 184, 106, 34, 49, 37, 33, 19, 129, 127, 161, 196, 208, 226, 154, 46, 86, 51, 75, 21, 171, 201, 198],
  [203, 215, 227, 191, 83, 122, 87, 111, 63, 177, 207, 205, 217, 223, 229, 193, 157, 158, 159, 153, 147, 183, 219, 212],
  [16, 233, 235, 237, 239, 241, 244, 247, 250, 254, 231],
].flat()

type Mutable = { -readonly [key in keyof Style]: Style[key] }
type Toggle = 'bold' | 'italic' | 'underline' | 'strike' | 'reverse'

const toggles: Readonly<Record<string, Toggle>> = {
  '\x02': 'bold',
  '\x1d': 'italic',
  '\x1f': 'underline',
  '\x1e': 'strike',
  '\x16': 'reverse',
}

function setColour(style: Mutable, part: 'ink' | 'ground', value: Colour | undefined): void {
  if (value === undefined) delete style[part]
  else style[part] = value
}

/** 99 is the default colour: absent from the palette, as it should be. */
function setColours(style: Mutable, [, ink, ground, hexInk, hexGround]: RegExpMatchArray): void {
  if (hexInk !== undefined) {
    setColour(style, 'ink', `#${hexInk}`)
    if (hexGround !== undefined) setColour(style, 'ground', `#${hexGround}`)
    return
  }
  setColour(style, 'ink', ink === undefined ? undefined : palette[Number(ink)])
  if (ink === undefined) delete style.ground
  else if (ground !== undefined) setColour(style, 'ground', palette[Number(ground)])
}

/** Text in the colour of its ground is turned round, so that nobody writes unseen. */
function shown(style: Mutable): Style {
  if (style.ink === undefined || style.ink !== style.ground) return { ...style }
  const { ink: _, ground: __, ...rest } = style
  return { ...rest, reverse: true }
}

/** One line of text from the wire, as runs over `base`. Formatting bytes are consumed, other controls stay (`paint` drops them). */
export function formatRuns(text: string, base: Style = {}): Run[] {
  const runs: Run[] = []
  let style: Mutable = { ...base }
  let at = 0
  const push = (end: number): void => {
    if (end > at) runs.push({ text: text.slice(at, end), style: shown(style) })
  }
  for (const found of text.matchAll(codes)) {
    push(found.index)
    at = found.index + found[0].length
    const toggle = toggles[found[0]]
    if (toggle !== undefined) style[toggle] = !style[toggle]
    else if (found[0] === '\x0f') style = { ...base }
    else if (found[0] !== '\x11') setColours(style, found)
  }
  push(text.length)
  return runs
}

/** The same without any looks. */
export const withoutFormat = (text: string): string => text.replace(codes, '')
