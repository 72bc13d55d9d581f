import type { Place, UserId } from '../../core/event.ts'
import type { Session } from './link/session.ts'

/** What the acts need of the connection that does them. */
export interface Hand {
  /** Rejects `send-later` when it is not there. */
  session(): Session
  /** The nick an account is connected under. Rejects `send-refused` when it is not. */
  nickOf(user: UserId): Promise<string>
  /** Nicks of our own connections, folded. */
  isOwn(nick: string): boolean
  enter(place: Place): Promise<void>
  leave(place: Place, reason: string): Promise<void>
}
