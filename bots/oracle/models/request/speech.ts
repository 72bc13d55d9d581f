import { CodeSpan } from '../../code-span.ts'

/** What a model writes into its text that is not for people: its thinking, and calls of tools in words. */
const hiddenTags = ['think', 'thinking', 'reasoning', 'tool_call'] as const

const tag = new RegExp(`^<(/?)(${hiddenTags.join('|')})>`, 'i')
const openings = hiddenTags.flatMap(name => [`<${name}>`, `</${name}>`])
const longest = Math.max(...openings.map(opening => opening.length))

const mayBecomeTag = (start: string): boolean =>
  start.length < longest && openings.some(opening => opening.startsWith(start.toLowerCase()))

/**
 * Takes `<think>…</think>` and its like out of a text that comes in pieces, wherever these are cut. Linear in its input.
 * A closing tag that nobody opened means that all before it was thinking (the model's template had opened it).
 */
export class SpeechFilter {
  /** All text that was given so far is void. */
  voided = false
  #hidden = ''
  #pending = ''
  #inside: string | null = null
  #begun = false
  #opened = false
  #code = new CodeSpan()

  /** What of it is to be said now. Look at `voided` first. */
  push(piece: string): string {
    this.voided = false
    const text = this.#pending + piece
    this.#pending = ''
    let out = ''
    let at = 0
    while (at < text.length) {
      if (this.#inside !== null) at = this.#skip(text, at)
      else {
        const [char, next] = this.#step(text, at)
        out = char === null ? '' : out + char
        at = next
      }
    }
    return this.#give(out)
  }

  /** What was held back because it might have become a tag. */
  end(): string {
    this.voided = false
    const left = this.#pending
    this.#pending = ''
    if (this.#inside !== null) {
      this.#hidden += left
      return ''
    }
    return this.#give(left)
  }

  /** What was taken out since the last call: it is paid all the same. */
  takeHidden(): string {
    const hidden = this.#hidden
    this.#hidden = ''
    return hidden
  }

  #give(out: string): string {
    const given = this.#begun ? out : out.trimStart()
    this.#begun ||= given !== ''
    return given
  }

  /** Inside of what is hidden: goes on after its end, or to the end of the text. */
  #skip(text: string, at: number): number {
    const closing = `</${this.#inside}>`
    // A search for the signs as they stand: letters whose small form is longer would move what comes after.
    const ends = new RegExp(closing, 'gi')
    ends.lastIndex = at
    const end = ends.exec(text)?.index ?? -1
    if (end >= 0) {
      this.#hidden += text.slice(at, end)
      this.#inside = null
      return end + closing.length
    }
    const kept = Math.max(at, text.length - closing.length + 1)
    this.#hidden += text.slice(at, kept)
    this.#pending = text.slice(kept)
    return text.length
  }

  /** One character to say, '' for a tag or what may become one, null when all before is void; and where to go on. */
  #step(text: string, at: number): [char: string | null, next: number] {
    const char = text[at] as string
    if (char !== '<' || this.#code.open) {
      this.#code.take(char)
      return [char, at + 1]
    }
    const rest = text.slice(at, at + longest)
    const [whole, slash, name = ''] = tag.exec(rest) ?? []
    if (whole !== undefined) {
      return [slash === '' ? this.#open(name) : this.#close(name), at + whole.length]
    }
    if (at + rest.length === text.length && mayBecomeTag(rest)) {
      this.#pending = rest
      return ['', text.length]
    }
    this.#code.take(char)
    return [char, at + 1]
  }

  #open(name: string): '' {
    this.#inside = name.toLowerCase()
    this.#opened = true
    return ''
  }

  #close(name: string): '' | null {
    if (this.#opened || name.toLowerCase() === 'tool_call') return ''
    this.#opened = true
    this.voided = true
    this.#begun = false
    this.#code = new CodeSpan()
    return null
  }
}
