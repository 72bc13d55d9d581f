/** The terminal: taken over on opening, given back as it was on closing. */
import { emitKeypressEvents } from 'node:readline'
import type { ReadStream, WriteStream } from 'node:tty'
import type { Frame } from './screen.ts'
import { paint } from './style.ts'

export interface Key {
  readonly name?: string
  readonly sequence?: string
  readonly ctrl?: boolean
  readonly meta?: boolean
}

/** Alternate screen, lines not wrapped by the terminal, pasted text marked (xterm's control sequences). */
const enter = '\x1b[?1049h\x1b[?7l\x1b[?2004h\x1b[2J'
const leave = '\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[0m\x1b[?1049l'

export class Terminal {
  readonly #input: ReadStream
  readonly #output: WriteStream
  readonly #colours: boolean
  #before: string[] = []
  #open = false

  constructor(input: ReadStream, output: WriteStream, colours = true) {
    this.#input = input
    this.#output = output
    this.#colours = colours
  }

  get width(): number {
    return Math.max(1, this.#output.columns || 80)
  }

  get height(): number {
    return Math.max(1, this.#output.rows || 24)
  }

  open(key: (typed: string | undefined, key: Key) => void, resized: () => void): void {
    this.#open = true
    emitKeypressEvents(this.#input)
    this.#input.setRawMode(true)
    this.#input.on('keypress', key)
    this.#input.resume()
    this.#output.on('resize', () => {
      this.redraw()
      resized()
    })
    this.#output.write(enter)
  }

  /** The next frame is written whole. */
  redraw(): void {
    this.#before = []
  }

  /** Writes the rows that differ from those on the screen. */
  draw({ rows, cursor }: Frame): void {
    if (!this.#open) return
    const painted = rows.map(row => paint(row, this.#colours))
    let out = this.#before.length === 0 ? '\x1b[?25l\x1b[0m\x1b[2J' : '\x1b[?25l'
    for (const [at, row] of painted.entries()) {
      if (row !== this.#before[at]) out += `\x1b[${at + 1};1H\x1b[0m\x1b[2K${row}`
    }
    this.#before = painted
    this.#output.write(`${out}\x1b[${Math.max(1, rows.length)};${cursor + 1}H\x1b[?25h`)
  }

  /** Harmless when repeated: whoever ends the program calls it. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#input.removeAllListeners('keypress')
    this.#input.setRawMode(false)
    this.#input.pause()
    this.#output.write(leave)
  }
}
