import { readFileSync } from 'node:fs'
import { join } from 'node:path'

interface Table {
  readonly byName: ReadonlyMap<string, string>
  readonly byText: ReadonlyMap<string, string>
}

let known: Table | null = null

const selector = /\ufe0f/g
const tone = /[\u{1f3fb}-\u{1f3ff}]/u

/** With the selector that makes a character an emoji where it is text by itself: ❤ → ❤️. */
function shown(points: string): string {
  const text = String.fromCodePoint(...points.split('-').map(point => Number.parseInt(point, 16)))
  return Array.from(text).length === 1 && !/\p{Emoji_Presentation}/u.test(text) ? `${text}\ufe0f` : text
}

function table(): Table {
  if (known) return known
  const byName = new Map<string, string>()
  const byText = new Map<string, string>()
  for (const line of readFileSync(join(import.meta.dirname, 'emoji.txt'), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const [points = '', ...names] = line.split(' ')
    const text = shown(points)
    byText.set(text.replace(selector, ''), names[0] as string)
    for (const name of names) byName.set(name, text)
  }
  known = { byName, byText }
  return known
}

/** The emoji of a name such as `+1` or `+1::skin-tone-3`; null when the workspace made it itself. */
export function emojiText(name: string): string | null {
  const [base = '', skin] = name.replace(/^:|:$/g, '').split('::')
  const text = table().byName.get(base)
  if (text === undefined) return null
  const modifier = skin === undefined ? undefined : table().byName.get(skin)
  if (modifier === undefined) return text
  const [first = '', ...rest] = Array.from(text.replace(selector, ''))
  return first + modifier + rest.join('')
}

/** Slack's name of an emoji, or of `:name:`; null when it has none. */
export function emojiName(emoji: string): string | null {
  const custom = /^:([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):$/.exec(emoji)
  if (custom) return custom[1] as string
  const bare = emoji.replace(selector, '')
  const plain = table().byText.get(bare)
  if (plain !== undefined) return plain
  const skin = tone.exec(bare)?.[0]
  const base = skin === undefined ? undefined : table().byText.get(bare.replaceAll(skin, ''))
  return base === undefined ? null : `${base}::${table().byText.get(skin as string)}`
}
