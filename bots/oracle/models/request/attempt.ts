import type OpenAI from 'openai'
import type { Provider } from '../../../../config/providers.ts'
import type { PassedApi } from '../../../../core/passed-on.ts'
import { duration } from '../../../../core/text/text.ts'
import type { FinishReason, ModelUsage } from '../contract.ts'
import { Endless, isJson } from './body.ts'
import { type Chunk, readChunk, readEmbeddings, reportedIn } from './chunk.ts'
import { faultOf, Refused, TryFault, tidy, wordsOf } from './fault.ts'
import type { Wire } from './request.ts'
import { SpeechFilter } from './speech.ts'

/** One request to one model. */
export interface Asked {
  readonly client: OpenAI
  readonly wire: Wire
  readonly provider: Provider
  readonly maxOutputTokens: number
  readonly firstTokenMs: number
  readonly betweenChunksMs: number
  /** Null: the answer is said, and is not passed on as it is. */
  readonly passes: PassedApi | null
  /** Takes the key that it was asked with out of its words: some say it back. */
  readonly hide: (words: string) => string
}

/** What a try has brought so far, for its price: also when it fails. */
export class Tally {
  /** The service may have begun to work. */
  arrived = false
  text = ''
  /** Thinking, calls of tools: paid, never said. */
  hidden = ''
  usage: ModelUsage | null = null
  /** Characters that came since: it says nothing of them. */
  sinceUsage = 0
  /** The same as the service wrote it. */
  reported: unknown
  finish: Exclude<Chunk['finish'], 'fault'> = null
  chunks = 0
  /** Of what is passed on, as it is written down. */
  passedChars = 0
  /** `aborted` until it has ended: who leaves early aborts it. */
  outcome: FinishReason = 'aborted'

  get chars(): number {
    return this.text.length + this.hidden.length
  }
}

export type AttemptPart =
  /** A chunk to pass on, as it came. */
  | { readonly kind: 'raw'; readonly chunk: unknown }
  | { readonly kind: 'text'; readonly text: string }
  /** What was said so far was thinking. */
  | { readonly kind: 'void' }

/** After the last words some send usage, and some never close the stream. */
const afterEndMs = 3000

/** Hangs up when nothing comes. Comments that keep a connection open are no sign of life. */
class Watchdog {
  reason: string | null = null
  readonly #controller: AbortController
  readonly #last: NodeJS.Timeout
  #timer: NodeJS.Timeout | undefined

  /** `mostMs`: longer than that nothing is waited for, however often something comes. */
  constructor(controller: AbortController, mostMs: number) {
    this.#controller = controller
    this.#last = setTimeout(() => this.#bark(`took longer than ${duration(mostMs)}`), mostMs)
  }

