import type { MessageId } from '../../../core/event.ts'
import type { Log } from '../../../core/log.ts'
import { redact } from '../acts.ts'
import type { Voice } from '../people/voice.ts'

/** Time to read a login and to copy it. */
const forgetMs = 60_000

/**
 * Takes a secret out of the server's history a minute after it was said, from the reader's and from the speaker's own
 * (IRCv3 draft/message-redaction). A server without that keeps no private messages, or is not told secrets of ours.
 */
export function forgetLater(
  voice: Voice,
  target: string,
  said: { ids: readonly MessageId[]; by: string },
  log: Log,
): void {
  const { session } = voice
  if (!session.has('draft/message-redaction')) return
  const forget = async (): Promise<void> => {
    for (const [at, to] of [target, session.nick].entries()) {
      await redact(voice, to, { target: said.ids, reason: undefined, deliveryId: `${said.by}/forget${at}` })
    }
  }
  const timer = setTimeout(() => {
    if (!session.open) return
    forget().catch((error: unknown) => log.warn({ error }, 'a secret stays in the history of the server'))
  }, forgetMs)
  timer.unref()
}
