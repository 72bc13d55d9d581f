import { ChanopError } from '../../core/error.ts'
import type { Attachment } from '../../core/event.ts'

/** The files of a memory server. Who has a ref gets the bytes, unless they were forgotten. */
export class MemoryFiles {
  readonly #bytes = new Map<string, Uint8Array>()

  /** Keeps bytes; what comes back goes on a message. */
  keep(bytes: Uint8Array, file: Omit<Attachment, 'ref' | 'sizeBytes'>): Attachment {
    const ref = `file${this.#bytes.size + 1}`
    this.#bytes.set(ref, bytes)
    const { name, type, width, height, caption } = file
    return {
      ref,
      name,
      sizeBytes: bytes.length,
      ...(type === undefined ? {} : { type }),
      ...(width === undefined ? {} : { width }),
      ...(height === undefined ? {} : { height }),
      ...(caption === undefined ? {} : { caption }),
    }
  }

  /** Throws `not-found` when it is gone. */
  read(ref: string): Uint8Array {
    const bytes = this.#bytes.get(ref)
    if (!bytes) throw new ChanopError('not-found', 'The server does not hold this file any more.')
    return bytes
  }

  /** As a platform does whose links die. */
  forget(ref: string): void {
    this.#bytes.delete(ref)
  }
}