  wait(delayMs: number, reason: string): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#bark(reason), delayMs)
  }

  #bark(reason: string): void {
    this.reason = reason
    this.#controller.abort()
  }

  pause(): void {
    clearTimeout(this.#timer)
  }

  stop(): void {
    this.pause()
    clearTimeout(this.#last)
  }
}

/** A token a second is slow: who writes less is not waited for to the end of its limit. */
const mostMsOf = ({ firstTokenMs, maxOutputTokens }: Asked): number =>
  Math.min(firstTokenMs + maxOutputTokens * 1000, 2 ** 31 - 1)

/**
 * Makes the request and gives what is to be said; `tally.outcome` says how it ended. Throws `TryFault` alone. When
 * `signal` aborts, or who listens leaves, it hangs up.
 */
export async function* attempt(asked: Asked, tally: Tally, signal: AbortSignal): AsyncGenerator<AttemptPart, void> {
  if (signal.aborted) return
  const hangUp = new AbortController()
  const dog = new Watchdog(hangUp, mostMsOf(asked))
  try {
    yield* chunks(asked, tally, dog, AbortSignal.any([signal, hangUp.signal]))
    if (!signal.aborted) tally.outcome = ending(asked, tally, dog.reason)
  } catch (thrown) {
    if (signal.aborted) return
    const fault = dog.reason
      ? new TryFault('busy', dog.reason, { paid: true })
      : faultOf(thrown, asked.wire.sent, Date.now(), asked.hide)
    if (fault instanceof Refused) tally.outcome = 'refusal'
    // Cut off after its end: nothing is missing but perhaps its usage.
    else if (tally.finish === null || thrown instanceof TryFault) throw fault
    else tally.outcome = ending(asked, tally, null)
  } finally {
    dog.stop()
    hangUp.abort()
  }
}

/** What is made of the chunks of an answer. */
interface Reader {
  chunk(chunk: Chunk, raw: unknown): Iterable<AttemptPart>
  end(): Iterable<AttemptPart>
}

/** Only what is to be said. */
function speech(tally: Tally): Reader {
  const filter = new SpeechFilter()
  return {
    chunk: ({ text, hidden }) => {
      tally.hidden += hidden
      return spoken(filter.push(text), filter, tally)
    },
    end: () => spoken(filter.end(), filter, tally),
  }
}

/** All of it, as it came. Nothing is passed on before there is something in it: until then another model may answer. */
function passage(asked: Asked, tally: Tally): Reader {
  let held: unknown[] | null = []
  const open = function* (): Generator<AttemptPart> {
    for (const chunk of held ?? []) yield { kind: 'raw', chunk }
    held = null
  }
  return {
    *chunk({ text, hidden, finish }, chunk) {
      tally.text += text
      tally.hidden += hidden
      if (asked.passes === 'chat') measure(asked, tally, chunk)
      held?.push(chunk)
      if (held === null) yield { kind: 'raw', chunk }
      else if (text + hidden !== '' || finish !== null) yield* open()
    },
    end: () => [],
  }
}

/** Around each token a service writes more than the token: so much, and once some more. */
const aroundToken = 4000
const aroundAll = 16_000_000

/** What is passed on is held and written down, whatever stands in it. Throws when it is more than any answer, or can't be written. */
function measure({ maxOutputTokens }: Asked, tally: Tally, chunk: unknown): void {
  tally.passedChars += JSON.stringify(chunk).length
  if (tally.passedChars > aroundAll + unlimitedTokens(maxOutputTokens) * aroundToken)
    throw new TryFault('busy', 'sent far more than an answer', { paid: true })
}

/** Events with nothing in them, one behind the other: more than one for each token that a model thinks unseen in minutes. */
const mostIdle = 50_000

async function* chunks(
  asked: Asked,
  tally: Tally,
  dog: Watchdog,
  signal: AbortSignal,
): AsyncGenerator<AttemptPart, void> {
  const { firstTokenMs, betweenChunksMs, passes } = asked
  const reader = passes === null ? speech(tally) : passage(asked, tally)
  let idle = 0
  dog.wait(firstTokenMs, `gave no sign of an answer for ${firstTokenMs / 1000} s`)
  for await (const raw of chunksOf(asked, tally, signal)) {
    const open = tally.finish === null
    const chunk = take(asked, tally, raw)
    // After its end nothing but words shows that more comes.
    const alive = chunk.text + chunk.hidden !== '' || (open && chunk.finish !== null)
    // Who listens may take its time: that is no silence of the service.
    if (alive) dog.pause()
    idle = alive ? 0 : idle + 1
    if (idle > mostIdle) throw new Endless()
    yield* reader.chunk(chunk, raw)
    if (signal.aborted || isOverlong(asked, tally)) return
    if (!alive) continue
    if (tally.finish !== null) dog.wait(afterEndMs, '')
    else dog.wait(betweenChunksMs, `fell silent in the middle for ${betweenChunksMs / 1000} s`)
  }
  dog.pause()
  if (!signal.aborted) yield* reader.end()
}

function* spoken(piece: string, filter: SpeechFilter, tally: Tally): Generator<AttemptPart> {
  if (filter.voided) {
    tally.hidden += tally.text
    tally.text = ''
    yield { kind: 'void' }
  }
  tally.text += piece
  tally.hidden += filter.takeHidden()
  if (piece !== '') yield { kind: 'text', text: piece }
}

/** Reads a chunk into the tally. */
function take(asked: Asked, tally: Tally, raw: unknown): Chunk {
  const { provider, passes, hide } = asked
  const chunk = passes === 'embeddings' ? readEmbeddings(raw) : readChunk(raw, provider)
  if (chunk.error !== undefined && chunk.error !== null) {
    throw new TryFault('busy', `has a fault: ${tidy(hide(wordsOf({ error: chunk.error })))}`)
  }
  tally.chunks++
  if (chunk.usage) Object.assign(tally, { usage: chunk.usage, reported: reportedIn(raw) })
  if (chunk.finish === 'fault') throw new TryFault('busy', 'was cut off: it says so itself', { paid: true })
  tally.finish = chunk.finish ?? tally.finish
  // One piece may be megabytes.
  const room = Math.max(0, mostChars(asked) + 1 - tally.chars)
  const text = chunk.text.slice(0, room)
  const hidden = chunk.hidden.slice(0, room - text.length)
  tally.sinceUsage = chunk.usage ? 0 : tally.sinceUsage + text.length + hidden.length
  return { ...chunk, text, hidden }
}

const mostChars = ({ maxOutputTokens }: Asked): number => unlimitedTokens(maxOutputTokens) * charsPerToken

/** A service that does not keep to the limit of an answer's length: what it says must not cost more than was reserved. */
function isOverlong(asked: Asked, tally: Tally): boolean {
  if (tally.chars <= mostChars(asked)) return false
  tally.finish = 'length'
  return true
}

const charsPerToken = 4

/** A service that takes no limit is hung up on at about twice what it should have been. */
export const unlimitedTokens = (limit: number): number => limit * 2 + 200

/** The parts of the answer; one part when the service sends the whole at once though a stream was asked for. */
async function* chunksOf(
  { client, wire, firstTokenMs, passes }: Asked,
  tally: Tally,
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  tally.arrived = true
  const timeout = firstTokenMs + 1000
  if (passes === 'embeddings') {
    yield await client.post('/embeddings', { body: wire.body, signal, timeout })
    return
  }
  const { data, response } = await client.chat.completions.create(wire.body, { signal, timeout }).withResponse()
  if (!isJson(response.headers)) {
    yield* data
    return
  }
  yield await response.json()
}

/** Nothing came any more: whether that is an answer. */
function ending({ maxOutputTokens, passes }: Asked, tally: Tally, reason: string | null): FinishReason {
  const { finish } = tally
  if (finish === null && reason) throw new TryFault('busy', reason, { paid: true })
  if (tally.chunks === 0) throw new TryFault('busy', 'sent nothing at all')
  if (finish === null) throw new TryFault('busy', 'was cut off: its answer has no end', { paid: true })
  if (finish === 'refusal') return 'refusal'
  if (passes !== null || tally.text.trim() !== '') return finish === 'tool' ? 'stop' : finish
  if (finish === 'length') {
    throw new TryFault(
      'request',
      `used all of its ${maxOutputTokens} tokens and said nothing: raise its maxOutputTokens`,
    )
  }
  const did = finish === 'tool' ? 'called tools that it was not given' : 'thought and said nothing'
  throw new TryFault('busy', tally.hidden === '' ? 'answered with nothing' : did, { paid: true })
}
