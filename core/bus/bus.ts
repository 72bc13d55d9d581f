import type { Place } from '../event.ts'

/**
 * The doorbell between the processes. Everything that crosses it may be lost, or heard twice, without harm: who hears
 * nothing looks at the ledger anyway. Payloads are small JSON, never content of messages and never a secret.
 */
export interface Bus {
  /**
   * Says that the ledger has grown up to `seq`, to the other processes. Those named in `first` hear it now, the others a
   * moment later; without `first` everyone now. Never rejects, never waits.
   */
  ring(seq: number, first?: readonly string[]): void
  onRing(listener: (seq: number) => void): () => void
  /** Tells all processes, this one too, what is also in the ledger or only matters now. Never rejects, never waits. */
  signal<T extends Topic>(topic: T, payload: Topics[T]): void
  onSignal<T extends Topic>(topic: T, listener: (payload: Topics[T]) => void): () => void
  /** Whether rings and signals reach the others at the moment. While false, look at the ledger more often. */
  readonly up: boolean
  /** Whether Redis takes part at the moment: nothing depends on it. */
  readonly redisUp: boolean
  /** Told whenever `up` has changed. */
  onUp(listener: (up: boolean) => void): () => void
  close(): Promise<void>
}

export interface Topics {
  /** A bot is alive; every second. */
  heartbeat: { readonly bot: string; readonly pid: number; readonly atMs: number; readonly rssBytes: number }
  /** Settings in the ledger or the file have changed: read them again. */
  settings: { readonly by: string }
  /** A persona writes, or has ended writing, in a place. */
  typing: { readonly place: Place; readonly as: string; readonly active: boolean }
}
export type Topic = keyof Topics

type Listener = (payload: never) => void

/** Who listens to what in this process; shared by the implementations. */
export class Listeners {
  readonly #of = new Map<string, Set<Listener>>()

  add(topic: string, listener: Listener): () => void {
    const set = this.#of.get(topic) ?? new Set()
    this.#of.set(topic, set.add(listener))
    return () => set.delete(listener)
  }

  tell(topic: string, payload: unknown): void {
    for (const listener of this.#of.get(topic) ?? []) listener(payload as never)
  }
}

const lookAnywayMs = 1000
const lookOftenMs = 50

/** Calls `look` once a second, and 20 times a second while nobody could ring, until `signal` aborts. */
export function lookAnyway(bus: Pick<Bus, 'up' | 'onUp'>, look: () => void, signal: AbortSignal): void {
  if (signal.aborted) return
  let timer: NodeJS.Timeout | undefined
  const arm = (): void => {
    clearInterval(timer)
    timer = setInterval(look, bus.up ? lookAnywayMs : lookOftenMs)
  }
  const off = bus.onUp(() => {
    look()
    arm()
  })
  const stop = (): void => {
    off()
    clearInterval(timer)
  }
  arm()
  signal.addEventListener('abort', stop, { once: true })
}
