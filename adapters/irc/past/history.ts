import { ChanopError } from '../../../core/error.ts'
import { type Batch, isBatch, joinMultiline } from '../link/batch.ts'
import type { Session } from '../link/session.ts'
import { type Line, lastParam } from '../text/line.ts'

interface Waiting {
  readonly label: string
  readonly verb: string
  readonly target: string
  resolve(batch: Batch): void
  reject(error: ChanopError): void
}

const answerMs = 30_000
const mostPerPage = 1_000

/** CHATHISTORY (IRCv3 draft) of one connection: one request at a time, answered by its batch or a FAIL. */
export class History {
  readonly #session: Session
  #waiting: Waiting | null = null
  #tail: Promise<unknown> = Promise.resolve()
  #count = 0

  constructor(session: Session) {
    this.#session = session
  }

  get available(): boolean {
    return this.#session.has('draft/chathistory') && this.#session.has('batch')
  }

  /** How many lines the server gives at once. */
  get page(): number {
    const told = Number(this.#session.support('CHATHISTORY'))
    return Number.isInteger(told) && told > 0 ? Math.min(told, mostPerPage) : 100
  }

  /** `AFTER #c msgid=… 100` and the like. Rejects `unsupported` when the server refuses, `network-down` when it is gone. */
  ask(request: string): Promise<Line[]> {
    const turn = this.#tail.then(() => this.#ask(request))
    this.#tail = turn.catch(() => undefined)
    return turn
  }

  async #ask(request: string): Promise<Line[]> {
    if (!this.#session.open)
      throw new ChanopError('network-down', 'not connected; history is fetched after the reconnect')
    const label = `h${(++this.#count).toString(36)}`
    const batch = await new Promise<Batch>((resolve, reject) => {
      const inTime = this.#session.after(answerMs, () =>
        this.#end(new ChanopError('network-down', 'the server did not send its history')),
      )
      const done = (): void => {
        inTime()
        this.#waiting = null
      }
      const [verb = '', target = ''] = request.split(' ')
      this.#waiting = {
        label,
        verb,
        target,
        resolve: answer => (done(), resolve(answer)),
        reject: error => (done(), reject(error)),
      }
      const tag = this.#session.has('labeled-response') ? `@label=${label} ` : ''
      this.#session.write(`${tag}CHATHISTORY ${request}`)
    })
    return flatten(batch)
  }

  #end(error: ChanopError): void {
    this.#waiting?.reject(error)
  }

  #mine(line: Line): boolean {
    return !this.#session.has('labeled-response') || line.tags['label'] === this.#waiting?.label
  }

  /** True when the batch answers a request. */
  takeBatch(batch: Batch): boolean {
    if (!this.#waiting || !this.#mine(batch.start)) return false
    if (batch.type === 'labeled-response') {
      const refused = batch.items.find(item => !isBatch(item) && item.command === 'FAIL') as Line | undefined
      const inner = batch.items.find(isBatch)
      if (refused) this.#refused(refused)
      else this.#waiting.resolve(inner ?? batch)
      return true
    }
    if (!batch.type.includes('chathistory') || !this.#answers(batch, this.#waiting)) return false
    this.#waiting.resolve(batch)
    return true
  }

  /** Without labels: one that nobody asked for, or that came late, is of something else. */
  #answers({ type, start }: Batch, { verb, target }: Waiting): boolean {
    if (this.#session.has('labeled-response')) return true
    if (type.endsWith('targets') || verb === 'TARGETS') return type.endsWith('targets') && verb === 'TARGETS'
    return this.#session.fold(start.params[2] ?? '') === this.#session.fold(target)
  }

  /** True when the line refuses a request. */
  take(line: Line): boolean {
    if (!this.#waiting || !this.#mine(line)) return false
    const failed = line.command === 'FAIL' && (line.params[0] === 'CHATHISTORY' || line.tags['label'] !== undefined)
    const unknown = line.command === '421' && line.params[1]?.toUpperCase() === 'CHATHISTORY'
    if (!failed && !unknown && line.command !== 'ACK') return false
    this.#refused(line)
    return true
  }

  #refused(line: Line): void {
    this.#end(new ChanopError('unsupported', `no history: ${lastParam(line)}`))
  }

  close(): void {
    this.#end(new ChanopError('network-down', 'the connection ended while history was fetched'))
  }
}

/** The lines of a history batch, multiline messages joined, oldest first. */
export function flatten(batch: Batch): Line[] {
  const lines: Line[] = []
  for (const item of batch.items) {
    if (!isBatch(item)) lines.push(item)
    else if (item.type === 'draft/multiline') {
      const line = joinMultiline(item)
      if (line) lines.push(line)
    } else lines.push(...flatten(item))
  }
  return lines
}

const newestId = (lines: readonly Line[]): string | undefined =>
  lines.findLast(line => line.tags['msgid'] !== undefined)?.tags['msgid']

/** `timestamp=…` as CHATHISTORY wants it. */
export const timestamp = (atMs: number): string => `timestamp=${new Date(atMs).toISOString()}`

/** Pages of everything after a point (`msgid=…` or `timestamp=…`), oldest first. */
export async function* pagesAfter(history: History, target: string, point: string): AsyncGenerator<Line[]> {
  for (let from = point; ; ) {
    const lines = await history.ask(`AFTER ${target} ${from} ${history.page}`)
    if (lines.length > 0) yield lines
    const next = newestId(lines)
    if (next === undefined || `msgid=${next}` === from) return
    from = `msgid=${next}`
  }
}

/** Pages backwards from now, newest page first, each page oldest first; ends after `most` lines. */
export async function* pagesBack(history: History, target: string, most: number): AsyncGenerator<Line[]> {
  let seen = 0
  let lines = await history.ask(`LATEST ${target} * ${Math.min(history.page, most)}`)
  while (lines.length > 0) {
    yield lines
    seen += lines.length
    const first = lines[0] as Line
    const id = first.tags['msgid']
    if (id === undefined || seen >= most) return
    lines = await history.ask(`BEFORE ${target} msgid=${id} ${history.page}`)
    if (lines[0]?.tags['msgid'] === id) return
  }
}

/** Whether the server still has the message: what came after it can be fetched without a gap. */
export async function holds(history: History, target: string, id: string): Promise<boolean> {
  try {
    const lines = await history.ask(`AROUND ${target} msgid=${id} 3`)
    return lines.some(line => line.tags['msgid'] === id)
  } catch (error) {
    if (error instanceof ChanopError && error.code === 'unsupported') return false
    throw error
  }
}
