import { ChanopError } from '../../core/error.ts'

/**
 * Waits that rest on what happens, never on time: each is looked at again whenever something happens on the server.
 * Only the deadline is a timer, and what it says holds the transcript.
 */
export class Watch {
  readonly #looks = new Set<() => void>()
  readonly #transcript: () => string

  constructor(transcript: () => string) {
    this.#transcript = transcript
  }

  /** Something happened. */
  look(): void {
    for (const look of this.#looks) look()
  }

  /** Resolves with the first answer of `find` that is neither false nor null nor undefined. */
  async until<T>(find: () => T, what: string, deadlineMs: number): Promise<NonNullable<T>> {
    const { promise, resolve, reject } = Promise.withResolvers<NonNullable<T>>()
    const look = (): void => {
      const found = find()
      if (found !== false && found !== null && found !== undefined) resolve(found)
    }
    const fail = (): void =>
      reject(
        new ChanopError(
          'internal',
          `Waited ${deadlineMs} ms for ${what}.\nTranscript:\n${this.#transcript() || '(nothing was said)'}`,
        ),
      )
    const timer = setTimeout(fail, deadlineMs)
    this.#looks.add(look)
    try {
      look()
      return await promise
    } finally {
      clearTimeout(timer)
      this.#looks.delete(look)
    }
  }
}
