/** Closed channels: the server itself lets in those who are admitted, and nobody else sees that there is such a channel. */
import { ChanopError } from '../../core/error.ts'
import type { Place, UserId } from '../../core/event.ts'
import type { Hand } from './hand.ts'
import { establish, type Keeping } from './kept.ts'
import { command, insist, isInspircd } from './link/command.ts'
import type { Session } from './link/session.ts'
import { botHost } from './server/settings.ts'
import { lastParam } from './text/line.ts'

/** So many list modes in one line: with names of 32 letters it stays below 512 bytes on either server. */
const atOnce = 10
const botMask = `*!*@${botHost}`

/**
 * An exception from `+i` for an account: InspIRCd's extended ban `R:`; on Ergo, where nobody has another nick than the
 * account's name, a mask of the nick.
 */
const maskOf = (session: Session, account: string): string => (isInspircd(session) ? `R:${account}` : `${account}!*@*`)

const linesOf = (channel: string, sign: '+' | '-', masks: readonly string[]): string[] => {
  const lines: string[] = []
  for (let at = 0; at < masks.length; at += atOnce) {
    const some = masks.slice(at, at + atOnce)
    lines.push(`SAMODE ${channel} ${sign}${'I'.repeat(some.length)} ${some.join(' ')}`)
  }
  return lines
}

/** The channel's exceptions from `+i` as they stand. */
async function exceptions(session: Session, channel: string): Promise<string[]> {
  const sa = isInspircd(session) ? '' : 'SA'
  const lines = await insist(session, channel, [`${sa}MODE ${channel} ${sa ? '+' : ''}I`])
  return lines.filter(line => line.command === '346').map(line => line.params[2] ?? '')
}

async function isClosed(session: Session, channel: string): Promise<boolean> {
  const shown = await insist(session, channel, [`MODE ${channel}`])
  const modes = shown.find(line => line.command === '324')?.params[2] ?? ''
  return modes.includes('i') && modes.includes('s')
}

/** Makes the list of exceptions exactly these masks: whom it names besides could enter. */
async function list(session: Session, channel: string, masks: readonly string[]): Promise<void> {
  const now = await exceptions(session, channel)
  const key = (mask: string): string => session.fold(mask)
  const wanted = new Set(masks.map(key))
  const there = new Set(now.map(key))
  const kept = isInspircd(session) ? key(botMask) : ''
  const lines = [
    ...linesOf(channel, '-', now.filter(mask => !wanted.has(key(mask)) && key(mask) !== kept)),
    ...linesOf(channel, '+', masks.filter(mask => !there.has(key(mask)))),
  ] // biome-ignore format: two lists
  if (lines.length > 0) await insist(session, channel, lines)
}

interface Inside {
  readonly nick: string
  /** Lower case; null when not logged in. */
  readonly account: string | null
}

async function inside(session: Session, channel: string): Promise<Inside[]> {
  const lines = await command(session, [`WHO ${channel} %na`])
  return lines
    .filter(line => line.command === '354')
    .map(({ params: [, nick = '', account = '0'] }) => ({
      nick,
      account: account === '0' || account === '*' ? null : account.toLowerCase(),
    }))
}

/** Ergo: whoever holds a rank by the channel's own list could enter whatever its modes say. */
async function unrank(session: Session, channel: string, stays: ReadonlySet<string>): Promise<void> {
  const told = await command(session, [`PRIVMSG ChanServ :AMODE ${channel}`])
  const ranks = told.flatMap(line => {
    const [, account = '', mode = ''] = /^Account (\S+) receives mode \+(\w)/.exec(lastParam(line)) ?? []
    return account !== '' && !stays.has(account.toLowerCase()) ? [`-${mode} ${account}`] : []
  })
  if (ranks.length > 0)
    await command(
      session,
      ranks.map(rank => `PRIVMSG ChanServ :AMODE ${channel} ${rank}`),
    )
}

/** Puts out who is in and not admitted; looks again, because only what is seen to be so is done. */
async function clear(hand: Hand, session: Session, channel: string, stays: ReadonlySet<string>): Promise<void> {
  const strangers = async (): Promise<Inside[]> =>
    (await inside(session, channel)).filter(
      ({ nick, account }) => !hand.isOwn(nick) && (account === null || !stays.has(account)),
    )
  const found = await strangers()
  if (found.length === 0) return
  const out = found.flatMap(({ nick }) =>
    isInspircd(session)
      ? [`SAKICK ${channel} ${nick} :this room is closed`]
      : [`SAMODE ${channel} -qao ${nick} ${nick} ${nick}`, `KICK ${channel} ${nick} :this room is closed`],
  )
  await command(session, out)
  const left = await strangers()
  if (left.length === 0) return
  const names = left.map(({ nick }) => nick).join(', ')
  throw new ChanopError('send-later', `${names} could not be put out of ${channel}`, { afterMs: 1000 })
}

/**
 * Lets in these accounts and our bots alone, and puts everybody else out; null: the channel is open again. Invite-only
 * and secret, so that a JOIN is refused before anything is replayed, and LIST does not show it to those outside.
 */
export async function admit(
  hand: Hand,
  place: Place,
  accounts: readonly UserId[] | null,
  keeping: Keeping,
): Promise<void> {
  const { channel } = place
  await hand.enter(place)
  const session = hand.session()
  await establish(session, channel, keeping)
  if (accounts === null) {
    await insist(session, channel, [`SAMODE ${channel} -is`])
    await list(session, channel, [])
    return
  }
  // Before the list: nobody slips in while it is being made.
  if (!(await isClosed(session, channel))) await insist(session, channel, [`SAMODE ${channel} +is`])
  await list(
    session,
    channel,
    accounts.map(account => maskOf(session, account)),
  )
  const stays = new Set([...accounts.map(account => account.toLowerCase()), ...keeping.bots])
  if (!isInspircd(session)) await unrank(session, channel, stays)
  await clear(hand, session, channel, stays)
}
