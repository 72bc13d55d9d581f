import type { Config } from '../../../config/schema.ts'
import { ChanopError, type ErrorCode } from '../../../core/error.ts'
import { given } from '../../../core/given.ts'
import type { Ledger } from '../../../core/ledger/ledger.ts'
import type { Refusal } from '../../../core/ledger/oracle/tries.ts'
import type { Log } from '../../../core/log.ts'
import { processName } from '../../../core/process/process-name.ts'
import { sleep } from '../../../core/retry.ts'
import { duration } from '../../../core/text/text.ts'
import { hiddenKey } from '../../../core/vault/key-shapes.ts'
import { guarded, listedIn, masked } from '../guards/guarded.ts'
import { PassedGuard } from '../guards/passed.ts'
import { KnownSecrets } from '../guards/secrets.ts'
import { beginsAnew, ofPeriod, tellMarks, whose } from './budget/alerts.ts'
import { Books } from './budget/books.ts'
import { Gate } from './budget/gate.ts'
import { limitsOf } from './budget/limits.ts'
import { usd } from './budget/money.ts'
import { allowed, type Candidate, ordered, substitutes } from './choice.ts'
import type {
  Brought,
  FinishReason,
  ModelEnd,
  ModelLimits,
  ModelPart,
  ModelRequest,
  Models,
  RawPart,
  Task,
} from './contract.ts'
import { Plan } from './plan.ts'
import { countedOf, needsOf, withTexts } from './request/brought.ts'
import { Clients, loadSdk } from './request/client.ts'
import type { FaultKind } from './request/fault.ts'
import { outputLimitOf, Requests, type TryResult } from './request/requests.ts'
import { countTokens, loadTokenizer } from './request/tokens.ts'
import { Health } from './service/health.ts'
import { Lessons } from './service/learned.ts'

export interface ModelsOptions {
  /** Whose words alerts are. */
  readonly bot: string
  readonly ledger: Ledger
  readonly log: Log
  readonly config: () => Config
  secret(reference: string): Promise<string>
  readonly signal: AbortSignal
}

/** Whose budget a request is on, and where it is booked. */
type Payer = Pick<ModelRequest, 'room' | 'person'>

/** Models behind providers, with fallback, budgets and books. One for a process. */
export class ConfiguredModels implements Models {
  readonly health = new Health()
  readonly #options: ModelsOptions
  readonly #lessons: Lessons
  readonly #gate: Gate
  readonly #requests: Requests
  readonly #books: Books
  readonly #secrets: KnownSecrets

