import { z } from 'zod'

/** A conversation that a program brings along, as `POST /v1/chat/completions` has it. */
const textPart = z.object({ type: z.literal('text'), text: z.string() })
const imagePart = z.object({ type: z.literal('image_url'), image_url: z.object({ url: z.string() }) })
const otherPart = z.object({ type: z.string() })

const content = z
  .union([z.string(), z.array(z.union([textPart, imagePart, otherPart]))])
  .nullish()
  .transform(given => given ?? '')

export const conversationSchema = z.object({
  messages: z
    .array(
      z.object({
        role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
        content,
        name: z.string().optional(),
      }),
    )
    .min(1),
  maxOutputTokens: z.int().min(1).optional(),
})
export type Conversation = z.output<typeof conversationSchema>
export type ConversationContent = Conversation['messages'][number]['content']

/** The words of a content. */
export const wordsOf = (given: ConversationContent): string =>
  typeof given === 'string' ? given : given.flatMap(part => ('text' in part ? [part.text] : [])).join('\n')

/** Pictures that came with it: `data:` addresses alone, nothing is fetched for anybody. */
export const picturesOf = (given: ConversationContent): string[] =>
  typeof given === 'string'
    ? []
    : given.flatMap(part =>
        'image_url' in part && /^data:image\/(png|jpeg|gif|webp);base64,/.test(part.image_url.url)
          ? [part.image_url.url]
          : [],
      )
