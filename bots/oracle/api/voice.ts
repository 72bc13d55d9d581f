import type { ErrorCode } from '../../../core/error.ts'
import type { Content } from '../../../core/event.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { addPart, type Completion, type Ending, endCompletion } from '../../../core/ledger/oracle/completions.ts'
import { answerTurn } from '../../../core/ledger/oracle/turns.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { say } from '../../../core/say.ts'
import type { ModelEnd } from '../models/contract.ts'
import { segmentsOf } from '../speech/markdown.ts'
import type { Stage } from '../speech/stage.ts'
import type { Speaker } from '../speech/voice.ts'
import { self } from '../talk/address.ts'

const everyMs = 60

/** What a program is told of an answer's end. */
export const endingOf = (end: ModelEnd | null, error?: Ending['error']): Ending => ({
  finish: error ? 'failed' : (end?.finishReason ?? 'aborted'),
  inputTokens: end?.usage.inputTokens ?? 0,
  cachedTokens: end?.usage.cachedTokens ?? 0,
  outputTokens: end?.usage.outputTokens ?? 0,
  ...(error ? { error } : {}),
})

/** Hands an answer to a program as the model writes it. */
export class Pieces {
  readonly #ledger: Ledger
  readonly #id: number
  #text = ''
  #waiting = ''
  #timer: NodeJS.Timeout | undefined
  #saying: Promise<void> = Promise.resolve()

  constructor(ledger: Ledger, id: number) {
    this.#ledger = ledger
    this.#id = id
  }

  get text(): string {
    return this.#text
  }

  push(text: string): void {
    this.#text += text
    this.#waiting += text
    this.#timer ??= setTimeout(() => this.#flush(), everyMs)
  }

  restart(): void {
    this.#text = ''
    this.#waiting = ''
    this.#write(tx => addPart(tx, this.#id, { restart: true }))
  }

  #flush(): void {
    this.#timer = undefined
    const text = this.#waiting
    if (text === '') return
    this.#waiting = ''
    this.#write(tx => addPart(tx, this.#id, { text }))
  }

  #write(work: (tx: Tx) => void): void {
    this.#saying = this.#saying.then(() => this.#ledger.write(work, { durable: false }))
    this.#saying.catch(() => undefined)
  }

  /** Nothing more is written by itself. Rejects when the ledger did not take it. */
  async silence(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#saying
  }

  end(tx: Tx, ending: Ending, nowMs: number): void {
    if (this.#waiting !== '') addPart(tx, this.#id, { text: this.#waiting })
    this.#waiting = ''
    endCompletion(tx, this.#id, ending, nowMs)
  }
}

/** Says an answer to a program that brought its own conversation: piece by piece to it, and whole to the record. */
export class ProgramVoice implements Speaker {
  readonly #stage: Stage
  readonly #pieces: Pieces
  readonly fixed = false
  #end: ModelEnd | null = null
  #code: ErrorCode = 'model-failed'

  constructor(ledger: Ledger, stage: Stage, completion: Completion) {
    this.#stage = stage
    this.#pieces = new Pieces(ledger, completion.id)
    // An earlier process may have said something of it.
    if (stage.turn.tries > 1) this.#pieces.restart()
  }

  get begun(): boolean {
    return this.#pieces.text !== ''
  }

  get empty(): boolean {
    return this.#pieces.text.trim() === ''
  }

  push(text: string): void {
    this.#pieces.push(text)
  }

  restart(): void {
    this.#pieces.restart()
  }

  ended(end: ModelEnd): void {
    this.#end = end
  }

  failed(code: ErrorCode): void {
    this.#code = code
  }

  silence(): Promise<void> {
    return this.#pieces.silence()
  }

  conclude(tx: Tx, note: string, nowMs: number): void {
    const { turn, place, room } = this.#stage
    const noted = note === '' ? [] : [{ kind: 'text' as const, text: `${this.empty ? '' : '\n'}(${note})` }]
    const content: Content = { segments: [...segmentsOf(this.#pieces.text), ...noted] }
    const hall = { name: room, places: [place] }
    const fact = say(tx, { bot: self, content, in: hall, key: `${self}.${turn.asked}`, replySeq: turn.asked }, nowMs)
    if (fact !== null) answerTurn(tx, turn.id, fact)
    const failed = this.#end === null && note !== '' && !note.startsWith('stopped')
    this.#pieces.end(tx, endingOf(this.#end, failed ? { code: this.#code, message: note } : undefined), nowMs)
  }
}
