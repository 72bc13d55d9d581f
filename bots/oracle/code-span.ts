/** Whether the text is inside of code, where a tag is a word like others. Follows CommonMark's back-ticks, by line. */
export class CodeSpan {
  #fenced = false
  #inline = 0
  #run = 0
  #atLineStart = true

  get open(): boolean {
    return this.#fenced || this.#inline > 0 || this.#run > 0
  }

  take(char: string): void {
    if (char === '`') {
      this.#run++
      return
    }
    this.#endRun()
    if (char === '\n') {
      this.#inline = 0
      this.#atLineStart = true
    } else if (char !== ' ') this.#atLineStart = false
  }

  #endRun(): void {
    const run = this.#run
    this.#run = 0
    if (run === 0) return
    if (run >= 3 && this.#atLineStart) this.#fenced = !this.#fenced
    else if (!this.#fenced) this.#inline = this.#inline === 0 ? run : this.#inline === run ? 0 : this.#inline
    this.#atLineStart = false
  }
}
