import { type Conversation, conversationSchema } from '../../../core/conversation.ts'
import { Problem } from '../problem.ts'

/** What of a chat completion's body the oracle answers. */
interface Body {
  readonly messages: readonly unknown[]
  readonly max_tokens?: unknown
  readonly max_completion_tokens?: unknown
}

export function conversationIn(body: Body): Conversation {
  const most = body.max_completion_tokens ?? body.max_tokens ?? undefined
  const parsed = conversationSchema.safeParse({
    messages: body.messages,
    ...(most === undefined ? {} : { maxOutputTokens: most }),
  })
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const at = issue?.path.join('.') ?? ''
  throw new Problem(400, 'usage', `${at}: ${issue?.message ?? 'this can not be read'}`, { param: at })
}
