/** What programs ask of configured models as they are: the body of a completion that no turn of the oracle answers. */
import { z } from 'zod'

/** The model by whose name the bot itself is asked. */
export const oracleModel = 'oracle'

export const passedApis = ['chat', 'embeddings'] as const
export type PassedApi = (typeof passedApis)[number]

export const passedOnSchema = z.object({
  api: z.enum(passedApis),
  /** As the program sent it. */
  body: z.record(z.string(), z.unknown()),
  /** It gets the answer piece by piece. */
  streamed: z.boolean(),
})
export type PassedOn = z.output<typeof passedOnSchema>
