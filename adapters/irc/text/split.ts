import { graphemesOf } from '../../../core/text/graphemes.ts'

/** Formatting that is open at some point of a line and must be opened again on the next one. */
interface Open {
  toggles: string
  colour: string
}

const code = /\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[0-9a-fA-F]{6}(?:,[0-9a-fA-F]{6})?)?|[\x02\x0f\x11\x16\x1d\x1e\x1f]/g

function apply(open: Open, token: string): Open {
  if (token === '\x0f') return { toggles: '', colour: '' }
  if (token.startsWith('\x03') || token.startsWith('\x04')) {
    return { toggles: open.toggles, colour: token.length === 1 ? '' : token }
  }
  const without = open.toggles.replace(token, '')
  return { toggles: without === open.toggles ? open.toggles + token : without, colour: open.colour }
}

const bytesOf = (text: string): number => (text.length === 1 && text < '\x80' ? 1 : Buffer.byteLength(text))

/** The smallest things that may not be cut: graphemes, unless one alone is longer than a line. */
function* atoms(text: string, limitBytes: number): Generator<{ text: string; bytes: number; code: boolean }> {
  let at = 0
  for (const found of text.matchAll(code)) {
    yield* plainAtoms(text.slice(at, found.index), limitBytes)
    yield { text: found[0], bytes: found[0].length, code: true }
    at = found.index + found[0].length
  }
  yield* plainAtoms(text.slice(at), limitBytes)
}

function* plainAtoms(text: string, limitBytes: number): Generator<{ text: string; bytes: number; code: boolean }> {
  for (const { segment } of graphemesOf(text)) {
    const bytes = bytesOf(segment)
    if (bytes <= limitBytes) yield { text: segment, bytes, code: false }
    else for (const point of segment) yield { text: point, bytes: bytesOf(point), code: false }
  }
}

/** Room that reopened formatting may take at the start of a piece: five toggles, reverse and a hex colour pair. */
const reopenBytes = 20

class Splitter {
  readonly pieces: string[] = []
  readonly #limit: number
  readonly #keepSpace: boolean
  #text = ''
  #bytes = 0
  #fresh = true
  #open: Open = { toggles: '', colour: '' }
  /** Where the last word of the piece ended: index after the space, and the formatting open there. */
  #word: { at: number; open: Open } | null = null

  constructor(limitBytes: number, keepSpace: boolean) {
    this.#limit = limitBytes
    this.#keepSpace = keepSpace
  }

  add(atom: { text: string; bytes: number; code: boolean }): void {
    // Twice where what stands behind the last word leaves no room for it either.
    while (this.#bytes + atom.bytes > this.#limit && !this.#fresh) this.#cut()
    this.#text += atom.text
    this.#bytes += atom.bytes
    if (atom.code) {
      this.#open = apply(this.#open, atom.text)
      return
    }
    this.#fresh = false
    if (atom.text === ' ') this.#word = { at: this.#text.length, open: this.#open }
  }

  /** Ends a piece at the last word, unless that would leave the piece less than half full. */
  #cut(): void {
    const word = this.#word !== null && this.#word.at > this.#text.length / 2 ? this.#word : null
    const end = word?.at ?? this.#text.length
    const open = word?.open ?? this.#open
    const rest = this.#text.slice(end)
    const piece = this.#text.slice(0, end)
    this.pieces.push(this.#keepSpace || !word ? piece : piece.slice(0, -1))
    // What the receiver joins again must not toggle twice.
    this.#text = this.#keepSpace ? rest : open.toggles + open.colour + rest
    this.#bytes = Buffer.byteLength(this.#text)
    this.#fresh = rest === ''
    this.#word = null
  }

  end(): string[] {
    if (!this.#fresh || this.pieces.length === 0) this.pieces.push(this.#text)
    return this.pieces
  }
}

/**
 * Cuts one line into pieces of at most `limitBytes` UTF-8 bytes, at words where possible. No grapheme (unless longer
 * than a line by itself), no code point and no formatting code is ever cut; what formatting is open goes on in the next
 * piece. `keepSpace` keeps the space at a break, for pieces that the receiver joins again. Time is linear.
 */
export function splitLine(text: string, limitBytes: number, keepSpace = false): string[] {
  if (text.length * 3 <= limitBytes || Buffer.byteLength(text) <= limitBytes) return [text]
  const limit = Math.max(limitBytes, reopenBytes * 2)
  const splitter = new Splitter(limit, keepSpace)
  for (const atom of atoms(text, limit - reopenBytes)) splitter.add(atom)
  return splitter.end()
}
