import type { LifeSign, RosterSign, Sender } from '../../../core/event.ts'
import type { Session } from '../link/session.ts'
import { channelPlace, type LineContext, placeOf, senderOf } from './inbound.ts'
import { fromUser, type Line } from './line.ts'
import { accountId, strangerId } from './names.ts'

/** A program says with this tag that it is there, in a TAGMSG to a channel or to one of our bots. */
const beatTag = '+chanop/beat'
const whoToken = '717'

/** A TAGMSG that only says that somebody is there or writing. */
export function lifeOf(line: Line, heard: LineContext): LifeSign | null {
  if (line.command !== 'TAGMSG' || !fromUser(line) || heard.isOwn(line.nick)) return null
  const beat = line.tags[beatTag] !== undefined
  if (!beat && (line.tags['+typing'] ?? line.tags['+draft/typing']) === undefined) return null
  const place = placeOf({ line, count: 0 }, heard)
  if (!place) return null
  return { kind: 'life', place, sender: senderOf(line, heard), what: beat ? 'heartbeat' : 'typing', atMs: Date.now() }
}

function senderWith(nick: string, account: string | null, heard: LineContext): Sender {
  const kind = heard.isOwn(nick) ? 'self' : 'person'
  if (account === null) return { id: strangerId(nick, heard.fold), name: nick, kind, verified: false }
  return { id: accountId(account), name: nick, kind, verified: true }
}

/** How somebody is known to us changes with their login and their nick. Asked before the roster follows the line. */
export function changesOf(line: Line, heard: LineContext): RosterSign[] {
  const [first = ''] = line.params
  if ((line.command !== 'ACCOUNT' && line.command !== 'NICK') || first === '' || !fromUser(line)) return []
  const before = senderWith(line.nick, heard.accountOf(line.nick), heard)
  const after =
    line.command === 'ACCOUNT'
      ? senderWith(line.nick, first === '*' ? null : first, heard)
      : senderWith(first, heard.accountOf(line.nick), heard)
  const gone = before.id === after.id ? [] : [before.id]
  return heard.channelsOf(line.nick).map(channel => ({
    kind: 'roster' as const,
    place: channelPlace(channel, heard),
    present: [after],
    gone,
    atMs: Date.now(),
  }))
}

/**
 * Asks who is in the channels that were entered, with accounts where the server tells them (WHOX): one channel at a
 * time, because the answer for a big one is long.
 */
export class Roll {
  readonly #waiting: string[] = []
  #asked: string | null = null
  #again = false
  #present: Sender[] = []

  ask(session: Session, channel: string): void {
    if (!this.#waiting.includes(channel)) this.#waiting.push(channel)
    if (this.#asked === null) this.#next(session)
  }

  /** The connection is gone, and the answers with it. */
  clear(): void {
    this.#waiting.length = 0
    this.#asked = null
  }

  #next(session: Session): void {
    this.#asked = this.#waiting.shift() ?? null
    this.#present = []
    this.#again = false
    this.#write(session)
  }

  #write(session: Session): void {
    if (this.#asked !== null)
      session.write(session.support('WHOX') === null ? `WHO ${this.#asked}` : `WHO ${this.#asked} %tcna,${whoToken}`)
  }

  /** Takes an answer; returns the roster at its end. `known` is told the account of each. */
  take(
    line: Line,
    session: Session,
    heard: LineContext,
    known: (nick: string, account: string) => void,
  ): RosterSign | null {
    const { command, params } = line
    if (this.#asked === null) return null
    const asked = heard.fold(this.#asked)
    if (command === '354' && params[1] === whoToken && heard.fold(params[2] ?? '') === asked) {
      const [, , , nick = '', account = '0'] = params
      if (account !== '0') known(nick, account)
      this.#present.push(senderWith(nick, account === '0' ? null : account, heard))
    } else if (command === '352') {
      const nick = params[5] ?? ''
      this.#present.push(senderWith(nick, heard.accountOf(nick), heard))
    } else if (command === '315' && heard.fold(params[1] ?? '') === asked) return this.#ended(asked, session, heard)
    return null
  }

  #ended(channel: string, session: Session, heard: LineContext): RosterSign | null {
    const present = this.#present
    // We are in it ourselves: an answer without anybody is the end of another question about it, or we are out again.
    if (present.length === 0 && !this.#again) {
      this.#again = true
      this.#write(session)
      return null
    }
    this.#next(session)
    if (present.length === 0) return null
    return { kind: 'roster', place: channelPlace(channel, heard), present, gone: [], whole: true, atMs: Date.now() }
  }
}
