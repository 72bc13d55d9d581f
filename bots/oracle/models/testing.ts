import { ChanopError } from '../../../core/error.ts'
import { sleep } from '../../../core/retry.ts'
import type { ModelEnd, ModelLimits, ModelPart, ModelRequest, Models } from './contract.ts'

/** What a scripted model does next: says text, waits, begins anew, fails, or hangs until it is stopped. */
export type Step =
  | string
  | { readonly waitMs: number }
  | { readonly restart: string }
  | { readonly fail: string }
  | { readonly hang: true }

const limits: ModelLimits = {
  model: 'scripted',
  contextTokens: 8000,
  maxOutputTokens: 500,
  tokenFactor: 1,
  images: false,
  tools: false,
}

/** Models for tests of the engine: each request plays `script(request)` and is kept in `requests`. */
export class ScriptedModels implements Models {
  readonly requests: ModelRequest[] = []
  readonly aborted: ModelRequest[] = []
  readonly #script: (request: ModelRequest) => readonly Step[]

  constructor(script: (request: ModelRequest) => readonly Step[]) {
    this.#script = script
  }

  limits(): ModelLimits {
    return limits
  }

  async countTokens(text: string): Promise<number> {
    return Math.ceil(Buffer.byteLength(text) / 4)
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelPart> {
    this.requests.push(request)
    let outputTokens = 0
    for (const step of this.#script(request)) {
      if (signal.aborted) break
      if (typeof step === 'string') {
        outputTokens++
        yield { kind: 'text', text: step }
      } else if ('waitMs' in step) await sleep(step.waitMs, signal)
      else if ('hang' in step) await sleep(2 ** 31 - 1, signal)
      else if ('restart' in step) yield { kind: 'restart', reason: step.restart, model: limits.model }
      else throw new ChanopError('model-failed', step.fail)
    }
    if (signal.aborted) this.aborted.push(request)
    yield this.#end(outputTokens, signal.aborted)
  }

  #end(outputTokens: number, aborted: boolean): ModelEnd {
    const usage = { inputTokens: 10, outputTokens, cachedTokens: 0 }
    const finishReason = aborted ? 'aborted' : 'stop'
    return { kind: 'end', finishReason, model: limits.model, usage, costMicroUsd: 10, estimated: false, tries: 1 }
  }
}
