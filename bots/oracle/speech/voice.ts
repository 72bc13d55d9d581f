import { isDeepStrictEqual } from 'node:util'
import { keepForMore, pageLines } from '../../../core/command/state/pager.ts'
import type { ErrorCode } from '../../../core/error.ts'
import type { Content, Place, Segment } from '../../../core/event.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import { answerTurn } from '../../../core/ledger/oracle/turns.ts'
import { enqueue, saying } from '../../../core/ledger/out/deliveries.ts'
import { currentOf } from '../../../core/ledger/record/events.ts'
import type { Tx } from '../../../core/ledger/tx.ts'
import { amend, say } from '../../../core/say.ts'
import { parseInline } from '../../../core/text/text.ts'
import { defused, type Listed } from '../guards/links.ts'
import type { ModelEnd } from '../models/contract.ts'
import { self } from '../talk/address.ts'
import { linesOf, liteOf } from './lines.ts'
import { blocksOf, joined, segmentsOf } from './markdown.ts'
import type { Stage } from './stage.ts'

export interface Manner {
  readonly prefix: string
  /** Lines said at once where an answer is said in lines. */
  readonly lines: number
}

/** Says one answer while it is made; see `Voice`. */
export interface Speaker {
  /** Something of the answer can be read already. */
  readonly begun: boolean
  /** Nothing can be taken back of what an earlier process said here. */
  readonly fixed: boolean
  readonly empty: boolean
  /** Which links of the words may be shown as such; all where this is not said. */
  links?(listed: Listed): void
  push(text: string): void
  /** What came so far is void. */
  restart(): void
  /** How the model ended, or why it failed, for who is told more than words. */
  ended?(end: ModelEnd): void
  failed?(code: ErrorCode): void
  silence(): Promise<void>
  conclude(tx: Tx, note: string, nowMs: number, cut?: 'cut'): void
}

/** How far an answer is said. */
interface Said {
  readonly fact: number | null
  readonly lines: number
}

/** The first part is said after this, so that a short answer is said once. */
const firstMs = 300
const everyMs = 700
/** A long text is read anew for each part of it: that takes no more than a tenth of the time. */
const pausesPerPart = 9
/** Behind what is not whole yet. */
const onward: Segment = { kind: 'text', text: ' …' }
const newLine: Segment = { kind: 'text', text: '\n' }

/**
 * Says one answer while it is made: as a message that grows, or in whole paragraphs where nothing can be edited. The other
 * places of the room hear it once it is whole. What it says last is said in the transaction that ends the turn.
 */
export class Voice implements Speaker {
  readonly #ledger: Ledger
  readonly #stage: Stage
  readonly #manner: Manner
  readonly #grows: boolean
  /** Stands before the words. */
  #head: string
  #text = ''
  #listed: Listed | null = null
  /** The fact that answers, once something was said. */
  #fact: number | null
  /** Lines that were said of this text, and of texts that were given up. */
  #lines = 0
  #spent = 0
  /** What the last part took. */
  #partMs = 0
  #timer: NodeJS.Timeout | undefined
  #saying: Promise<void> = Promise.resolve()
  #ended = false

  constructor(ledger: Ledger, stage: Stage, manner: Manner, head = '') {
    this.#ledger = ledger
    this.#stage = stage
    this.#manner = manner
    this.#head = head
    this.#grows = stage.grows(stage.place)
    this.#fact = stage.turn.answer
  }

  get begun(): boolean {
    return this.#fact !== null
  }

  get fixed(): boolean {
    return this.#stage.turn.answer !== null && !this.#grows
  }

  get empty(): boolean {
    return this.#text.trim() === ''
  }

  links(listed: Listed): void {
    this.#listed = listed
  }

  push(text: string): void {
    this.#text += text
    const pauseMs = Math.max(everyMs, this.#partMs * pausesPerPart)
    this.#timer ??= setTimeout(() => this.#flush(), this.begun ? pauseMs : firstMs)
  }

  restart(): void {
    this.#text = ''
    if (this.#lines === 0) return
    this.#head = '(the model failed; from the beginning:) '
    this.#spent += this.#lines
    this.#lines = 0
  }

  /** Says nothing more by itself. Resolves when nothing is being said; rejects when the ledger did not take it. */
  async silence(): Promise<void> {
    this.#ended = true
    clearTimeout(this.#timer)
    await this.#saying
  }

  #flush(): void {
    this.#timer = undefined
    this.#saying = this.#saying.then(() => this.#part())
    // Whoever awaits `silence` hears of it.
    this.#saying.catch(() => undefined)
  }

  async #part(): Promise<void> {
    if (this.#ended || this.empty) return
    // What is said may be said twice by the ledger before it stands: only then is it noted here.
    const said = await this.#ledger.write(tx => {
      const fromMs = performance.now()
      const part = this.#grows ? this.#grow(tx, Date.now()) : this.#whole(tx, Date.now())
      this.#partMs = performance.now() - fromMs
      return part
    })
    this.#fact = said.fact
    this.#lines = said.lines
  }

