type Count = (text: string) => number

/** Longer runs without a space cost the tokenizer their square: a pasted line of 80,000 characters took 42 s. */
const pieceChars = 1000
/** After so many pieces others get their turn; a piece is 1 to 10 ms in the worst case. */
const piecesAtOnce = 8

let loading: Promise<Count> | undefined

/** Half a second and 75 MB the first time: only a bot that has a model pays it. */
export function loadTokenizer(): Promise<Count> {
  loading ??= import('gpt-tokenizer/encoding/o200k_base').then(({ countTokens }) => {
    // Words that only look like control tokens are words.
    const options = { disallowedSpecial: new Set<string>() }
    return text => countTokens(text, options)
  })
  return loading
}

/** Ends of pieces: never between the two halves of a character, and at a space where there is one near. */
function* piecesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + pieceChars, text.length)
    if (end < text.length) {
      const space = text.slice(at, end + 1).lastIndexOf(' ')
      if (space > pieceChars / 2) end = at + space
      else if (/[\uD800-\uDBFF]/.test(text[end - 1] as string)) end--
    }
    yield text.slice(at, end)
    at = end
  }
}

/** Tokens of a text by o200k_base: exact for OpenAI's models, and the measure that others are compared with. */
export async function countTokens(text: string): Promise<number> {
  if (text === '') return 0
  const count = await loadTokenizer()
  let tokens = 0
  let pieces = 0
  for (const piece of piecesOf(text)) {
    if (++pieces % piecesAtOnce === 0) await new Promise(resolve => setImmediate(resolve))
    tokens += count(piece)
  }
  return tokens
}
