import { ChanopError } from '../../../core/error.ts'
import type { MessageId } from '../../../core/event.ts'
import { type Line, lastParam } from '../text/line.ts'
import { type Batch, isBatch } from './batch.ts'
import type { Session } from './session.ts'

/** The client tag that carries the delivery, so that our own lines are known again in an echo or in history. */
export const deliveryTag = '+chanop/d'
/** The instance that said it, on everything we say; `+chanop/o` instead on copies of somebody else's words. */
export const instanceTag = '+chanop/i'
export const originTag = '+chanop/o'

/** One native message on its way. */
export interface Outgoing {
  /** Where it goes, as it stands in the line. */
  readonly target: string
  /** Value of the delivery tag. */
  readonly mark: string
  /** The protocol lines, made with the label to put on the first of them. */
  lines(label: string | null): readonly string[]
}

interface Pending {
  readonly label: string
  readonly mark: string
  readonly target: string
  readonly seq: number
  readonly sinceMs: number
  readonly bytes: number
  resolve(id: MessageId): void
  reject(error: ChanopError): void
}

/** Composed, and not written yet. */
interface Held {
  readonly message: Outgoing
  readonly resolve: (id: MessageId) => void
  readonly reject: (error: ChanopError) => void
}

/**
 * So much may be written before it is confirmed. InspIRCd reads at most 64 KiB at a time and looks for the rest only
 * when something else happens or a second has passed.
 */
const mostBytesUnderWay = 49_152
/**
 * The same in messages where nothing is echoed: when such a server goes silent nobody can know which of these it took,
 * so that each is said again with a label.
 */
const mostUnechoedUnderWay = 8

/** An echo that has not come by then is asked after with a PING. */
const lateMs = 5_000
const tooLong = '417'
const again = new Set(['263', '439', '707'])

/**
 * Refusals of a message: numerics 4xx and 5xx, FAIL (IRCv3 standard replies), 263 (try again), 707 (targets change too
 * fast) and 716 (who is written to takes messages of those alone whom they accept, user mode +g).
 */
export const isRefusal = (line: Line): boolean => /^(?:[45]\d\d|263|707|716|FAIL)$/.test(line.command)
/** What answers a JOIN, a MODE, a KICK or a NICK and never a message: 43x but 439, 441, 443, 46x, 47x but 477, and 482. */
const ofOtherActs = /^(?:43[0-8]|441|443|46\d|47[0-689]|482)$/

export function refusal(line: Line): ChanopError {
  const later =
    again.has(line.command) || (line.command === 'FAIL' && /RATE|TRY_AGAIN|TEMPORAR/.test(line.params[1] ?? ''))
  return new ChanopError(
    later ? 'send-later' : 'send-refused',
    `the server refused it: ${lastParam(line)} (${line.command === 'FAIL' ? (line.params[1] ?? 'FAIL') : line.command})`,
  )
}

/**
 * What became of the lines of one connection. Where the server labels and echoes (IRCv3 labeled-response and
 * echo-message) each message settles by its own echo, with its id. Elsewhere a PING behind the lines tells that the
 * server has worked through them, and ids are made up (`~…`).
 */
export class Sends {
  readonly #session: Session
  readonly #byLabel = new Map<string, Pending>()
  readonly #nonce: string
  readonly #held: Held[] = []
  #bytes = 0
  #seq = 0
  #barrier = false
  #watch: NodeJS.Timeout | undefined

  constructor(session: Session, nonce: string) {
    this.#session = session
    this.#nonce = nonce
  }

  get labels(): boolean {
    return this.#session.has('labeled-response')
  }

  get echoes(): boolean {
    return this.#session.has('echo-message') && (this.labels || this.#session.has('message-tags'))
  }

  /** Writes a message after all earlier ones; resolves with its id, rejects with what the server said against it. */
  say(message: Outgoing): Promise<MessageId> {
    return new Promise((resolve, reject) => {
      const held = { message, resolve, reject }
      if (this.#held.length > 0 || this.#full) this.#held.push(held)
      else this.#write(held)
    })
  }

  get #full(): boolean {
    return this.echoes ? this.#bytes >= mostBytesUnderWay : this.#byLabel.size >= mostUnechoedUnderWay
  }

