/** How a line of chat is read as a command. Pure, linear in its input, and it never throws. */
import type { Content } from '../../event.ts'
import { plain } from '../../text/text.ts'

/** Formatting of IRC: toggles, and colours with their digits. */
const formatting = /\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[0-9a-fA-F]{6})?|[\x02\x0f\x11\x16\x1d\x1e\x1f]/g
const unseen = /[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad]/g
const spaces = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g

/**
 * Without formatting codes and what can't be seen, every space a plain one, trimmed. Quotes and dashes stay as they
 * are: text that is meant as text is not changed (`straight` is for words).
 */
export const normalise = (text: string): string =>
  text.replace(formatting, '').replace(unseen, '').replace(spaces, ' ').trim()

/** A word with the quotes, dashes and wide forms that phones write made plain: ’ → ', “ → ", — → --, ５ → 5. */
export const straight = (word: string): string =>
  word
    .replace(/[\u2018\u2019\u201a\u201b]/g, "'")
    .replace(/[\u201c\u201d\u201e\u201f]/g, '"')
    .replace(/[\u2014\u2015]/g, '--')
    .replace(/[\u2010-\u2013\u2212]/g, '-')
    .replace(/[\uff01-\uff5e]/g, wide => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))

/** What of a message may be a command: its own words, without what it quotes. */
export const spoken = (content: Content): string =>
  normalise(plain({ segments: content.segments.filter(segment => segment.kind !== 'quote') }))

/** A message that has the shape of a command. */
export interface Utterance {
  /** The words after prefix or address. */
  readonly line: string
  /** The bot it was said to: by name, or in a direct conversation. */
  readonly to: string | null
  /** It began with the prefix or `/`: certainly meant as a command. */
  readonly prefixed: boolean
  /** By name or in a direct conversation: an answer is expected. */
  readonly addressed: boolean
  /** It stands behind a name, as a relay or a liar writes it: `[owner] !restart`. Never obeyed. */
  readonly behindName?: true
  /** It came with its arguments by name: `line` is the command's name alone. */
  readonly given?: Readonly<Record<string, unknown>>
}

export interface Ears {
  readonly prefix: string
  /** Lower-case name → bot. */
  readonly bots: ReadonlyMap<string, string>
  /** Said in a direct conversation, and with which bot where that is known. */
  readonly direct: boolean
  readonly to: string | null
}

const command = /^[a-zA-Z][a-zA-Z0-9_-]*(?=\s|$)/

/** What follows the prefix, or a `/` that no client took for itself; null when it is talk: `!`, `!!`, `!1`, `/me`, `//x`. */
function afterPrefix(text: string, prefix: string): string | null {
  const rest = text.startsWith(prefix) ? text.slice(prefix.length) : text.startsWith('/') ? text.slice(1) : null
  if (rest === null || !command.test(rest)) return null
  return text.startsWith('/') && prefix !== '/' && /^me(?=\s|$)/i.test(rest) ? null : rest
}

/** `oracle: …`, `oracle, …`, `@oracle …`: the bot and what is said to it. */
function address(text: string, bots: ReadonlyMap<string, string>): { bot: string; rest: string } | null {
  const found = /^(@?)([^\s:,@]{1,64})([:,]?)(\s*)/.exec(text)
  if (!found) return null
  const [whole, at, name, sign, space] = found
  const rest = text.slice(whole.length)
  if ((!at && !sign) || (!sign && !space && rest !== '')) return null
  const bot = bots.get((name as string).toLowerCase())
  return bot === undefined ? null : { bot, rest }
}

/** `[irc] <owner> !restart`: no address, and no sender either. */
function behindName(text: string, prefix: string): Utterance | null {
  const [names] = /^(?:(?:\[[^\]\n]{1,64}\]|<[^>\n]{1,64}>|\([^)\n]{1,64}\))\s*){1,3}/.exec(text) ?? []
  const line = names === undefined ? null : afterPrefix(text.slice(names.length), prefix)
  return line === null ? null : { line, to: null, prefixed: true, addressed: false, behindName: true }
}

/** Reads a normalised text; null when it is certainly talk. */
export function hear(said: string, ears: Ears): Utterance | null {
  const text = said.replace(/^\S+/, straight)
  const bare = afterPrefix(text, ears.prefix)
  if (bare !== null) return { line: bare, to: ears.to, prefixed: true, addressed: ears.direct }
  const called = address(text, ears.bots)
  if (!called && !ears.direct) return behindName(text, ears.prefix)
  const rest = called ? called.rest : text
  const inner = afterPrefix(rest, ears.prefix)
  const line = inner ?? rest
  if (!command.test(line)) return null
  return { line, to: called?.bot ?? ears.to, prefixed: inner !== null, addressed: true }
}

export interface Token {
  readonly text: string
  /** Where it stands in the line. */
  readonly from: number
  readonly to: number
  /** Was in quotes as a whole: text, never a key or a flag. */
  readonly quoted: boolean
  /** Of `key=…`: the key in lower case. */
  readonly key?: string
  readonly value?: string
}

const closing: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '“': '”',
  '„': '“',
  '«': '»',
  '＂': '＂',
  '‘': '’',
}

/** The text between quotes that begin at `from`; null when they never end, or do in the middle of a word. */
function quoted(line: string, from: number): { text: string; to: number } | null {
  const open = line[from] ?? ''
  const close = closing[open]
  if (close === undefined) return null
  let text = ''
  for (let at = from + 1; at < line.length; at++) {
    const char = line[at] as string
    if (open === '"' && char === '\\' && at + 1 < line.length) text += line[++at]
    else if (char === close || (open === '„' && char === '”')) {
      return at + 1 === line.length || /\s/.test(line[at + 1] as string) ? { text, to: at + 1 } : null
    } else text += char
  }
  return null
}

/**
 * Cuts a line into words. Quotes count only at the start of a word (or of a value after `key=`) and when they end
 * with one; backslashes only inside double quotes; a lone apostrophe is text. Reads no more than `limit` words.
 */
export function tokenise(line: string, limit = 400): Token[] {
  const tokens: Token[] = []
  const word = /\S+/y
  // An opening quote that is never closed is looked for once, not again at every word.
  const open = new Map<string, number>()
  const tryQuoted = (from: number): { text: string; to: number } | null => {
    const sign = line[from] ?? ''
    if (closing[sign] === undefined || (open.get(sign) ?? 0) > 20) return null
    const found = quoted(line, from)
    if (!found) open.set(sign, (open.get(sign) ?? 0) + 1)
    return found
  }
  for (let at = 0; tokens.length < limit; ) {
    while (at < line.length && /\s/.test(line[at] as string)) at++
    if (at >= line.length) break
    const whole = tryQuoted(at)
    if (whole) {
      tokens.push({ text: whole.text, from: at, to: whole.to, quoted: true })
      at = whole.to
      continue
    }
    word.lastIndex = at
    const raw = word.exec(line)?.[0] ?? ''
    const key = /^(?:--|\u2014)?([a-zA-Z][a-zA-Z0-9_-]{0,39})[=\uff1d]/.exec(raw)
    const value = key ? tryQuoted(at + key[0].length) : null
    const to = value?.to ?? at + raw.length
    tokens.push({
      text: straight(line.slice(at, to)),
      from: at,
      to,
      quoted: false,
      ...(key
        ? { key: (key[1] as string).toLowerCase(), value: value?.text ?? straight(raw.slice(key[0].length)) }
        : {}),
    })
    at = to
  }
  return tokens
}
