import type { ChannelId, NetworkId, Place, UserId } from '../../../core/event.ts'

/** Folds names the way the server compares them (ISUPPORT CASEMAPPING; `rfc1459` when it says nothing). */
export type Fold = (name: string) => string

const lower = (letters: string): string => letters.toLowerCase()
const brackets: Record<string, string> = { '[': '{', ']': '}', '\\': '|', '^': '~' }

export function foldFor(casemapping: unknown): Fold {
  const ascii: Fold = name => name.replace(/[A-Z]+/g, lower)
  if (casemapping === 'ascii') return ascii
  // Unicode: Ergo's `precis`.
  if (/^(?:precis|rfc7613|rfc8265)$/.test(String(casemapping))) return name => name.normalize('NFKC').toLowerCase()
  const pairs = casemapping === 'rfc1459-strict' ? /[[\]\\]/g : /[[\]\\^]/g
  return name => ascii(name).replace(pairs, char => brackets[char] ?? char)
}

/** What a private place is made of: the other one's id, and the persona that is asked (null: the main connection). */
export interface Direct {
  readonly user: UserId
  readonly persona: string | null
}

/**
 * The place of a direct conversation is `@<user>`, or `@<user>/<persona>` when it is held with a persona, so that the
 * answer leaves from whoever was asked. `<user>` is an account, or `~nick` of somebody without one; neither has a `/`.
 */
export const directPlace = (network: NetworkId, { user, persona }: Direct): Place => ({
  network,
  channel: (persona === null ? `@${user}` : `@${user}/${persona}`) as ChannelId,
  private: true,
})

export function parseDirect(channel: ChannelId): Direct | null {
  if (!channel.startsWith('@')) return null
  const slash = channel.lastIndexOf('/')
  if (slash === -1) return { user: channel.slice(1) as UserId, persona: null }
  return { user: channel.slice(1, slash) as UserId, persona: channel.slice(slash + 1) }
}

/** `account`, lower-cased: accounts are compared without case on every server we know. */
export const accountId = (account: string): UserId => account.toLowerCase() as UserId
/** Somebody nobody vouches for. `~` can't begin an account name. */
export const strangerId = (nick: string, fold: Fold): UserId => `~${fold(nick)}` as UserId