  #grow(tx: Tx, nowMs: number): Said {
    const content: Content = { segments: [...this.#segments(''), onward] }
    const lines = this.#lines
    if (this.#fact === null) return { fact: this.#begin(tx, content, nowMs, 'growing'), lines }
    amend(tx, this.#fact, content, nowMs, 'growing')
    return { fact: this.#fact, lines }
  }

  /** Whole paragraphs, but for the last line of those that are said at once: it says how the rest is had. */
  #whole(tx: Tx, nowMs: number): Said {
    const most = this.#manner.lines - 1 - this.#spent
    if (this.#lines >= most || this.#isDeleted(tx)) return { fact: this.#fact, lines: this.#lines }
    const lines = linesOf(this.#headed(this.#safe(joined(blocksOf(this.#text).slice(0, -1))))).map(liteOf)
    const until = Math.min(lines.length, most)
    if (until <= this.#lines) return { fact: this.#fact, lines: this.#lines }
    const content = { segments: parseInline(lines.slice(this.#lines, until).join('\n')) }
    if (this.#fact === null) return { fact: this.#begin(tx, content, nowMs), lines: until }
    this.#say(tx, this.#stage.place, content, this.#fact, nowMs)
    return { fact: this.#fact, lines: until }
  }

  #begin(tx: Tx, content: Content, nowMs: number, growing?: 'growing'): number | null {
    const { turn, place, room } = this.#stage
    const more = growing ? { growing: true as const } : {}
    const saying = {
      bot: self,
      content,
      in: { name: room, places: [place] },
      key: `${self}.${turn.asked}`,
      replySeq: turn.asked,
    }
    const fact = say(tx, { ...saying, ...more }, nowMs)
    if (fact !== null) answerTurn(tx, turn.id, fact)
    return fact
  }

  /** One more message that belongs to the answer. */
  #say(tx: Tx, place: Place, content: Content, source: number, nowMs: number): void {
    const act = { do: 'send' as const, content, as: { name: self }, replySeq: this.#stage.turn.asked }
    enqueue(tx, { place, bot: self, act, source }, nowMs)
  }

  /** Somebody took away what was said so far: nobody hears the rest. */
  #isDeleted(tx: Tx): boolean {
    return this.#fact !== null && currentOf(tx, this.#fact)?.content === null
  }

  /** What an earlier process said, as long as this one has nothing to say in its place. */
  #before(tx: Tx): readonly Segment[] {
    const { answer, placeId } = this.#stage.turn
    if (answer === null || !this.empty) return []
    const said = currentOf(tx, answer)?.content?.segments ?? []
    const first = isDeepStrictEqual(said.at(-1), onward) ? said.slice(0, -1) : said
    const sends = saying(tx, answer).filter(row => row.act.do === 'send' && row.placeId === placeId)
    const later = sends.slice(1).flatMap(({ act }) => (act.do === 'send' ? [newLine, ...act.content.segments] : []))
    return [...first, ...later]
  }

  /**
   * Says what was not said yet, everywhere, and a note behind it; in the transaction that ends the turn. `cut`: nothing
   * more of the text is said where it is said in lines.
   */
  conclude(tx: Tx, note: string, nowMs: number, cut?: 'cut'): void {
    if (this.#isDeleted(tx)) return
    const before = this.#before(tx)
    const from = before.length > 0 ? linesOf(before).length : this.#lines
    const content: Content = { segments: this.#segments(note, before) }
    const all = linesOf(content.segments).map(liteOf)
    const lines = cut && from > 0 ? [...all.slice(0, from), ...all.slice(-1)] : all
    const { prefix, lines: most } = this.#manner
    const { turn, place, others, room, grows } = this.#stage
    const inLines = (first: number, size: number): Content => ({
      segments: parseInline(pageLines(lines, first, size, prefix).join('\n')),
    })
    const contentIn = (at: Place): Content => (grows(at) ? content : inLines(0, most))
    const size = Math.max(1, most - this.#spent - from)
    if (this.#fact === null) {
      const hall = { name: room, places: [place, ...others] }
      const saying = { bot: self, content, contentIn, in: hall, key: `${self}.${turn.asked}` }
      const fact = say(tx, { ...saying, replySeq: turn.asked }, nowMs)
      if (fact !== null) answerTurn(tx, turn.id, fact)
    } else {
      if (!this.#grows && lines.length > from) this.#say(tx, place, inLines(from, size), this.#fact, nowMs)
      amend(tx, this.#fact, content, nowMs)
      for (const other of others) this.#say(tx, other, contentIn(other), this.#fact, nowMs)
    }
    if (!this.#grows) this.#keepRest(tx, lines, from + size, nowMs)
  }

  /** What `more` goes on with. */
  #keepRest(tx: Tx, lines: readonly string[], shown: number, nowMs: number): void {
    if (shown >= lines.length) return
    const { place, sender } = this.#stage.asked.event
    keepForMore(tx, { place, account: sender.id }, { lines, reply: 'public', shown, bot: self }, nowMs)
  }

  #segments(note: string, before: readonly Segment[] = []): readonly Segment[] {
    const said = before.length > 0 ? before : this.#headed(this.#safe(segmentsOf(this.#text)))
    if (note === '') return said
    return [...said, { kind: 'text', text: `${said.length === 0 ? '' : '\n'}(${note})` }]
  }

  #safe(segments: readonly Segment[]): readonly Segment[] {
    return this.#listed ? defused(segments, this.#listed) : segments
  }

  #headed(segments: readonly Segment[]): readonly Segment[] {
    return this.#head === '' ? segments : [{ kind: 'text', text: this.#head }, ...segments]
  }
}
