import type { Line } from '../text/line.ts'

/** A batch of the server (IRCv3 batch): its lines and inner batches in the order they came. */
export interface Batch {
  readonly type: string
  /** The line that opened it: tags such as `label`, `msgid` and `account` stand there. */
  readonly start: Line
  readonly items: (Line | Batch)[]
}

export const isBatch = (item: Line | Batch): item is Batch => 'items' in item

/** What a server opens and never ends, or makes without bounds, must not fill the memory: an answer of 1,000 messages of 4 KiB, in a hundred lines each, has room. */
const mostOpen = 256
const mostHeldBytes = 64 * 2 ** 20
const mostNested = 16
/** What a line takes beside its own characters. */
const lineBytes = 300

interface Open {
  readonly batch: Batch
  readonly parent: string | undefined
  heldBytes: number
  /** How many batches are within each other in it. */
  nested: number
}

/**
 * Collects batches, nested ones too. The library holds batches back but loses nested ones, and multiline messages
 * inside history are nested.
 */
export class Batches {
  readonly #open = new Map<string, Open>()
  readonly #done: (batch: Batch) => void
  readonly #over: () => void
  #heldBytes = 0
  #isOver = false

  /** `over`: told once that something was not kept. */
  constructor(done: (batch: Batch) => void, over: () => void) {
    this.#done = done
    this.#over = over
  }

  /** True when the line was part of a batch (or opened or ended one) and needs no more care. `length`: of the line as it came. */
  take(line: Line, length: number): boolean {
    if (line.command === 'BATCH') {
      this.#mark(line, length)
      return true
    }
    const reference = line.tags['batch']
    if (reference === undefined) return false
    const open = this.#open.get(reference)
    // A line of a batch we do not know is better read by itself than lost.
    if (!open) return false
    if (this.#hold(open, length)) open.batch.items.push(line)
    return true
  }

  #mark(line: Line, length: number): void {
    const reference = line.params[0] ?? ''
    const name = reference.slice(1)
    if (reference.startsWith('+') && name !== '') this.#begin(name, line, length)
    else if (reference.startsWith('-')) this.#end(name)
  }

  #begin(name: string, start: Line, length: number): void {
    this.#drop(name)
    if (this.#open.size >= mostOpen) this.#dropOldest()
    const batch: Batch = { type: (start.params[1] ?? '').toLowerCase(), start, items: [] }
    const open = { batch, parent: start.tags['batch'], heldBytes: 0, nested: 1 }
    if (this.#hold(open, length)) this.#open.set(name, open)
  }

  /** False: there is no room for it, even without all that were opened before. */
  #hold(open: Open, length: number): boolean {
    const bytes = lineBytes + length
    while (this.#heldBytes + bytes > mostHeldBytes && this.#open.values().next().value !== open && this.#open.size > 0)
      this.#dropOldest()
    const hasRoom = this.#heldBytes + bytes <= mostHeldBytes
    if (!hasRoom) this.#tellOver()
    else {
      open.heldBytes += bytes
      this.#heldBytes += bytes
    }
    return hasRoom
  }

  #dropOldest(): void {
    this.#drop(this.#open.keys().next().value ?? '')
    this.#tellOver()
  }

  #drop(name: string): Open | undefined {
    const open = this.#open.get(name)
    if (open) this.#heldBytes -= open.heldBytes
    this.#open.delete(name)
    return open
  }

  #tellOver(): void {
    if (!this.#isOver) this.#over()
    this.#isOver = true
  }

  #end(name: string): void {
    const ended = this.#drop(name)
    if (!ended) return
    const parent = ended.parent === undefined ? undefined : this.#open.get(ended.parent)
    if (!parent) this.#done(ended.batch)
    else if (ended.nested >= mostNested) this.#tellOver()
    else {
      parent.batch.items.push(ended.batch)
      parent.nested = Math.max(parent.nested, ended.nested + 1)
      parent.heldBytes += ended.heldBytes
      this.#heldBytes += ended.heldBytes
    }
  }
}

/**
 * One line out of a `draft/multiline` batch: the batch's own tags and source, all its text with newlines. Null when
 * there is no text in it.
 */
export function joinMultiline(batch: Batch): Line | null {
  const lines = batch.items.filter((item): item is Line => !isBatch(item))
  const first = lines[0]
  if (!first) return null
  let text = ''
  for (const [index, line] of lines.entries()) {
    if (index > 0 && line.tags['draft/multiline-concat'] === undefined) text += '\n'
    text += line.params[1] ?? ''
  }
  return {
    tags: { ...first.tags, ...batch.start.tags },
    prefix: batch.start.prefix || first.prefix,
    nick: batch.start.nick || first.nick,
    command: first.command,
    params: [batch.start.params[2] ?? first.params[0] ?? '', text],
  }
}