  #write({ message, resolve, reject }: Held): void {
    const seq = ++this.#seq
    const label = `s${seq.toString(36)}`
    const { mark } = message
    const target = this.#session.fold(message.target)
    const lines = message.lines(this.labels ? label : null)
    let bytes = 0
    for (const line of lines) bytes += Buffer.byteLength(line) + 2
    this.#bytes += bytes
    this.#byLabel.set(label, { label, mark, target, seq, sinceMs: performance.now(), bytes, resolve, reject })
    for (const line of lines) this.#session.flood.push(line)
    if (!this.echoes) this.#ping()
    else this.#watch ??= setInterval(() => this.#late(), lateMs)
  }

  /** It is settled, one way or the other: there is room again. */
  #done(pending: Pending): void {
    this.#byLabel.delete(pending.label)
    this.#bytes -= pending.bytes
    while (this.#held.length > 0 && !this.#full) this.#write(this.#held.shift() as Held)
  }

  /** One PING behind everything that is written in this turn. */
  #ping(): void {
    if (this.#barrier) return
    this.#barrier = true
    queueMicrotask(() => {
      this.#barrier = false
      const seq = this.#seq
      const token = `chanop-sent-${seq}`
      const pong = (line: Line): true | undefined =>
        line.command === 'PONG' && lastParam(line) === token ? true : undefined
      this.#session.ask(null, pong, 600_000).then(
        () => this.#worked(seq),
        () => this.#late(),
      )
      this.#session.flood.push(`PING :${token}`)
    })
  }

  /** The server has worked through everything up to `seq`. */
  #worked(seq: number): void {
    for (const pending of this.#byLabel.values()) {
      if (pending.seq > seq) break
      this.#done(pending)
      if (this.echoes)
        pending.reject(new ChanopError('send-refused', 'the server dropped the message without saying why'))
      else pending.resolve(this.#made(pending))
    }
  }

  #made(pending: Pending): MessageId {
    return `~${this.#nonce}:s${pending.seq}` as MessageId
  }

  #late(): void {
    if (this.#byLabel.size === 0) {
      clearInterval(this.#watch)
      this.#watch = undefined
      return
    }
    const oldest = this.#byLabel.values().next().value
    const late = oldest !== undefined && performance.now() - oldest.sinceMs > lateMs
    if (late && this.echoes && this.#session.flood.waiting === 0) this.#after()
  }

  /** Asks the server to say where it is: what has no echo by then was dropped. */
  #after(): void {
    const seq = this.#seq
    this.#session.barrier().then(
      () => this.#worked(seq),
      () => undefined, // the connection ended: `close` settles everything
    )
  }

  /** True when the line belongs to one of our sends: its echo, or what the server has against it. */
  take(line: Line): boolean {
    if (this.#byLabel.size === 0) return false
    const pending = this.#pendingOf(line)
    if (!pending) return this.#unlabelled(line)
    this.#settle(pending, line, line.tags['msgid'])
    return true
  }

  #pendingOf(line: Line): Pending | undefined {
    const label = line.tags['label']
    if (label !== undefined) return this.#byLabel.get(label)
    const mark = line.tags[deliveryTag]
    if (mark === undefined || !this.#session.isSelf(line.nick)) return undefined
    for (const pending of this.#byLabel.values()) if (pending.mark === mark) return pending
    return undefined
  }

  #settle(pending: Pending, line: Line, id: string | undefined): void {
    this.#done(pending)
    if (isRefusal(line)) pending.reject(refusal(line))
    else pending.resolve((id ?? this.#made(pending)) as MessageId)
  }

  /** Numerics without a label belong to the oldest message to that target. */
  #unlabelled(line: Line): boolean {
    if (!isRefusal(line) || ofOtherActs.test(line.command)) return false
    if (line.command === tooLong && this.echoes) this.#after()
    const target = this.#session.fold(line.params[1] ?? '')
    for (const pending of this.#byLabel.values()) {
      if (pending.target !== target) continue
      this.#settle(pending, line, undefined)
      return true
    }
    return false
  }

  /** The same for a batch: a multiline echo, or several answers to one line. */
  takeBatch(batch: Batch): boolean {
    const label = batch.start.tags['label']
    const pending = label === undefined ? undefined : this.#byLabel.get(label)
    if (!pending) return false
    const items = batch.type === 'labeled-response' ? batch.items : []
    const refused = items.find(item => !isBatch(item) && isRefusal(item)) as Line | undefined
    const told = items.find(item => (isBatch(item) ? item.start : item).tags['msgid'] !== undefined)
    const line = told === undefined ? batch.start : isBatch(told) ? told.start : told
    this.#settle(pending, refused ?? line, line.tags['msgid'])
    return true
  }

  /** The connection is gone: nobody knows what the server still took. */
  close(): void {
    clearInterval(this.#watch)
    const lost = [...this.#byLabel.values()]
    this.#byLabel.clear()
    for (const { reject } of this.#held.splice(0)) {
      reject(new ChanopError('send-later', 'the connection broke before the message was written', { afterMs: 0 }))
    }
    for (const pending of lost) {
      pending.reject(new ChanopError('network-down', 'the connection broke before the server confirmed the message'))
    }
  }
}
