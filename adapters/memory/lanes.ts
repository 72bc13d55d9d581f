import { asChanopError, type ChanopError } from '../../core/error.ts'

interface Lane {
  tail: Promise<unknown>
  /** Counts the faults after which what was waiting had to step back too. */
  faults: number
  fault: ChanopError | null
}

/**
 * One queue for each channel. When an act has to be repeated later, those that were already waiting behind it are
 * sent back with the same error: they would overtake it otherwise.
 */
export class Lanes {
  readonly #lanes = new Map<string, Lane>()

  run<T>(channel: string, work: () => Promise<T>): Promise<T> {
    const lane = this.#lanes.get(channel) ?? { tail: Promise.resolve(), faults: 0, fault: null }
    this.#lanes.set(channel, lane)
    const called = lane.faults
    const done = lane.tail.then(() => {
      if (lane.faults !== called && lane.fault) throw lane.fault
      return work()
    })
    lane.tail = done.catch((thrown: unknown) => {
      const error = asChanopError(thrown)
      if (error.retry !== 'later' || error === lane.fault) return
      lane.faults++
      lane.fault = error
    })
    return done
  }
}
