import type { Config } from '../../../../config/schema.ts'
import { asChanopError } from '../../../../core/error.ts'
import type { Ledger } from '../../../../core/ledger/ledger.ts'
import { type Booking, costOf, type NewTry, noteOutput, type Refusal } from '../../../../core/ledger/oracle/tries.ts'
import type { Log } from '../../../../core/log.ts'
import type { Books } from '../budget/books.ts'
import type { Gate } from '../budget/gate.ts'
import { periodsAt } from '../budget/periods.ts'
import { bookingOf, countedChars, promptTokens } from '../budget/usage.ts'
import type { Candidate } from '../choice.ts'
import type { FinishReason, ModelPart, ModelRequest, RawPart } from '../contract.ts'
import type { Lessons } from '../service/learned.ts'
import { type Asked, attempt, Tally, unlimitedTokens } from './attempt.ts'
import { broughtWire, limitIn } from './brought.ts'
import type { Clients } from './client.ts'
import { hiding, TryFault } from './fault.ts'
import { limitRefused, mostTokens, textOf, type Wire, wireOf } from './request.ts'

export interface RequestsOptions {
  readonly ledger: Ledger
  readonly log: Log
  readonly lessons: Lessons
  readonly clients: Clients
  readonly gate: Gate
  readonly books: Books
  readonly secret: (reference: string) => Promise<string>
  readonly timezone: () => string | null
  readonly owner: string
}

export interface TryResult {
  readonly model: string
  readonly outcome: FinishReason | 'failed'
  readonly fault: TryFault | null
  readonly booking: Booking
  readonly costMicroUsd: number
  readonly promptCut: boolean
  readonly reported: unknown
}

/** One request to one model, before it is made. */
export interface Job {
  readonly candidate: Candidate
  readonly request: ModelRequest
  readonly wire: Wire
  /** Tokens that the answer may have. */
  readonly limit: number
  readonly inputTokens: number
  readonly mostMicroUsd: number
}

export interface Running {
  /** Ends with the try; to leave it early hangs up. */
  readonly parts: AsyncGenerator<ModelPart | RawPart, void>
  /** Once `parts` has ended and all is booked. */
  result: TryResult | null
}

/** How often it is written down how far an answer is, for the case that this process dies. */
const noteMs = 1000

/** Half of the context at most, so that a question fits as well. */
export const outputLimitOf = ({ maxOutputTokens, contextTokens }: Config['models'][string]): number =>
  Math.min(maxOutputTokens, Math.floor(contextTokens / 2))

const bytesPerToken = 4

const bookedAs = { chat: 'gateway', embeddings: 'embeddings' } as const

/** Makes requests: reserves before and books after each, whatever becomes of it. */
export class Requests {
  readonly #options: RequestsOptions
  /** By service: how many times the most that it could cost a try has cost. More than 1: it keeps to no limit. */
  readonly #overrun = new Map<string, number>()

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  /** What one model would be sent for a request, and the most that it can cost: every byte a token, the longest answer. */
  jobFor(candidate: Candidate, request: ModelRequest): Job {
    const { config, provider, service, price } = candidate
    const { brought } = request
    const wanted = brought ? limitIn(brought) : request.maxOutputTokens
    const limit = Math.min(outputLimitOf(config), wanted ?? Number.POSITIVE_INFINITY)
    const { refused } = this.#options.lessons.of(service)
    const target = { model: config.model, provider, images: config.images, refused }
    const developer = config.provider === 'openai'
    const wire = brought
      ? broughtWire(brought, limit, { ...target, developer })
      : wireOf(request.messages, limit, target)
    const limited = wire.sent.some(parameter => parameter === 'max_tokens' || parameter === 'max_completion_tokens')
    const inputTokens = mostTokens(request.messages)
    const outputTokens = brought?.api === 'embeddings' ? 0 : limited ? limit : unlimitedTokens(limit)
    const mostMicroUsd = costOf(price, { inputTokens, cachedTokens: 0, outputTokens })
    return { candidate, request, wire, limit, inputTokens, mostMicroUsd }
  }

