import { Readable } from 'node:stream'
import { asChanopError, ChanopError } from '../../core/error.ts'
import type { Upload } from '../../core/event.ts'
import { fileName } from '../../core/text/text.ts'

/** A file as the library streams it. */
export interface Source {
  readonly source: Readable
  readonly filename: string
}

/**
 * The bytes of files while they are uploaded. A file that can't be read to its end must not end the process (the library looks at
 * no error of its sources) nor arrive cut off: its request is broken off, so that Telegram never had it.
 */
export class Sources {
  readonly #opened: Readable[] = []
  readonly #broken = new AbortController()

  /** Aborts when a file can't be read. */
  get broken(): AbortSignal {
    return this.#broken.signal
  }

  open(file: Upload): Source {
    const source = Readable.from(this.#bytes(file))
    this.#opened.push(source)
    // It can't end the header that it stands in.
    return { source, filename: fileName(file.name).replaceAll('"', '_') }
  }

  async *#bytes(file: Upload): AsyncGenerator<Uint8Array> {
    try {
      yield* file.open()
    } catch (thrown) {
      this.#broken.abort(thrown)
      // Neither an end nor an error: the request ends by the signal.
      await new Promise(() => undefined)
    }
  }

  /** The request is over: closes what is still open; gives the reason where a file broke it off. */
  close(): ChanopError | null {
    for (const source of this.#opened) source.destroy()
    if (!this.broken.aborted) return null
    const { message } = asChanopError(this.broken.reason)
    return new ChanopError('send-later', `a file could not be read: ${message}`)
  }
}
