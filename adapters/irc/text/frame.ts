import type { Draft } from '../../../core/event.ts'
import { multilineOf } from '../abilities.ts'
import type { Session } from '../link/session.ts'
import { type Frame, relayNick } from './outbound.ts'

export interface Said {
  readonly target: string
  readonly draft: Draft
  readonly deliveryId: string
  /** RELAYMSG may be tried here. */
  readonly relay: boolean
  readonly face: string
  readonly instance: string
}

/** `~` + ident of at most 10 and a host of at most 63 bytes (RFC 2812), until the server has told us ours. */
const unknownUserHost = 76
const lineEnd = 2

/** `:nick!user@host COMMAND target :` is put in front by the server and counts in the 512 bytes others get. */
function roomFor(session: Session, said: Pick<Said, 'target'>, relayAs: string | null): number {
  const told = Number(session.support('LINELEN'))
  const line = Number.isInteger(told) && told >= 512 ? told : 512
  const userHost = session.userHost === null || relayAs !== null ? unknownUserHost : Buffer.byteLength(session.userHost)
  const nick = relayAs ?? session.nick
  // A RELAYMSG line carries the shown nick in the command as well.
  const own = relayAs === null ? 0 : Buffer.byteLength(relayAs) + 2
  return line - lineEnd - Buffer.byteLength(`:${nick}!@ PRIVMSG ${said.target} :`) - userHost - own
}

/** What this connection allows for one draft. */
export function frameFor(session: Session, said: Said): Frame {
  const separators = session.login.available.get('draft/relaymsg') ?? ''
  const canRelay =
    said.relay &&
    session.has('draft/relaymsg') &&
    session.isChannel(said.target) &&
    said.draft.content.style !== 'notice'
  const { as } = said.draft
  const relayAs = canRelay && as?.relayed ? relayNick(as, separators) : null
  return {
    target: said.target,
    lineBytes: roomFor(session, said, relayAs),
    tags: session.has('message-tags'),
    multiline: multilineOf(session),
    relayAs,
    face: said.face,
    instance: said.instance,
    deliveryId: said.deliveryId,
  }
}

/** The most that one native message can hold here: of a multiline batch where there is such a thing, else of a line. */
export function textBytesOf(session: Session): number {
  const multiline = multilineOf(session)
  if (multiline) return multiline.maxBytes
  return roomFor(session, { target: '#' }, null)
}
