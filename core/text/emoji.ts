/** What has a character shown as text, or as an emoji. */
const selectors = /[\ufe0e\ufe0f]/g
/** Shown as text by itself: ❤, ♂, the digit of a keycap. */
const textual = /(?:[[\p{Emoji}&&\p{Extended_Pictographic}]--\p{Emoji_Presentation}](?!\p{EMod})|[0-9#*](?=\u20e3))/gv

/**
 * An emoji in its one spelling, Unicode's fully-qualified: Telegram writes ❤ without the selector with which others do, and
 * Element writes ⛔ with one.
 */
export const qualified = (emoji: string): string => emoji.replace(selectors, '').replace(textual, '$&\ufe0f')