  /** The number of the try, a refusal, or null when `signal` aborts first. */
  reserve(
    { candidate, request, inputTokens, mostMicroUsd }: Job,
    signal: AbortSignal,
  ): Promise<number | Refusal | null> {
    const { price, name, config, service } = candidate
    const wanted: NewTry = {
      turn: request.turn,
      task: request.brought ? bookedAs[request.brought.api] : request.task,
      room: request.room,
      person: request.person,
      model: name,
      service: `${config.provider}/${config.model}`,
      owner: this.#options.owner,
      ...periodsAt(Date.now(), this.#options.timezone()),
      price,
      inputTokens: Math.ceil(inputTokens / bytesPerToken),
      mostMicroUsd: Math.ceil(mostMicroUsd * (this.#overrun.get(service) ?? 1)),
    }
    return this.#options.gate.reserve(wanted, signal)
  }

  /** Makes the request that was reserved as `id`. */
  run(id: number, job: Job, signal: AbortSignal): Running {
    const running: Running = { parts: this.#parts(id, job, signal, result => (running.result = result)), result: null }
    return running
  }

  async *#parts(
    id: number,
    job: Job,
    signal: AbortSignal,
    tell: (result: TryResult) => void,
  ): AsyncGenerator<ModelPart | RawPart, void> {
    const tally = new Tally()
    const noting = this.#note(id, tally)
    let fault: TryFault | null = null
    try {
      for await (const part of attempt(await this.#asked(job), tally, signal)) {
        if (part.kind === 'text') yield part
        else if (part.kind === 'raw') yield { ...part, model: job.candidate.name }
        else yield { kind: 'restart', reason: 'it had only been thinking', model: job.candidate.name }
      }
    } catch (error) {
      fault = error instanceof TryFault ? error : unexpected(error)
    } finally {
      clearInterval(noting)
      tell(await this.#finish(id, job, tally, fault))
    }
  }

  async #asked({ candidate, wire, limit, request }: Job): Promise<Asked> {
    const { config, baseUrl, provider } = candidate
    const apiKey = config.apiKey === null ? null : await this.#options.secret(config.apiKey)
    return {
      client: await this.#options.clients.of(baseUrl, apiKey),
      wire,
      provider,
      maxOutputTokens: limit,
      firstTokenMs: config.firstTokenSeconds * 1000,
      betweenChunksMs: config.betweenChunksSeconds * 1000,
      passes: request.brought?.api ?? null,
      hide: hiding(apiKey),
    }
  }

  /** Writes down now and then how far the answer is: without waiting for the disk, it is an estimate anyway. */
  #note(id: number, tally: Tally): NodeJS.Timeout {
    const { ledger, log } = this.#options
    let noted = 0
    return setInterval(() => {
      if (tally.chars === noted) return
      noted = tally.chars
      try {
        ledger.mark(tx => noteOutput(tx, id, Math.ceil(tally.chars / bytesPerToken)))
      } catch (error) {
        log.warn({ error, try: id }, 'how far an answer is could not be noted; it is tried again')
      }
    }, noteMs)
  }

  async #finish(id: number, job: Job, tally: Tally, fault: TryFault | null): Promise<TryResult> {
    const { lessons, books } = this.#options
    const { candidate, request } = job
    const outcome = fault ? 'failed' : tally.outcome
    const { tokenFactor } = lessons.of(candidate.service)
    const booking = await bookingOf(request.messages, tokenFactor, tally, { outcome, fault })
    const costMicroUsd = await books.book(id, candidate.price, booking)
    this.#measure(job, costMicroUsd)
    const promptCut = await this.#learn(job, booking, { fault, full: tally.finish === 'length' })
    return { model: candidate.name, outcome, fault, booking, costMicroUsd, promptCut, reported: tally.reported }
  }

  #measure({ candidate, mostMicroUsd }: Job, costMicroUsd: number): void {
    const overrun = costMicroUsd / Math.max(mostMicroUsd, 1)
    if (overrun > (this.#overrun.get(candidate.service) ?? 1)) this.#overrun.set(candidate.service, overrun)
  }

  /** What it has taught; true when it read less of the prompt than there was. What can't be written down is learned again: nothing is asked anew for it. */
  async #learn(
    job: Job,
    booking: Booking,
    { fault, full }: { readonly fault: TryFault | null; readonly full: boolean },
  ): Promise<boolean> {
    const { lessons, log } = this.#options
    try {
      const refused = fault?.parameter === 'limit' ? limitRefused(job.limit) : fault?.parameter
      if (refused) lessons.refuse(job.candidate.service, refused)
      return await this.#compare(job, booking, full)
    } catch (error) {
      log.warn({ error }, 'what a model has taught could not be written down')
      return false
    }
  }

  /** Learns from what the service counted. */
  async #compare({ candidate: { service }, request, limit }: Job, booking: Booking, full: boolean): Promise<boolean> {
    const { messages, brought } = request
    if (brought || booking.estimated || booking.inputTokens === 0 || hasImages(messages)) return false
    const { lessons } = this.#options
    // Bytes tell enough to leave the counting out where the factor is known already.
    const bytes = textOf(messages).reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    const { inputTokens, outputTokens } = booking
    const window = windowOf(inputTokens, full && outputTokens < limit ? outputTokens : 0)
    const suspect = window !== null || bytes / inputTokens > plausibleBytes
    if (!suspect && (bytes > countedChars || !lessons.wants(service, bytes))) return false
    const counted = await promptTokens(messages)
    const isShort = window !== null && counted * lessons.of(service).tokenFactor > inputTokens * 1.05
    if (isShort || isCut(counted, inputTokens)) {
      lessons.cut(service, window ?? inputTokens + outputTokens)
      return true
    }
    lessons.compare(service, counted, inputTokens)
    return false
  }
}

/** Text of so many bytes is not one token on average, in no language and with no tokenizer. */
const plausibleBytes = 7

/** What a server was started with, where what it read, or read and wrote until there was no more room, is exactly that. */
function windowOf(inputTokens: number, outputTokens: number): number | null {
  const used = inputTokens + outputTokens
  return used >= 2048 && (used & (used - 1)) === 0 ? used : null
}

/** No tokenizer needs so much less than another: the beginning was left out. */
const isCut = (counted: number, reported: number): boolean => counted > 1000 && reported < counted * 0.6

const hasImages = (messages: ModelRequest['messages']): boolean =>
  messages.some(({ content }) => typeof content !== 'string' && content.some(part => part.kind === 'image'))

/** A key that is missing is the model's fault like another; a fault of ours too ends this try and no more. */
function unexpected(error: unknown): TryFault {
  const { code, message } = asChanopError(error)
  return new TryFault(
    'setup',
    code === 'internal' ? `met a fault of Chanop itself: ${message}` : `can not be asked: ${message}`,
  )
}
