import type { Loose } from '../passed.ts'

type Tell = (event: Loose & { readonly type: string }) => string

interface Message {
  readonly kind: 'message'
  readonly id: string
  text: string
  open: boolean
}

interface Call {
  readonly kind: 'call'
  readonly id: string
  readonly callId: string
  readonly name: string
  readonly index: unknown
  args: string
  open: boolean
}

/** What a response puts out, item by item, and the events that tell of it. */
export class Items {
  readonly #all: (Message | Call)[] = []
  readonly #id: string
  readonly #tell: Tell

  constructor(id: string, tell: Tell) {
    this.#id = id
    this.#tell = tell
  }

  get list(): Loose[] {
    return this.#all.map(written)
  }

  #place(item: Message | Call): Loose {
    return { item_id: item.id, output_index: this.#all.indexOf(item) }
  }

  text(piece: string): string {
    if (piece === '') return ''
    const last = this.#all.at(-1)
    const isOpen = last?.kind === 'message' && last.open
    const message: Message = isOpen
      ? last
      : { kind: 'message', id: `msg_${this.#id}_${this.#all.length}`, text: '', open: true }
    const begun = isOpen ? '' : this.end() + this.#added(message) + this.#part(message, 'added')
    message.text += piece
    const at = { ...this.#place(message), content_index: 0 }
    return begun + this.#tell({ type: 'response.output_text.delta', ...at, delta: piece, logprobs: [] })
  }

  /** A piece of a call: its name comes first, once. */
  call({ index, id, function: of }: Loose): string {
    const { name = '', arguments: piece } = (of ?? {}) as { name?: string; arguments?: unknown }
    let call = this.#all.findLast(item => item.kind === 'call' && item.index === index)
    let begun = ''
    if (call?.kind !== 'call') {
      const callId = typeof id === 'string' && id !== '' ? id : `call_${this.#id}_${this.#all.length}`
      const itemId = `fc_${this.#id}_${this.#all.length}`
      call = { kind: 'call', id: itemId, callId, name, index, args: '', open: true }
      begun = this.#closeText() + this.#added(call)
    }
    if (typeof piece !== 'string' || piece === '') return begun
    call.args += piece
    return begun + this.#tell({ type: 'response.function_call_arguments.delta', ...this.#place(call), delta: piece })
  }

  #added(item: Message | Call): string {
    this.#all.push(item)
    return this.#tell({ type: 'response.output_item.added', output_index: this.#all.length - 1, item: written(item) })
  }

  #part(message: Message, what: 'added' | 'done'): string {
    const part = textPart(message.text)
    return this.#tell({ type: `response.content_part.${what}`, ...this.#place(message), content_index: 0, part })
  }

  #closeText(): string {
    const last = this.#all.at(-1)
    return last?.kind === 'message' ? this.#close(last) : ''
  }

  #close(item: Message | Call): string {
    if (!item.open) return ''
    item.open = false
    const at = this.#place(item)
    const told =
      item.kind === 'message'
        ? this.#tell({ type: 'response.output_text.done', ...at, content_index: 0, text: item.text, logprobs: [] }) +
          this.#part(item, 'done')
        : this.#tell({ type: 'response.function_call_arguments.done', ...at, name: item.name, arguments: item.args })
    const done = { output_index: at['output_index'], item: written(item) }
    return told + this.#tell({ type: 'response.output_item.done', ...done })
  }

  /** Nothing more comes. */
  end(): string {
    return this.#all.map(item => this.#close(item)).join('')
  }
}

const textPart = (text: string): Loose => ({ type: 'output_text', text, annotations: [], logprobs: [] })

function written(item: Message | Call): Loose {
  const status = item.open ? 'in_progress' : 'completed'
  if (item.kind === 'call')
    return { type: 'function_call', id: item.id, call_id: item.callId, name: item.name, arguments: item.args, status }
  const content = item.text === '' && item.open ? [] : [textPart(item.text)]
  return { type: 'message', id: item.id, role: 'assistant', status, content }
}
