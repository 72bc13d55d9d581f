/** Text with its looks, and the one gate through which anything reaches the terminal. */

export interface Style {
  readonly bold?: boolean
  readonly dim?: boolean
  readonly italic?: boolean
  readonly underline?: boolean
  readonly strike?: boolean
  readonly reverse?: boolean
  readonly ink?: Colour
  readonly ground?: Colour
}

/** A colour of the 256 that terminals have, or 24 bits as `#rrggbb`. */
export type Colour = number | `#${string}`

export interface Run {
  readonly text: string
  readonly style: Style
}

export type Row = readonly Run[]

/**
 * What may never reach a terminal from outside: C0 and C1 controls (ESC and CSI among them), DEL, and the characters
 * that turn the direction of the text around them.
 */
const unsafe = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g
const crowd = /(\p{M}{4})\p{M}+/gu

/** One line that can't drive a terminal: no controls, no half characters, no towers of combining marks. */
export const clean = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text)
    ? text
    : text
        .toWellFormed()
        .replace(/[\t\n\r]/g, ' ')
        .replace(unsafe, '')
        .replace(crowd, '$1')

const colour = (of: Colour, base: 38 | 48): string => {
  if (typeof of === 'number') return `${base};5;${of & 255}`
  const value = Number.parseInt(of.slice(1), 16) || 0
  return `${base};2;${(value >> 16) & 255};${(value >> 8) & 255};${value & 255}`
}

/** The SGR sequence (ECMA-48) of a style, from a reset; colours unless they are not wanted (no-color.org). */
export function sgr(style: Style, colours = true): string {
  const codes = ['0']
  if (style.bold) codes.push('1')
  if (style.dim) codes.push('2')
  if (style.italic) codes.push('3')
  if (style.underline) codes.push('4')
  if (style.reverse) codes.push('7')
  if (style.strike) codes.push('9')
  if (colours && style.ink !== undefined) codes.push(colour(style.ink, 38))
  if (colours && style.ground !== undefined) codes.push(colour(style.ground, 48))
  return `\x1b[${codes.join(';')}m`
}

/** A row as terminal output. The only function that makes any: every text is cleaned here, whatever came before. */
export const paint = (row: Row, colours = true): string =>
  `${row.map(run => `${sgr(run.style, colours)}${clean(run.text)}`).join('')}\x1b[0m`
