import { ChanopError } from '../../core/error.ts'

/** After the server accepted: the connection breaks, nothing is ever heard, or our process dies. */
export type LostAnswer = { readonly how: 'cut' | 'silence' } | { readonly how: 'crash'; readonly crash: () => void }

/**
 * What goes wrong on demand. Each fault is counted down as it happens; none happens by chance.
 * Losing the connection itself is `MemoryPlatform.cut`, `down` and `up`.
 */
export class Faults {
  /** How far the server's clock is from ours, ms. */
  clockSkewMs = 0
  /** How long the server takes for each act, ms. */
  delayMs = 0
  /** Logins fail for good with this reason. */
  loginRefused: string | null = null
  #refusals: ChanopError[] = []
  #editRefusals = 0
  #accountRefusals = 0
  #lost: { skip: number; answer: LostAnswer }[] = []
  #holds = new Set<Promise<void>>()
  #commandRefusals: ChanopError[] = []
  #duplicates = 0
  #reorders = 0
  #drops = 0

  /** The next `count` acts are refused: `send-later` (with `afterMs`: not before), `send-refused` for good, or our login is. */
  refuseSends(
    count: number,
    code: 'send-later' | 'send-refused' | 'network-refused' = 'send-later',
    afterMs?: number,
  ): void {
    const message = code === 'send-later' ? 'The server is busy; wait.' : 'The server does not take this message.'
    for (let n = 0; n < count; n++)
      this.#refusals.push(new ChanopError(code, message, afterMs === undefined ? {} : { afterMs }))
  }

  refuseEdits(count = Number.POSITIVE_INFINITY): void {
    this.#editRefusals = count
  }

  refuseAccounts(count = 1): void {
    this.#accountRefusals = count
  }

  /** The next `count` times that commands are shown to the server it refuses. */
  refuseCommands(count: number, code: 'send-later' | 'send-refused' = 'send-later'): void {
    for (let n = 0; n < count; n++)
      this.#commandRefusals.push(new ChanopError(code, 'The server takes no commands now.'))
  }

  /** An act is accepted and its answer lost: `cut` breaks the connection, `silence` keeps it open. Skips `skip` first. */
  loseAnswer(how: 'cut' | 'silence' = 'cut', skip = 0): void {
    this.#lost.push({ skip, answer: { how } })
  }

  /** An act is accepted, then `crash` is called and the connection is gone. */
  acceptThenCrash(crash: () => void, skip = 0): void {
    this.#lost.push({ skip, answer: { how: 'crash', crash } })
  }

  /** No act is served until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#holds.add(promise)
    return () => {
      this.#holds.delete(promise)
      resolve()
    }
  }

  /** The next `count` happenings arrive twice. */
  duplicate(count = 1): void {
    this.#duplicates += count
  }

  /** The next two happenings arrive in the wrong order, `count` times. */
  reorder(count = 1): void {
    this.#reorders += count
  }

  /** The next `count` happenings never arrive: only history has them. */
  drop(count = 1): void {
    this.#drops += count
  }

  async held(): Promise<void> {
    while (this.#holds.size > 0) await Promise.all(this.#holds)
  }

  takeRefusal(): ChanopError | undefined {
    return this.#refusals.shift()
  }

  takeEditRefusal(): boolean {
    return this.#editRefusals > 0 && this.#editRefusals-- > 0
  }

  takeAccountRefusal(): boolean {
    return this.#accountRefusals > 0 && this.#accountRefusals-- > 0
  }

  takeCommandRefusal(): ChanopError | undefined {
    return this.#commandRefusals.shift()
  }

  takeLostAnswer(): LostAnswer | undefined {
    const next = this.#lost[0]
    if (!next || next.skip-- > 0) return undefined
    return this.#lost.shift()?.answer
  }

  takeDrop(): boolean {
    return this.#drops > 0 && this.#drops-- > 0
  }

  takeDuplicate(): boolean {
    return this.#duplicates > 0 && this.#duplicates-- > 0
  }

  takeReorder(): boolean {
    return this.#reorders > 0 && this.#reorders-- > 0
  }
}
