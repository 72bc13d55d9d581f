import type { Booking } from '../../../../core/ledger/oracle/tries.ts'
import type { FinishReason, ModelMessage } from '../contract.ts'
import type { Tally } from '../request/attempt.ts'
import type { TryFault } from '../request/fault.ts'
import { textOf } from '../request/request.ts'
import { countTokens } from '../request/tokens.ts'

/** Longer texts are estimated by their bytes: somebody may have said stop, and counting takes its time. */
export const countedChars = 40_000
const messageTokens = 4

/** Tokens of texts, quickly: counted where that is a matter of milliseconds. */
export async function quickTokens(texts: readonly string[]): Promise<number> {
  const chars = texts.reduce((sum, text) => sum + text.length, 0)
  const bytes = (): number => texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  if (chars > countedChars) return Math.ceil(bytes() / 4)
  let tokens = 0
  for (const text of texts) tokens += await countTokens(text)
  return tokens
}

/** A prompt as it is counted, with what surrounds each message. */
export const promptTokens = async (messages: readonly ModelMessage[]): Promise<number> =>
  (await quickTokens(textOf(messages))) + messages.length * messageTokens

/** What is booked: as the service says; counted by us where it does not, or not of all; nothing where nothing can have been done. */
export async function bookingOf(
  messages: readonly ModelMessage[],
  tokenFactor: number,
  tally: Tally,
  { outcome, fault }: { outcome: FinishReason | 'failed'; fault: TryFault | null },
): Promise<Booking> {
  const end = { outcome, error: fault?.message ?? null }
  const { usage } = tally
  if (usage && tally.sinceUsage === 0) return { ...usage, ...end, estimated: tally.finish === null }
  const worked = tally.text + tally.hidden !== ''
  const idle = !tally.arrived || (fault !== null && !fault.paid)
  if (idle && !worked && !usage) return { inputTokens: 0, cachedTokens: 0, outputTokens: 0, estimated: false, ...end }
  const [input, output] = [await promptTokens(messages), await quickTokens([tally.text, tally.hidden])]
  return {
    inputTokens: usage?.inputTokens ?? Math.ceil(input * tokenFactor),
    cachedTokens: usage?.cachedTokens ?? 0,
    outputTokens: Math.max(usage?.outputTokens ?? 0, Math.ceil(output * tokenFactor)),
    estimated: true,
    ...end,
  }
}
