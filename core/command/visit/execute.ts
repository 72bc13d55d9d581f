import { asChanopError } from '../../error.ts'
import { escapeInline } from '../../text/text.ts'
import type { Answer, Caller, CommandContext } from '../command.ts'
import { failureLine } from '../failure.ts'
import type { Limits } from '../limits.ts'
import { checkArgs } from '../parse/args.ts'
import { asking, type Confirmed, isSame, previewOf } from './confirming.ts'
import { refusal } from './gate.ts'
import { allowed, type Outcome, outcomeOf, wiping } from './outcome.ts'
import { timely } from './timely.ts'
import type { RouterOptions, Visit } from './visit.ts'

const deadlineMs = 10_000

/** Carries a bot's commands out, up to the outcome that is committed. */
export class Executor<S> {
  readonly #o: RouterOptions<S>
  readonly #limits: Limits

  constructor(options: RouterOptions<S>, limits: Limits) {
    this.#o = options
    this.#limits = limits
  }

  /** Runs a command if its asker may; `confirmed` says that they said yes to a preview. */
  async execute(visit: Visit<S>, nowMs: number, confirmed?: Confirmed): Promise<Outcome> {
    return this.#refused(visit, nowMs) ?? (await this.#run(visit, nowMs, confirmed))
  }

  #refused({ caller, published, command, assigned }: Visit<S>, nowMs: number): Outcome | null {
    const rest = {
      command: command.name,
      args: assigned.masked,
      decision: 'denied' as const,
      ...wiping(command, assigned),
    }
    const denied = refusal(published, caller, nowMs)
    if (denied)
      return outcomeOf(denied, { ...rest, fault: 'denied', result: caller.verified ? denied : `unverified: ${denied}` })
    if (command.where !== 'dm' || caller.private) return null
    const burned = assigned.secret ? '; others saw what you typed here: take another value' : ''
    return outcomeOf(`${command.name} works only in a direct message to ${command.bot}${burned}`, {
      ...rest,
      fault: 'denied',
    })
  }

  async #run(visit: Visit<S>, nowMs: number, confirmed: Confirmed | undefined): Promise<Outcome> {
    const { command, assigned } = visit
    const base = {
      command: command.name,
      args: assigned.masked,
      reply: command.reply,
      ...wiping(command, assigned),
      ...(confirmed ? { code: confirmed.code } : {}),
    }
    try {
      const parsed = checkArgs(command.name, command.args, assigned)
      if (!parsed.ok) {
        const outcome = outcomeOf(escapeInline(parsed.fault), { ...base, decision: 'failed', fault: 'usage' })
        return this.#limits.mistaken(visit.caller, outcome, nowMs)
      }
      const answer = await this.#answer(visit, parsed.args, nowMs, confirmed)
      return allowed(command, answer, base)
    } catch (thrown) {
      const line = this.failure(command.name, visit.caller, thrown)
      return outcomeOf(line, { ...base, decision: 'failed', fault: asChanopError(thrown).code })
    }
  }

  async #answer(
    visit: Visit<S>,
    args: Record<string, unknown>,
    nowMs: number,
    confirmed: Confirmed | undefined,
  ): Promise<Answer> {
    const { command } = visit
    const end = new AbortController()
    const limits = { limitMs: this.#o.deadlineMs ?? deadlineMs, stop: this.#o.signal }
    try {
      return await timely(end, limits, async signal => {
        const context = this.#context(visit, signal, nowMs, confirmed)
        const preview = await previewOf(command, args, context)
        if (preview && !(confirmed && isSame(confirmed.preview, preview))) {
          const changed = confirmed ? { ...preview, text: `that has changed meanwhile: ${preview.text}` } : preview
          return asking(this.#o.bot, visit, changed, this.#o.settings(), nowMs)
        }
        const answer = await command.run(context, args)
        return typeof answer === 'string' ? { lines: answer.split('\n') } : answer
      })
    } finally {
      end.abort()
    }
  }

  #context({ stored, caller }: Visit<S>, signal: AbortSignal, atMs: number, confirmed?: Confirmed): CommandContext<S> {
    const { services, ledger, settings } = this.#o
    return {
      services,
      ledger,
      caller,
      event: stored,
      atMs,
      signal,
      confirmed: confirmed?.preview.of ?? null,
      settings: settings(),
    }
  }

  failure(name: string, caller: Caller, thrown: unknown): string {
    return failureLine(this.#o, name, caller, thrown)
  }
}
