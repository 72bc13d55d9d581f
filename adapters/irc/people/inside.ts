import { backoffMs } from '../../../core/retry.ts'
import { because, joinDeadlineMs, joinLines, rejoinBackoff, steadyMs } from '../channel.ts'
import type { Session } from '../link/session.ts'
import { type Line, lastParam } from '../text/line.ts'

interface Stay {
  readonly channel: string
  state: 'joining' | 'in' | 'out'
  attempt: number
  sinceMs: number
  again: NodeJS.Timeout | undefined
}

export interface InsideHooks {
  /** Whether we have anything to do in a channel. */
  isOurs(channel: string): boolean
  /** Why it does not get into a channel; null: it is in. */
  told(channel: string, reason: string | null): void
}

const numericRefusal = /^[45]\d\d$/

/** Which channels the connection of a persona is in. Put out of one, or kept out, it asks to be let in again and again. */
export class Inside {
  readonly #hooks: InsideHooks
  readonly #stays = new Map<string, Stay>()
  #session: Session | null = null
  /** Asked to be let into at the end of this turn. */
  #asking: Stay[] = []

  constructor(hooks: InsideHooks) {
    this.#hooks = hooks
  }

  /** `after`: as for `enter`. */
  up(session: Session, channels: readonly string[], after: (channel: string) => Promise<unknown> | undefined): void {
    this.down()
    this.#session = session
    for (const channel of channels) this.enter(channel, after(channel))
  }

  down(): void {
    for (const { again } of this.#stays.values()) clearTimeout(again)
    this.#stays.clear()
    this.#session = null
  }

  /** How it stands with a channel; `none` before anybody asked it to go there. */
  state(channel: string): Stay['state'] | 'none' {
    return this.#find(channel)?.state ?? 'none'
  }

  /**
   * `after`: the main connection is in, or is not. Nobody else comes first: it alone listens there, and who sees a bot may speak to
   * it; and where channels are made by it alone nobody else could.
   */
  enter(channel: string, after?: Promise<unknown>): void {
    const key = this.#session?.fold(channel)
    if (key === undefined) return
    const fresh: Stay = { channel, state: 'out', attempt: 0, sinceMs: 0, again: undefined }
    const stay = this.#stays.get(key) ?? fresh
    this.#stays.set(key, stay)
    if (stay.state !== 'out') return
    if (!after) return this.#join(stay)
    stay.state = 'joining'
    const go = (): void => {
      if (this.#stays.get(key) === stay && stay.state === 'joining') this.#join(stay)
    }
    after.then(go, go)
  }

  forget(channel: string): void {
    const stay = this.#find(channel)
    if (!stay || !this.#session) return
    clearTimeout(stay.again)
    this.#stays.delete(this.#session.fold(channel))
    this.#hooks.told(channel, null)
  }

  /** Follows our own comings and goings. */
  line(line: Line): void {
    const session = this.#session
    if (!session) return
    const { command, nick, params } = line
    const [first = '', second = ''] = params
    if (command === 'JOIN' && session.isSelf(nick)) this.#joined(first)
    else if (command === 'PART' && session.isSelf(nick)) this.out(first, because('left', params[1]))
    else if (command === 'KICK' && session.isSelf(second)) this.out(first, because(`kicked by ${nick}`, params[2]))
    else if (command === '470') this.#forwarded(session, second, params[2] ?? '')
    else if (numericRefusal.test(command)) this.#refused(second, `${lastParam(line)} (${command})`)
  }

  /** It is not there any more, or never was: the first time it goes back at once. */
  out(channel: string, reason: string): void {
    const stay = this.#find(channel)
    if (stay?.state !== 'in') return
    if (performance.now() - stay.sinceMs > steadyMs) stay.attempt = 0
    if (stay.attempt++ === 0) this.#join(stay)
    else this.#later(stay, reason)
  }

  #find(channel: string): Stay | undefined {
    return this.#session ? this.#stays.get(this.#session.fold(channel)) : undefined
  }

  #join(stay: Stay): void {
    stay.state = 'joining'
    this.#after(stay, joinDeadlineMs, () => this.#refused(stay.channel, 'the server did not answer'))
    if (this.#asking.push(stay) === 1) queueMicrotask(() => this.#ask())
  }

  #ask(): void {
    const asking = this.#asking.filter(stay => stay.state === 'joining' && this.#find(stay.channel) === stay)
    this.#asking = []
    for (const line of joinLines(asking.map(({ channel }) => channel))) this.#session?.write(line)
  }

  #joined(channel: string): void {
    const stay = this.#find(channel)
    if (!stay) return
    clearTimeout(stay.again)
    stay.state = 'in'
    stay.sinceMs = performance.now()
    this.#hooks.told(stay.channel, null)
  }

  #forwarded(session: Session, channel: string, to: string): void {
    if (!this.#hooks.isOurs(to)) session.write(`PART ${to} :not meant`)
    this.#refused(channel, `the network leads it to ${to} instead (470)`)
  }

  #refused(channel: string, reason: string): void {
    const stay = this.#find(channel)
    if (stay?.state !== 'joining') return
    stay.attempt = Math.max(stay.attempt, 1)
    this.#later(stay, `can not join: ${reason}`)
  }

  #later(stay: Stay, reason: string): void {
    stay.state = 'out'
    this.#after(stay, backoffMs(rejoinBackoff, stay.attempt++ - 1), () => this.#join(stay))
    this.#hooks.told(stay.channel, reason)
  }

  #after(stay: Stay, delayMs: number, act: () => void): void {
    clearTimeout(stay.again)
    stay.again = setTimeout(act, delayMs)
    stay.again.unref()
  }
}
