/**
 * The doorbell between the processes. Everything that crosses it may be lost without harm: who hears nothing looks at
 * the ledger anyway. Payloads are small JSON, never content of messages and never a secret.
 */
export interface Bus {
  /** Says that the ledger has grown up to `seq`. Never rejects, never waits. */
  ring(seq: number): void
  onRing(listener: (seq: number) => void): () => void
  /** Tells the other processes something that is also in the ledger, or that only matters now. Never rejects. */
  signal<T extends Topic>(topic: T, payload: Topics[T]): void
  onSignal<T extends Topic>(topic: T, listener: (payload: Topics[T]) => void): () => void
  /** Whether signals reach the others at the moment. While false, look at the ledger more often. */
  readonly up: boolean
  close(): Promise<void>
}

export interface Topics {
  /** A bot is alive; every second. */
  heartbeat: { readonly bot: string; readonly pid: number; readonly atMs: number; readonly rssBytes: number }
  /** Settings in the ledger or the file have changed: read them again. */
  settings: { readonly by: string }
  /** A delivery was queued or released although no event was appended. */
  deliveries: { readonly id: number }
  orders: { readonly id: number }
  /** Stop what runs: `turn` null is all. */
  cancel: { readonly turn: string | null; readonly reason: string }
  typing: { readonly place: string; readonly as: string; readonly active: boolean }
  /** A part of an answer that is being written. */
  delta: { readonly turn: string; readonly text: string }
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
