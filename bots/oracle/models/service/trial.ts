import { duration } from '../../../../core/text/text.ts'
import { AnswerGuard } from '../../guards/answer.ts'
import type { Candidate } from '../choice.ts'
import { complete, type ModelRequest } from '../contract.ts'
import type { ConfiguredModels } from '../models.ts'

export interface Trial {
  readonly text: string
  readonly costMicroUsd: number
  readonly estimated: boolean
  readonly inputTokens: number
  readonly outputTokens: number
  readonly took: string
}

/** Enough for a model that thinks before it says hello. */
const trialTokens = 1000

/** Asks a model for one short answer. Throws as `Models.stream` does. */
export async function tryOut(
  models: ConfiguredModels,
  candidate: Candidate,
  who: Pick<ModelRequest, 'room' | 'person'>,
  signal: AbortSignal,
): Promise<Trial> {
  const startMs = performance.now()
  const messages = [{ role: 'user' as const, content: 'Say hello in one short sentence.' }]
  const request: ModelRequest = { messages, task: 'answer', turn: null, maxOutputTokens: trialTokens, ...who }
  const only = { stream: (asked: ModelRequest, stop: AbortSignal) => models.only(candidate, asked, stop) }
  const { text, usage, costMicroUsd, estimated } = await complete(only, request, signal)
  const { inputTokens, outputTokens } = usage
  const guard = new AnswerGuard({ known: await models.known(candidate), listed: () => false })
  return {
    text: guard.push(text) + guard.end(),
    costMicroUsd,
    estimated,
    inputTokens,
    outputTokens,
    took: duration(performance.now() - startMs),
  }
}
