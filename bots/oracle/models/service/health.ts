import { backoffMs } from '../../../../core/retry.ts'
import type { FaultKind, TryFault } from '../request/fault.ts'

interface Rest {
  readonly untilMs: number
  readonly faults: number
  readonly kind: FaultKind
  readonly reason: string
}

const backoff: Readonly<Record<FaultKind, { firstMs: number; maxMs: number } | null>> = {
  rate: { firstMs: 4000, maxMs: 300_000 },
  busy: { firstMs: 2000, maxMs: 120_000 },
  setup: { firstMs: 60_000, maxMs: 300_000 },
  request: null,
  parameter: null,
}

/** Which models rest after a fault. Real traffic tries them again; nothing else does. */
export class Health {
  readonly #resting = new Map<string, Rest>()

  fault(route: string, fault: TryFault, nowMs: number): void {
    const pause = backoff[fault.kind]
    if (!pause) return
    const faults = (this.#resting.get(route)?.faults ?? 0) + 1
    const delayMs = fault.afterMs ?? backoffMs(pause, faults - 1)
    this.#resting.set(route, { untilMs: nowMs + delayMs, faults, kind: fault.kind, reason: fault.message })
  }

  success(route: string): void {
    this.#resting.delete(route)
  }

  /** Why and how long a model rests; null when it may be asked. */
  restOf(route: string, nowMs: number): Rest | null {
    const rest = this.#resting.get(route)
    return rest && rest.untilMs > nowMs ? rest : null
  }
}