  private constructor(options: ModelsOptions, lessons: Lessons) {
    const { ledger, config, bot, log } = options
    this.#options = options
    this.#lessons = lessons
    this.#gate = new Gate({
      ledger,
      limitsOf: (tx, wanted) => limitsOf(tx, config().budget, wanted),
      booked: (tx, booked) => tellMarks(tx, config(), bot, booked, Date.now()),
    })
    this.#secrets = new KnownSecrets(ledger, reference => options.secret(reference))
    this.#books = new Books({ ledger, log, gate: this.#gate })
    this.#requests = new Requests({
      ledger,
      log,
      lessons,
      clients: new Clients(),
      gate: this.#gate,
      books: this.#books,
      secret: reference => options.secret(reference),
      timezone: () => config().timezone,
      owner: processName(),
    })
  }

  /** Books what an earlier process left behind. Its timer ends with `signal`. */
  static async open(options: ModelsOptions): Promise<ConfiguredModels> {
    const models = new ConfiguredModels(options, await Lessons.open(options.ledger))
    await models.#books.keep(options.signal)
    // So that the first answer does not wait for it.
    if (Object.keys(options.config().models).length > 0) await Promise.all([loadTokenizer(), loadSdk()])
    return models
  }

  limits(task: Task, room: string): ModelLimits | null {
    const nowMs = Date.now()
    const all = allowed(this.#options.config(), task, room).sort((a, b) => a.config.priority - b.config.priority)
    const first = all.find(({ route }) => this.health.restOf(route, nowMs) === null) ?? all[0]
    if (!first) return null
    const { tokenFactor, contextTokens } = this.#lessons.of(first.service)
    return {
      model: first.name,
      contextTokens: Math.min(first.config.contextTokens, contextTokens ?? Number.POSITIVE_INFINITY),
      maxOutputTokens: outputLimitOf(first.config),
      tokenFactor,
      images: first.config.images,
      tools: first.config.tools,
    }
  }

  countTokens(text: string): Promise<number> {
    return countTokens(text)
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelPart> {
    const { guards } = this.#options.config()
    const known = await this.known()
    const safe = { ...request, messages: masked(request.messages, text => this.#secrets.mask(text)) }
    if (request.task !== 'answer') yield* this.#plain(safe, signal)
    else {
      const rules = { config: guards, known, listed: listedIn(safe.messages, guards.linkHosts) }
      yield* guarded({ stream: (asked, stop) => this.#plain(asked, stop) }, safe, rules, signal)
    }
  }

  /** All that must never be said or sent; `further`: of a model that is not configured yet. */
  known(...further: readonly Candidate[]): Promise<readonly string[]> {
    const { models } = this.#options.config()
    const all = [...Object.values(models), ...further.map(({ config }) => config)]
    return this.#secrets.values([...new Set(all.flatMap(({ apiKey }) => (apiKey === null ? [] : [apiKey])))])
  }

  #plain(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelPart> {
    return said(this.#ask(ordered(allowed(this.#options.config(), request.task, request.room)), request, signal))
  }

  /** Asks one model and no other, whether it is on or not. */
  only(candidate: Candidate, request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelPart> {
    return said(this.#ask([candidate], request, signal))
  }

  /**
   * Passes a request of a program on to the model of a name, and what comes back as it is. Others answer in its place when it
   * can not, until something was passed on that can not be taken back. Secrets that we know go out neither way.
   */
  async *pass(name: string, brought: Brought, who: Payer, signal: AbortSignal): AsyncGenerator<ModelPart | RawPart> {
    const known = await this.known()
    const mask = (text: string): string => known.reduce((safe, value) => safe.replaceAll(value, hiddenKey), text)
    const safe = { ...brought, body: known.length === 0 ? brought.body : withTexts(brought.body, mask) }
    const request: ModelRequest = { ...who, messages: countedOf(safe), task: 'answer', turn: null, brought: safe }
    const candidates = substitutes(this.#options.config(), name, brought.api, needsOf(safe))
    const guard = new PassedGuard(known)
    for await (const part of this.#ask(candidates, request, signal)) {
      if (part.kind === 'restart') guard.restart()
      else if (part.kind === 'end') yield* guard.end()
      if (part.kind !== 'raw') yield part
      else if (known.length === 0) yield part
      else yield* guard.take({ ...part, chunk: withTexts(part.chunk, mask) })
    }
  }

  async *#ask(
    candidates: readonly Candidate[],
    request: ModelRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ModelPart | RawPart> {
    if (candidates.length === 0) throw this.#missing(request)
    const plan = new Plan(candidates, this.health)
    const done: TryResult[] = []
    let said = false
    while (!signal.aborted) {
      const next = plan.next(Date.now())
      if (!next) throw this.#failed(plan, request)
      const { candidate, waitMs } = next
      if (waitMs >= 1) await sleep(waitMs, signal)
      if (signal.aborted) break
      const job = this.#requests.jobFor(candidate, request)
      const id = await this.#requests.reserve(job, signal)
      if (id === null) break
      if (typeof id !== 'number') {
        const line = await this.#budgetLine(id)
        if (!id.limit.scope.startsWith('model:')) throw this.#budgetReached(line)
        plan.exclude(candidate, line)
        continue
      }
      if (said) yield { kind: 'restart', reason: plan.reasons().at(-1) ?? 'it failed', model: candidate.name }
      said = false
      const running = this.#requests.run(id, job, signal)
      for await (const part of running.parts) {
        said = part.kind === 'text' || part.kind === 'raw'
        yield part
      }
      const { result } = running
      if (!result) break
      done.push(result)
      if (result.fault) {
        this.health.fault(candidate.route, result.fault, Date.now())
        plan.failed(candidate, result.fault)
        this.#options.log.warn({ task: request.task, room: request.room }, `${candidate.name} ${result.fault.message}`)
        if (said && request.brought?.streamed) throw this.#failed(plan, request)
      } else {
        if (result.outcome !== 'aborted') this.health.success(candidate.route)
        yield endOf(result.outcome as FinishReason, candidate.name, done)
        return
      }
    }
    yield endOf('aborted', done.at(-1)?.model ?? '', done)
  }

  #missing({ task, room }: ModelRequest): ChanopError {
    const { models, commands } = this.#options.config()
    const none = Object.keys(models).length === 0
    return new ChanopError(
      'model-missing',
      none
        ? `no model is configured: ${commands.prefix}model add, in a DM to me, guides you`
        : `no model is on for ${task === 'answer' ? `answers in ${room}` : task}: ${commands.prefix}model list shows them`,
    )
  }

  #failed(plan: Plan, { brought }: ModelRequest): ChanopError {
    const code = (brought && codes[plan.common() ?? 'busy']) ?? 'model-failed'
    const reasons = plan.reasons()
    const afterMs = plan.afterMs(Date.now())
    const shown = reasons.length > 2 ? [...reasons.slice(0, 2), `${reasons.length - 2} more failed`] : reasons
    const hint =
      afterMs === null
        ? `${this.#options.config().commands.prefix}model list shows how they are, ${this.#options.config().commands.prefix}model test NAME tries one`
        : `try again in ${duration(afterMs)}`
    const line = `${shown.join('; ')}. ${hint[0]?.toUpperCase()}${hint.slice(1)}.`
    return new ChanopError(code, line, afterMs === null ? {} : { afterMs })
  }

  /** Who has spent what, and when it goes on. */
  async #budgetLine({ limit, spend, held }: Refusal): Promise<string> {
    const { timezone } = this.#options.config()
    const who = await this.#options.ledger.read(tx => whose(tx, limit.scope))
    const anew = beginsAnew(limit, timezone, Date.now())
    if (held)
      return `budget: what is under way may need the rest of ${ofPeriod(limit)} of ${who}; try again in a minute`
    return `budget: ${who} spent ${usd(spend.costMicroUsd)} of ${ofPeriod(limit)}; it begins anew in ${anew}`
  }

  #budgetReached(line: string): ChanopError {
    return new ChanopError('budget-reached', `${line} (${this.#options.config().commands.prefix}budget)`)
  }
}

/** Who brought a request can mend it when everybody refuses it, and comes back when all ask to wait. */
const codes: Readonly<Partial<Record<FaultKind, ErrorCode>>> = { request: 'usage', rate: 'rate-limited' }

/** Without what is passed on as it came: of requests that were made here there is none. */
async function* said(parts: AsyncIterable<ModelPart | RawPart>): AsyncGenerator<ModelPart> {
  for await (const part of parts) if (part.kind !== 'raw') yield part
}

function endOf(finishReason: FinishReason, model: string, done: readonly TryResult[]): ModelEnd {
  const sum = (value: (result: TryResult) => number): number => done.reduce((total, one) => total + value(one), 0)
  return {
    kind: 'end',
    finishReason,
    model,
    usage: {
      inputTokens: sum(one => one.booking.inputTokens),
      outputTokens: sum(one => one.booking.outputTokens),
      cachedTokens: sum(one => one.booking.cachedTokens),
    },
    costMicroUsd: sum(one => one.costMicroUsd),
    estimated: done.some(one => one.booking.estimated),
    tries: done.length,
    ...(done.at(-1)?.promptCut ? { promptCut: true as const } : {}),
    ...given({ reported: done.at(-1)?.reported }),
  }
}
