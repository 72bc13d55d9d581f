/** Seeded random text for fuzz tests: the seed is printed, and `CHANOP_SEED` sets it to repeat a run. */

export const seedOf = (): number => Number(process.env['CHANOP_SEED'] ?? Date.now() % 2_147_483_647)

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const words = [
  'a',
  'hello',
  'Zoë',
  'Grüße',
  'Привет',
  '日本語',
  'العربية',
  'देवनागरी',
  '!version',
  '/stop',
  'PRIVMSG #x',
  '<bob>',
  '@all',
  ':',
]
const clusters = ['👨‍👩‍👧‍👦', '🇩🇪', '👍🏽', 'e\u0301', 'Z\u0351\u036b\u0343', '각', '❤️‍🔥', '🏴󠁧󠁢󠁳󠁣󠁴󠁿']
const marks = [
  '**',
  '*',
  '`',
  '```',
  '[x](',
  '](https://a.example)',
  'https://a.example/x_(y)',
  '\\',
  '|',
  '~~',
  '> ',
  '||',
]
const spaces = [' ', ' ', '  ', '\u00a0', '\u3000']
const hostile = [
  '\u0000',
  '\r',
  '\n',
  '\r\n',
  '\u0001',
  '\u0001ACTION x\u0001',
  '\u0002',
  '\u0003',
  '\u000f',
  '\u001b[2J',
  '\u202e',
  '\u2066',
  '\u200b',
  '\ufeff',
  '\u007f',
  '\u0085',
  '\u2028',
  '\ud800',
  '\udc00',
  '\r\nQUIT :x\r\n',
]

/** What a person may write; with `harsh` also what only a program or an attacker writes. */
export function randomText(random: () => number, pieces: number, harsh = false): string {
  const lists = [words, words, clusters, marks, spaces, ...(harsh ? [hostile, hostile] : [])]
  let out = ''
  for (let n = 1 + Math.floor(random() * pieces); n > 0; n--) {
    const list = lists[Math.floor(random() * lists.length)] ?? words
    out += list[Math.floor(random() * list.length)] ?? ''
  }
  return out
}
