/**
 * Controls and directions that a terminal or an editor would obey: nobody sees them, and what stands behind them is seen
 * wrong. Joiners stay: they are part of emoji and of scripts.
 */
const obeyed =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g

/** Each of them as `\\u202e`. */
export const escaped = (text: string): string =>
  text.toWellFormed().replace(obeyed, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
