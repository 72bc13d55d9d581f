import type { Draft } from '../../../core/event.ts'
import type { Post } from './compose.ts'
import type { Target } from './threads.ts'
import type { Hook } from './webhooks.ts'

/** One draft on its way: where to, as whom, in which messages. */
export interface Saying {
  readonly target: Target
  readonly deliveryId: string
  readonly draft: Draft
  readonly hook: Hook | null
  readonly posts: readonly Post[]
  readonly replyTo: string | null
}
