import { ChanopError } from '../../core/error.ts'
import type { MessageId, Reaction } from '../../core/event.ts'
import { isLoopbackHost } from '../../core/loopback.ts'
import { deliveryTag, instanceTag } from './link/settle.ts'
import type { Voice } from './people/voice.ts'
import { escapeTag } from './text/line.ts'

/** Shows a reaction, or takes it back (IRCv3 draft/react). */
export async function react(
  voice: Voice,
  to: string,
  target: MessageId,
  { emoji, removed }: Reaction,
  deliveryId: string,
): Promise<void> {
  if (target.startsWith('~')) throw new ChanopError('unsupported', 'that message has no id that others know')
  const reply = escapeTag(target)
  const tags = [
    `${deliveryTag}=${escapeTag(deliveryId)}`,
    `${instanceTag}=${voice.heard.instance}`,
    `${removed ? '+draft/unreact' : '+draft/react'}=${escapeTag(emoji)}`,
    `+reply=${reply}`,
    `+draft/reply=${reply}`,
  ].join(';')
  const lines = (label: string | null): string[] => [`@${label === null ? '' : `label=${label};`}${tags} TAGMSG ${to}`]
  await voice.sends.say({ target: to, mark: deliveryId, lines })
}

/** Takes messages back (IRCv3 draft/message-redaction). */
export async function redact(
  voice: Voice,
  to: string,
  act: { readonly target: readonly MessageId[]; readonly reason: string | undefined; readonly deliveryId: string },
): Promise<void> {
  const why = act.reason === undefined ? '' : ` :${act.reason}`
  const one = (id: MessageId): Promise<unknown> => {
    const lines = (label: string | null): string[] => [
      `${label === null ? '' : `@label=${label} `}REDACT ${to} ${id}${why}`,
    ]
    return voice.sends.say({ target: to, mark: `${act.deliveryId}/${id}`, lines }).catch(alreadyGone)
  }
  await Promise.all(act.target.filter(id => !id.startsWith('~')).map(one))
}

/** What was removed before may be removed again. */
function alreadyGone(error: unknown): void {
  if (!(error instanceof ChanopError) || !error.message.includes('UNKNOWN_MSGID')) throw error
}

/** TLS, or a connection that never leaves the machine. */
export function ownWayIsSecure(voice: Voice): boolean {
  const { endpoint } = voice.session.options
  return endpoint.tls || endpoint.path !== undefined || isLoopbackHost(endpoint.host)
}
