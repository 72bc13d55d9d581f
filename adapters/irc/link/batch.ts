import type { Line } from '../text/line.ts'

/** A batch of the server (IRCv3 batch): its lines and inner batches in the order they came. */
export interface Batch {
  readonly type: string
  /** The line that opened it: tags such as `label`, `msgid` and `account` stand there. */
  readonly start: Line
  readonly items: (Line | Batch)[]
}

export const isBatch = (item: Line | Batch): item is Batch => 'items' in item

/** A server that opens batches and never ends them must not fill the memory. */
const mostOpen = 256
const mostItems = 50_000

/**
 * Collects batches, nested ones too. The library holds batches back but loses nested ones, and multiline messages
 * inside history are nested.
 */
export class Batches {
  readonly #open = new Map<string, { batch: Batch; parent: string | undefined }>()
  readonly #done: (batch: Batch) => void

  constructor(done: (batch: Batch) => void) {
    this.#done = done
  }

  /** True when the line was part of a batch (or opened or ended one) and needs no more care. */
  take(line: Line): boolean {
    if (line.command === 'BATCH') {
      this.#mark(line)
      return true
    }
    const reference = line.tags['batch']
    if (reference === undefined) return false
    const open = this.#open.get(reference)
    // A line of a batch we do not know is better read by itself than lost.
    if (!open) return false
    if (open.batch.items.length < mostItems) open.batch.items.push(line)
    return true
  }

  #mark(line: Line): void {
    const reference = line.params[0] ?? ''
    const name = reference.slice(1)
    if (reference.startsWith('+') && name !== '') this.#begin(name, line)
    else if (reference.startsWith('-')) this.#end(name)
  }

  #begin(name: string, start: Line): void {
    if (this.#open.size >= mostOpen) this.#open.delete(this.#open.keys().next().value ?? '')
    const batch: Batch = { type: (start.params[1] ?? '').toLowerCase(), start, items: [] }
    this.#open.set(name, { batch, parent: start.tags['batch'] })
  }

  #end(name: string): void {
    const ended = this.#open.get(name)
    if (!ended) return
    this.#open.delete(name)
    const parent = ended.parent === undefined ? undefined : this.#open.get(ended.parent)
    if (parent) parent.batch.items.push(ended.batch)
    else this.#done(ended.batch)
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
