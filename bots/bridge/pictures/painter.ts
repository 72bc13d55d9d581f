import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { deadline } from '../../../core/retry.ts'

const drawMs = 30_000
const idleMs = 60_000

/**
 * Draws SVG as PNG on a thread that is there while it is needed: nothing is loaded before the first picture, and nothing is
 * kept a minute after the last.
 */
export class Painter {
  readonly #idleMs: number
  #worker: Worker | null = null
  #timer: NodeJS.Timeout | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: { readonly idleMs?: number } = {}) {
    this.#idleMs = options.idleMs ?? idleMs
  }

  /** Whether its thread is there. */
  get awake(): boolean {
    return this.#worker !== null
  }

  /** Pictures are drawn in their order. Rejects with what the thread fails with, and when it takes half a minute. */
  png(svg: string, signal: AbortSignal): Promise<Uint8Array> {
    const drawn = this.#last.then(() => this.#draw(svg, deadline(drawMs, signal)))
    this.#last = drawn.catch(() => undefined)
    return drawn
  }

  async #draw(svg: string, signal: AbortSignal): Promise<Uint8Array> {
    clearTimeout(this.#timer)
    // What is preloaded into the process is not meant for its thread: lean.ts there would end compiling for all of it.
    const worker = (this.#worker ??= new Worker(new URL('./png.worker.ts', import.meta.url), { execArgv: [] }))
    worker.ref()
    try {
      worker.postMessage(svg)
      const [png] = (await once(worker, 'message', { signal })) as [Uint8Array]
      worker.unref()
      this.#timer = setTimeout(() => void this.#end(worker), this.#idleMs).unref()
      return png
    } catch (error) {
      await this.#end(worker)
      throw error
    }
  }

  async #end(worker: Worker): Promise<void> {
    if (this.#worker === worker) this.#worker = null
    await worker.terminate()
  }
}
